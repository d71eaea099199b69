"""Rows from the Hugging Face hub, always of one commit.

No commit is written down here: they could not be looked up where this was written. Without
``revision`` the newest commit is looked up once and the rows of exactly that one are taken; the
task set's ``options["revision"]`` says which, so that a later run can ask for it by name.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from toolrl_env.core.errors import ConfigurationError, NetworkUnavailable
from toolrl_env.data.dataset import Dataset, Row

__all__ = ["hub_rows"]


def hub_rows(dataset: Dataset, revision: str | None) -> tuple[Iterable[Row], str]:
    """Return the rows of ``dataset`` on the hub, and the commit they are of.

    Args:
        dataset: A dataset that is on the hub.
        revision: Commit hash, or ``None`` for the newest, looked up now.

    Raises:
        ConfigurationError: The dataset is not on the hub in this form.
        NetworkUnavailable: It cannot be downloaded: no network, no library, or it is gated.
    """
    if dataset.hub is None:
        raise ConfigurationError(
            f"{dataset.name} is not on the Hugging Face hub in this form; "
            f"pass data=<file> with the columns {', '.join(dataset.columns)}"
        )
    try:
        import datasets  # pyright: ignore[reportMissingTypeStubs]
        import huggingface_hub
    except ImportError as error:
        raise NetworkUnavailable(
            "data='hub' needs the datasets library: pip install 'toolrl-env[data]'"
        ) from error
    try:
        commit = revision or huggingface_hub.HfApi().dataset_info(dataset.hub).sha
        rows: Any = datasets.load_dataset(dataset.hub, split="train", revision=commit)
    except Exception as error:  # the libraries raise a dozen unrelated kinds
        raise NetworkUnavailable(_explain(dataset.hub, error)) from error
    return cast("Iterable[Row]", rows), str(commit)


def _explain(hub: str, error: Exception) -> str:
    text = " ".join(str(error).split())[:300]
    if "gated" in text.lower() or "401" in text or "403" in text:
        advice = (
            f"Accept its terms at https://huggingface.co/datasets/{hub}, then set HF_TOKEN or run "
            "'hf auth login'"
        )
    else:
        advice = "Check the network, or download it elsewhere"
    return (
        f"cannot load {hub} from the Hugging Face hub ({type(error).__name__}: {text}). {advice}; "
        "data=<file> reads a local copy, and without data= our own sample is used."
    )

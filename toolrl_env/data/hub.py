"""Rows from the Hugging Face hub, always of one commit.

No commit is written down here: they could not be looked up where this was written. A branch, a tag
or no revision at all (the newest) is looked up first, and the rows of exactly that commit are
taken; the task set's ``options["revision"]`` says which, so that a later run can ask for it by
name. A full commit is taken as it is, so that it can come from the library's cache.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, cast

from toolrl_env.core.errors import ConfigurationError, NetworkUnavailable
from toolrl_env.data.dataset import Dataset, Row

__all__ = ["hub_commit", "hub_rows"]

_NO_LIBRARY = "data='hub' needs the datasets library: pip install 'toolrl-env[data]'"
_COMMIT = re.compile(r"[0-9a-f]{40}\Z")


def hub_commit(dataset: Dataset, revision: str | None) -> str:
    """Return the commit that ``revision`` of ``dataset`` stands for now.

    Args:
        dataset: A dataset that is on the hub.
        revision: A commit, branch or tag; ``None`` for the newest commit.

    Raises:
        ConfigurationError: The dataset is not on the hub in this form.
        NetworkUnavailable: It cannot be looked up: no network, no library, or no such revision.
    """
    if dataset.hub is None:
        raise ConfigurationError(
            f"{dataset.name} is not on the Hugging Face hub in this form; "
            f"pass data=<file> with the columns {', '.join(dataset.columns)}"
        )
    if revision is not None and _COMMIT.match(revision):
        return revision
    try:
        import huggingface_hub
    except ImportError as error:
        raise NetworkUnavailable(_NO_LIBRARY) from error
    try:
        return str(huggingface_hub.HfApi().dataset_info(dataset.hub, revision=revision).sha)
    except Exception as error:  # the library raises a dozen unrelated kinds
        raise NetworkUnavailable(_explain(dataset.hub, error)) from error


def hub_rows(dataset: Dataset, commit: str) -> Iterable[Row]:
    """Return the rows of ``dataset`` at ``commit``.

    Raises:
        NetworkUnavailable: They cannot be downloaded: no network, no library, or it is gated.
    """
    hub = str(dataset.hub)
    try:
        import datasets  # pyright: ignore[reportMissingTypeStubs]
    except ImportError as error:
        raise NetworkUnavailable(_NO_LIBRARY) from error
    try:
        rows: Any = datasets.load_dataset(hub, split="train", revision=commit)
    except Exception as error:  # the library raises a dozen unrelated kinds
        raise NetworkUnavailable(_explain(hub, error)) from error
    return cast("Iterable[Row]", rows)


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

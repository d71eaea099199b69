"""Checkpoints: an ordinary model folder, plus what a trainer needs to go on exactly."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from toolrl_env.core.errors import ConfigurationError, DataError

__all__ = ["Stateful", "TrainerState", "load_trainer_state", "save_checkpoint"]

_MAY_CHANGE = frozenset({"steps", "out", "resume", "save_every"})


class Stateful(Protocol):
    """What can be saved with a checkpoint; every module and optimiser of torch can."""

    def state_dict(self) -> Mapping[str, Any]:
        """Return the state: tensors and plain values, nested in dictionaries and lists."""
        ...

    def load_state_dict(self, state_dict: Any, /) -> Any:
        """Take over what ``state_dict`` returned."""
        ...


@dataclass(frozen=True)
class TrainerState:
    """Where a run stood.

    Random choices depend on ``(seed, step)`` and on ``attached`` alone
    (``agents.rollout.derive_seed``), so the step is the position of every generator and of the
    environments too.

    Attributes:
        step: Number of finished steps.
        optimizer: The optimiser's ``state_dict``.
        config: The run's configuration, JSON-like.
        attached: States of what else the trainer has, by name: a value head, filters' memories.
    """

    step: int
    optimizer: dict[str, Any]
    config: Mapping[str, Any]
    attached: dict[str, Any] = field(default_factory=dict)


def save_checkpoint(
    folder: Path,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    state: TrainerState,
) -> None:
    """Write a checkpoint; ``from_pretrained(folder)`` loads the model and the tokenizer.

    It is written beside and then renamed, so ``folder`` is never half-written.
    """
    fresh, old = folder.with_name(folder.name + ".new"), folder.with_name(folder.name + ".old")
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
    model.save_pretrained(fresh)
    tokenizer.save_pretrained(fresh)
    content = {"step": state.step, "optimizer": state.optimizer, "attached": state.attached}
    torch.save(content, fresh / "trainer.pt")
    (fresh / "run.json").write_text(json.dumps(dict(state.config), indent=2) + "\n")
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def load_trainer_state(folder: Path, config: Mapping[str, Any]) -> TrainerState:
    """Read what ``save_checkpoint`` wrote, for a run with ``config``.

    Raises:
        DataError: The folder is no checkpoint of a trainer.
        ConfigurationError: The run differs from the saved one in more than its length or folders:
            going on would not equal the uninterrupted run.
    """
    if not (folder / "trainer.pt").is_file() or not (folder / "run.json").is_file():
        raise DataError(f"{folder} is not a checkpoint: it needs trainer.pt and run.json")
    saved = json.loads((folder / "run.json").read_text())
    may_change = _MAY_CHANGE - {"steps"} if config["decay_steps"] else _MAY_CHANGE
    differing = [
        f"{key}: saved {saved.get(key)!r}, now {config.get(key)!r}"
        for key in sorted({*saved, *config} - may_change)
        if saved.get(key) != config.get(key)
    ]
    if differing:
        raise ConfigurationError(f"cannot resume {folder}: {'; '.join(differing)}")
    content = torch.load(folder / "trainer.pt", map_location="cpu", weights_only=True)
    return TrainerState(content["step"], content["optimizer"], saved, content.get("attached", {}))

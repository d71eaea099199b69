"""The bookkeeping that every trainer needs: settings, model, optimiser, logs, checkpoints."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel

from agents.checkpoint import Stateful, TrainerState, load_trainer_state, save_checkpoint
from agents.env_kwargs import parse_env_kwargs
from agents.logs import RunLog
from agents.models import load_model
from agents.precision import DTYPES, MasterWeights, choose_device, choose_dtype
from agents.prompting import ChatEncoder
from toolrl_env.core.errors import ConfigurationError, DataError, UnknownName

__all__ = ["RunConfig", "Session", "parse_env_kwargs"]


@dataclass(frozen=True)
class RunConfig:
    """Settings that every trainer shares.

    Attributes:
        env: Registered environment id.
        env_kwargs: Keyword arguments for gym.make, as a JSON object.
        model: "smollm2", "tiny", or a model folder.
        out: Folder for the checkpoint, metrics.jsonl and TensorBoard events.
        seed: Seed of every random choice of the run.
        steps: Optimiser steps in all.
        learning_rate: Of AdamW, after the warm-up.
        warmup_steps: Steps over which the learning rate rises linearly.
        decay_steps: Last steps, over which the learning rate falls linearly towards 0.
        weight_decay: Of AdamW.
        max_grad_norm: Gradients are scaled down to this norm.
        micro_batch_tokens: Tokens per forward and backward pass, a shared prompt counted once: what
            bounds the memory of an update. An episode that is longer is a pass of its own.
        device: "auto" (a GPU if torch sees one, else the processor), "cpu", "cuda", "cuda:1" and
            so on.
        dtype: "auto" (bfloat16 where the device is fast at it), "float32" or "bfloat16".
        threads: Threads of torch; 0 leaves them as they are.
        save_every: Steps between checkpoints; 0 writes one at the end.
        resume: Checkpoint to go on from; the run then equals the uninterrupted one.

    Raises:
        ConfigurationError: A value is out of range, or ``env_kwargs`` is not a JSON object.
    """

    env: str = "ToolRL-Toolbox-v0"
    env_kwargs: str = "{}"
    model: str = "smollm2"
    out: Path = Path("runs/run")
    seed: int = 0
    steps: int = 20
    learning_rate: float = 1e-4
    warmup_steps: int = 0
    decay_steps: int = 0
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    micro_batch_tokens: int = 4096
    device: str = "auto"
    dtype: str = "auto"
    threads: int = 0
    save_every: int = 0
    resume: Path | None = None

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        self.require_positive(
            steps=self.steps,
            learning_rate=self.learning_rate,
            max_grad_norm=self.max_grad_norm,
            micro_batch_tokens=self.micro_batch_tokens,
        )
        for name in (
            "seed",
            "warmup_steps",
            "decay_steps",
            "weight_decay",
            "threads",
            "save_every",
        ):
            if asdict(self)[name] < 0:
                raise ConfigurationError(f"{name}={asdict(self)[name]!r}; it must be at least 0")
        if self.dtype not in DTYPES:
            raise UnknownName("dtype", self.dtype, DTYPES)
        choose_device(self.device)
        parse_env_kwargs(self.env_kwargs)

    @staticmethod
    def require_positive(**values: float) -> None:
        """Raise unless every value is a finite number above 0."""
        for name, value in values.items():
            if not (math.isfinite(value) and value > 0):
                raise ConfigurationError(f"{name}={value!r}; it must be above 0")

    def rate(self, step: int) -> float:
        """Return the learning rate of a step (0-based).

        >>> config = RunConfig(steps=4, learning_rate=1.0, warmup_steps=1, decay_steps=2)
        >>> [round(config.rate(step), 2) for step in range(4)]
        [0.5, 1.0, 0.67, 0.33]
        """
        warm = min(1.0, (step + 1) / (self.warmup_steps + 1))
        cool = min(1.0, (self.steps - step) / (self.decay_steps + 1))
        return self.learning_rate * warm * cool

    def as_json(self) -> dict[str, Any]:
        """Return the settings as JSON-like values."""
        return {key: str(v) if isinstance(v, Path) else v for key, v in asdict(self).items()}


class Session:
    """One training run: what is set up once, and what happens around every step.

    Args:
        config: The settings.
        on_step: Called with each step's metrics.

    Attributes:
        env_kwargs: Keyword arguments for ``gym.make``.
        device: What the models run on.
        encoder: Encodes prompts and answers.
        policy: The model to run forward and backward.
        start: The first step to do; above 0 when resumed.
    """

    def __init__(
        self, config: RunConfig, on_step: Callable[[dict[str, float]], None] | None = None
    ) -> None:
        if config.threads:
            torch.set_num_threads(config.threads)
        self.config, self._on_step = config, on_step
        self.env_kwargs = parse_env_kwargs(config.env_kwargs)
        source = config.model if config.resume is None else str(config.resume)
        self.device = choose_device(config.device)
        model, self._tokenizer = load_model(source, config.env, self.env_kwargs, config.seed)
        self._model = model.to(self.device)
        self.encoder = ChatEncoder(self._tokenizer, self.env_kwargs.get("protocol", "toolrl"))
        self._optimizer = torch.optim.AdamW(
            self._model.parameters(),
            lr=config.learning_rate,
            betas=(0.9, 0.95),
            weight_decay=config.weight_decay,
            fused=True,
        )
        self.start = 0
        self._attached: dict[str, Stateful] = {}
        self._saved: dict[str, Any] = {}
        if config.resume is not None:
            state = load_trainer_state(config.resume, config.as_json())
            self.start, self._saved = state.step, state.attached
            self._optimizer.load_state_dict(state.optimizer)
        self._weights = MasterWeights(self._model, choose_dtype(config.dtype, self.device))
        self.policy = self._weights.compute
        self._log = RunLog(config.out, self.start)

    def attach(self, name: str, part: Stateful) -> None:
        """Save ``part`` with every checkpoint; give it its saved state if the run is resumed.

        Args:
            name: Its name in the checkpoint.
            part: Anything with ``state_dict`` and ``load_state_dict``, of tensors and plain values:
                a value head, its optimiser, the memory of a filter.

        Raises:
            DataError: The checkpoint has no such part.
        """
        if self.config.resume is not None:
            if name not in self._saved:
                raise DataError(f"{self.config.resume} has no saved {name!r}; it is of another run")
            part.load_state_dict(self._saved[name])
        self._attached[name] = part

    def reference(self) -> PreTrainedModel:
        """Return the model that the run began with, frozen, in the format that computes."""
        config = self.config
        model, _ = load_model(config.model, config.env, self.env_kwargs, config.seed)
        return model.to(self.device, self.policy.dtype).requires_grad_(False)

    def backward(self, loss: torch.Tensor) -> None:
        """Add the gradient of a part of the batch."""
        loss.backward()
        self._weights.collect()

    def optimise(self, step: int) -> float:
        """Take one optimiser step with the gradient gathered so far; return its norm."""
        for group in self._optimizer.param_groups:
            group["lr"] = self.config.rate(step)
        norm = torch.nn.utils.clip_grad_norm_(self._model.parameters(), self.config.max_grad_norm)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        self._weights.publish()
        return float(norm)

    def finish_step(self, metrics: dict[str, float]) -> None:
        """Log a step, and write a checkpoint when it is time."""
        self._log.write(metrics)
        if self._on_step is not None:
            self._on_step(metrics)
        done, every = int(metrics["step"]) + 1, self.config.save_every
        if done == self.config.steps or (every and done % every == 0):
            attached = {name: part.state_dict() for name, part in self._attached.items()}
            state = TrainerState(
                done, self._optimizer.state_dict(), self.config.as_json(), attached
            )
            save_checkpoint(self.checkpoint, self._model, self._tokenizer, state)

    @property
    def checkpoint(self) -> Path:
        """The folder that checkpoints are written to."""
        return self.config.out / "checkpoint"

    def close(self) -> None:
        """Flush the logs."""
        self._log.close()

"""What the demo does: the full recipe for SmolLM2-135M and the quick one for the tiny model."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.grpo import GRPOConfig
from agents.sft import SFTConfig

__all__ = ["FULL", "QUICK", "Recipe"]

_TINY_TEMPLATE = str(Path(__file__).with_name("tiny_template.txt"))


@dataclass(frozen=True)
class Recipe:
    """Settings of one demo run.

    Attributes:
        env: Registered environment id.
        env_kwargs: Keyword arguments for ``gym.make``, without the split.
        model: As for ``agents.models.load_model``.
        held_out: Number of test tasks that every stage is scored on.
        max_new_tokens: Tokens after which an answer is cut.
        threads: Threads of torch; 0 takes one per processor.
        warm_start: Settings of the supervised warm start that differ from the defaults.
        reinforcement: Settings of GRPO that differ from the defaults.
    """

    env: str
    env_kwargs: dict[str, Any]
    model: str
    held_out: int
    max_new_tokens: int
    threads: int
    warm_start: dict[str, Any]
    reinforcement: dict[str, Any]

    def sft(self, out: Path, seed: int, threads: int) -> SFTConfig:
        """Return the settings of the warm start."""
        return SFTConfig(**self._shared(out, seed, threads), model=self.model, **self.warm_start)

    def grpo(self, out: Path, seed: int, threads: int, model: Path) -> GRPOConfig:
        """Return the settings of GRPO, which goes on from the folder ``model``."""
        return GRPOConfig(
            **self._shared(out, seed, threads),
            model=str(model),
            max_new_tokens=self.max_new_tokens,
            **self.reinforcement,
        )

    def _shared(self, out: Path, seed: int, threads: int) -> dict[str, Any]:
        kwargs = json.dumps({**self.env_kwargs, "split": "train"})
        return {
            "env": self.env,
            "env_kwargs": kwargs,
            "out": out,
            "seed": seed,
            "threads": threads,
        }


FULL = Recipe(
    env="ToolRL-Toolbox-v0",
    env_kwargs={"difficulty": 1, "template": "short"},
    model="smollm2",
    held_out=64,
    max_new_tokens=88,
    threads=0,
    warm_start={
        "steps": 3,
        "batch_size": 8,
        "learning_rate": 1e-4,
        "warmup_steps": 1,
    },
    reinforcement={
        "steps": 20,
        "prompts": 4,
        "group_size": 8,
        "learning_rate": 2e-5,
        "warmup_steps": 2,
    },
)
"""SmolLM2-135M-Instruct: three batches teach it the layout, GRPO to use the tools."""

QUICK = Recipe(
    env="ToolRL-Toolbox-v0",
    env_kwargs={"difficulty": 1, "template": _TINY_TEMPLATE},
    model="tiny",
    held_out=64,
    max_new_tokens=80,
    threads=1,
    warm_start={
        "steps": 250,
        "batch_size": 8,
        "learning_rate": 4e-3,
        "warmup_steps": 10,
        "decay_steps": 80,
    },
    reinforcement={
        "steps": 24,
        "prompts": 8,
        "group_size": 8,
        "learning_rate": 3e-4,
        "warmup_steps": 2,
    },
)
"""Half a million fresh parameters: the same path in about a minute."""

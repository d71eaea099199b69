"""Settings of the plain loop over ``gym.make_vec``."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gymnasium.vector import AutoresetMode

from agents.env_kwargs import parse_env_kwargs
from toolrl_env.core.checks import whole_number
from toolrl_env.core.errors import ConfigurationError, UnknownName

__all__ = ["RESETS", "VectorPPOConfig"]

_MODES = ("sync", "async", "vector_entry_point")
RESETS = {"same_step": AutoresetMode.SAME_STEP, "next_step": AutoresetMode.NEXT_STEP}


@dataclass(frozen=True)
class VectorPPOConfig:
    """Settings of a run.

    Attributes:
        env: Registered environment id.
        env_kwargs: Keyword arguments for gym.make, as a JSON object.
        candidates: Actions of CandidateActions.
        mode: How make_vec makes the vector: "sync", "async" or "vector_entry_point" (our own).
        autoreset: "same_step" or "next_step"; the latter spends a step on each reset.
        num_envs: Environments in the vector.
        steps: Steps of the vector between updates.
        updates: How often to collect and update.
        epochs: Passes over what was collected.
        minibatch: Transitions in a gradient step.
        learning_rate: Of Adam.
        gamma: Discount.
        lam: Lambda of the advantages.
        clip: Clipping of the probability ratio.
        entropy: Weight of the entropy.
        seed: Of every random choice.
        eval_tasks: Tasks of the test split that are played greedily at the end; 0 for none.
        out: File for the network's weights; empty for none.

    Raises:
        ConfigurationError: A value is out of range.
    """

    env: str = "ToolRL-Toolbox-v0"
    env_kwargs: str = "{}"
    candidates: int = 32
    mode: str = "sync"
    autoreset: str = "same_step"
    num_envs: int = 16
    steps: int = 32
    updates: int = 20
    epochs: int = 8
    minibatch: int = 256
    learning_rate: float = 1e-3
    gamma: float = 0.99
    lam: float = 0.95
    clip: float = 0.2
    entropy: float = 0.01
    seed: int = 0
    eval_tasks: int = 200
    out: str = ""

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        if self.mode not in _MODES:
            raise UnknownName("mode", self.mode, _MODES)
        if self.autoreset not in RESETS:
            raise UnknownName("autoreset", self.autoreset, RESETS)
        for name in ("num_envs", "steps", "updates", "epochs"):
            whole_number(name, vars(self)[name], 1)
        whole_number("minibatch", self.minibatch, 2)  # advantages are normalised in each
        for name in ("seed", "eval_tasks"):
            whole_number(name, vars(self)[name])
        whole_number("candidates", self.candidates, 2, 1024)
        for name in ("gamma", "lam"):
            if not 0 <= vars(self)[name] <= 1:
                raise ConfigurationError(f"{name}={vars(self)[name]!r}; allowed: 0 to 1")
        for name in ("learning_rate", "clip"):
            if not 0 < vars(self)[name] < math.inf:
                raise ConfigurationError(f"{name}={vars(self)[name]!r}; allowed: above 0")
        if not 0 <= self.entropy < math.inf:
            raise ConfigurationError(f"entropy={self.entropy!r}; allowed: 0 or more")
        parse_env_kwargs(self.env_kwargs)

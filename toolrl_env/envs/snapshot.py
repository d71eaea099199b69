"""The state of an environment in mid-episode."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from toolrl_env.core.types import RewardBreakdown

__all__ = ["EnvSnapshot"]


@dataclass(frozen=True, slots=True)
class EnvSnapshot:
    """The whole state of an environment in mid-episode. Picklable.

    Attributes:
        fingerprint: Of the task set it was taken on; ``restore`` refuses another.
        rng: State of ``np_random``, or ``None`` if it was never used.
        rng_seed: The seed it was made from.
        task_index: The current task, or ``None`` before the first reset.
        training_step: For scheduled rewards.
        observation: The last observation.
        done: Whether the episode is over.
        breakdown: The last reward, or ``None``.
        extra: What the subclass adds, e.g. a conversation and its world.
    """

    fingerprint: str
    rng: Mapping[str, Any] | None
    rng_seed: int | None
    task_index: int | None
    training_step: int
    observation: str
    done: bool
    breakdown: RewardBreakdown | None
    extra: object = None

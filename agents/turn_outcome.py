"""What an environment said to one answer, read out of ``step``. Failures of ours are no rewards."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import gymnasium as gym

from toolrl_env.core.errors import InfrastructureError
from toolrl_env.core.types import StopReason

__all__ = ["TurnOutcome", "take_turn"]


@dataclass(frozen=True, slots=True)
class TurnOutcome:
    """What came of one answer.

    Attributes:
        reward: The reward; 0.0 if ``masked``.
        components: The reward, term by term; empty if ``masked``.
        over: Whether the episode ended, in whatever way.
        stop_reason: Why, if it did.
        messages: The conversation so far, the answer included; matters if the episode goes on.
        highest: The most that the answer could have earned where an episode is one answer; ``nan``
            elsewhere.
        is_success: Whether the task is solved: what the environment says, else whether the reward
            is the highest possible.
        masked: Whether something of ours failed, so that there is no reward.
        failure: What failed, if that ended the episode; else empty.
        observation: The conversation as text.
        info: As ``step`` returned it; empty if ``step`` raised.
    """

    reward: float
    components: Mapping[str, float]
    over: bool
    stop_reason: StopReason | None = None
    messages: Sequence[Mapping[str, Any]] = ()
    highest: float = float("nan")
    is_success: bool = False
    masked: bool = False
    failure: str = ""
    observation: str = ""
    info: Mapping[str, Any] = field(default_factory=dict)


def take_turn(env: gym.Env[str, str], answer: str) -> TurnOutcome:
    """Step ``env`` with ``answer``.

    ``InfrastructureError`` and a stop reason of that kind are failures of ours. Any other exception
    is a bug and propagates.
    """
    try:
        observation, reward, terminated, truncated, info = env.step(answer)
    except InfrastructureError as error:
        failure = str(error) or "infrastructure error"
        return TurnOutcome(
            0.0, {}, over=True, stop_reason=StopReason.INFRASTRUCTURE, masked=True, failure=failure
        )
    stop = None if info["stop_reason"] is None else StopReason(info["stop_reason"])
    if stop is StopReason.INFRASTRUCTURE:
        failure = info.get("failure") or "the environment stopped for infrastructure"
        return TurnOutcome(
            0.0, {}, over=True, stop_reason=stop, masked=True, failure=failure, info=info
        )
    masked = bool(info.get("mask_sample", False))
    highest = float("nan")
    if "is_success" in info:
        success = bool(info["is_success"])
    else:
        highest = float(sum(term.high * term.weight for term in info["breakdown"].terms))
        success = math.isclose(reward, highest, abs_tol=1e-9)
    return TurnOutcome(
        reward=0.0 if masked else float(reward),
        components={} if masked else dict(info["reward"]),
        over=terminated or truncated,
        stop_reason=stop,
        messages=info["messages"],
        highest=highest,
        is_success=success and not masked,
        masked=masked,
        observation=observation,
        info=info,
    )

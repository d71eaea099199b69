"""What an environment said to one answer, read out of ``step``. Failures of ours are no rewards."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import gymnasium as gym

from toolrl_env.core.errors import ConfigurationError, InfrastructureError
from toolrl_env.core.types import FailureKind, StopReason

__all__ = ["REPLACES_ANSWERS", "TurnOutcome", "added_messages", "take_turn"]

REPLACES_ANSWERS = (
    "puts other answers in the place of the model's (teacher forcing), so that the conversation "
    "does not go on from what was sampled; use continuation='free_running', or mode='single_turn'"
)


@dataclass(frozen=True, slots=True)
class TurnOutcome:
    """What came of one answer.

    Attributes:
        reward: The reward; 0.0 if ``masked``.
        components: The reward, term by term; empty if ``masked``.
        over: Whether the episode ended, in whatever way.
        truncated: Whether it was cut from outside.
        stop_reason: Why, if it did.
        messages: The conversation so far, the answer included; matters if the episode goes on.
        highest: The most that the answer could have earned where an episode is one answer; ``nan``
            elsewhere.
        is_success: Whether the task is solved: what the environment says, else whether the reward
            is the highest possible.
        masked: Whether something of ours failed, so that there is no reward.
        failure: What failed, if that ended the episode; else empty.
        failure_kind: Which kind of failure, if something failed and the environment says so.
        observation: The conversation as text.
        info: As ``step`` returned it; empty if ``step`` raised.
    """

    reward: float
    components: Mapping[str, float]
    over: bool
    truncated: bool = False
    stop_reason: StopReason | None = None
    messages: Sequence[Mapping[str, Any]] = ()
    highest: float = float("nan")
    is_success: bool = False
    masked: bool = False
    failure: str = ""
    failure_kind: FailureKind | None = None
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
        return _no_reward(str(error) or "infrastructure error", error.kind, {})
    stop = None if info["stop_reason"] is None else StopReason(info["stop_reason"])
    kind = None if info.get("failure_kind") is None else FailureKind(info["failure_kind"])
    if stop is StopReason.INFRASTRUCTURE:
        failure = info.get("failure") or "the environment stopped for infrastructure"
        return _no_reward(failure, kind, info)
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
        truncated=truncated,
        stop_reason=stop,
        messages=info["messages"],
        highest=highest,
        is_success=success and not masked,
        masked=masked,
        failure_kind=kind,
        observation=observation,
        info=info,
    )


def _no_reward(failure: str, kind: FailureKind | None, info: Mapping[str, Any]) -> TurnOutcome:
    """Return what a step is that failed and ended the episode."""
    return TurnOutcome(
        reward=0.0,
        components={},
        over=True,
        stop_reason=StopReason.INFRASTRUCTURE,
        masked=True,
        failure=failure,
        failure_kind=kind,
        info=info,
    )


def added_messages(
    env: gym.Env[str, str], before: int, answer: str, outcome: TurnOutcome
) -> Sequence[Mapping[str, Any]]:
    """Return what the environment said to an answer after which the episode goes on.

    Args:
        env: The environment.
        before: Messages of the conversation before the answer.
        answer: The answer.
        outcome: What came of it.

    Raises:
        ConfigurationError: The conversation did not grow by the answer and at least one message
            more, so that whoever has the conversation elsewhere cannot follow.
    """
    now, name = outcome.messages, type(env.unwrapped).__name__
    if len(now) < before + 2 or now[before]["role"] != "assistant":
        roles = [message["role"] for message in now[before:]]
        raise ConfigurationError(
            f"{name} goes on after an answer, so info['messages'] must grow by the "
            f"assistant's message and at least one more; it grew by {roles}"
        )
    kept = now[before]["content"]
    if kept != answer and not (kept and answer.startswith(kept)):  # cut at max_chars
        raise ConfigurationError(f"{name} {REPLACES_ANSWERS}")
    return now[before + 1 :]

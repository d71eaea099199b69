"""What has been said in an episode of several turns, and running the calls of one answer."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from toolrl_env.core.episode import TurnRecord
from toolrl_env.core.errors import InfrastructureError
from toolrl_env.core.frozen import FrozenList
from toolrl_env.core.session import Session
from toolrl_env.core.types import ErrorCode, ParsedCall, StopReason, ToolResult, ToolSpec
from toolrl_env.tools.describe import action_error

__all__ = ["MAX_CALLS", "Conversation", "failed", "judged", "run_calls"]

MAX_CALLS = 256
"""Calls of one answer that are run; the others are refused, which bounds what a step takes."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """What has happened in this episode. Immutable, so that forks share it.

    Attributes:
        messages: The chat so far.
        tools: The tools that the model has been told of, in order.
        offer: The same, OpenAI-style.
        turns: The model's turns.
        stop: Why it is over.
        failure: What of ours failed.
        outcome: The world's own judgement, once it is over.
    """

    messages: tuple[dict[str, Any], ...] = ()
    tools: tuple[ToolSpec, ...] = ()
    offer: FrozenList = field(default_factory=FrozenList)
    turns: tuple[TurnRecord, ...] = ()
    stop: StopReason | None = None
    failure: InfrastructureError | None = None
    outcome: float | None = None


def judged(said: Conversation, outcome: float | None) -> Conversation:
    """Return a conversation that is over with the world's judgement, in ``[0, 1]``, if it has one.

    In a world without goal predicates a judgement of 1 is what says that the goal is reached.
    """
    won = outcome == 1.0 and said.stop is StopReason.ANSWERED and not said.turns[-1].progress_after
    return replace(said, outcome=outcome, stop=StopReason.GOAL_REACHED if won else said.stop)


def failed(said: Conversation, failure: InfrastructureError) -> Conversation:
    """Return a conversation whose last turn is masked: something of ours failed after it."""
    turns = (*said.turns[:-1], replace(said.turns[-1], masked=True))
    return replace(said, turns=turns, stop=StopReason.INFRASTRUCTURE, failure=failure)


def run_calls(session: Session, calls: tuple[ParsedCall, ...]) -> tuple[ToolResult, ...]:
    """Let the world run the calls of an answer, as many as one answer may have.

    Args:
        session: The world.
        calls: The calls; those after the first ``MAX_CALLS`` are refused.

    Returns:
        One result per call.

    Raises:
        InfrastructureError: Something of ours failed.
    """
    results = session.execute(calls[:MAX_CALLS])
    text = f"not run: an answer may hold at most {MAX_CALLS} calls"
    refused: list[ToolResult] = []
    for number, call in enumerate(calls[MAX_CALLS:], MAX_CALLS):
        error = action_error(ErrorCode.EXECUTION, number, call.name, text)
        refused.append(ToolResult(number, ok=False, errors=(error,)))
    return (*results, *refused)

"""What an agent gives when no answer could be had."""

from __future__ import annotations

from dataclasses import dataclass

from toolrl_env.core.types import FailureKind

__all__ = ["NoAnswer"]


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Stands in the place of an answer that could not be had: a request failed, a server is down.

    It is a failure of ours, never a bad answer of the model: the episode has no reward.

    Attributes:
        kind: What failed.
        reason: The same in words.
        stop: Whether no more answers can be had at all (a budget is spent).
    """

    kind: FailureKind
    reason: str
    stop: bool = False

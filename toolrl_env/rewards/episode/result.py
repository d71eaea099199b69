"""What a term of an episode's reward returns, and how amounts are shared out."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from toolrl_env.core.episode import EpisodeRecord, TurnRecord
from toolrl_env.core.types import ParsedAction, Span, TermScore

__all__ = [
    "EpisodeTerm",
    "Share",
    "TermResult",
    "effective_writes",
    "response_span",
    "share_by_progress",
    "share_of_turn",
]


class Share(NamedTuple):
    """A part of a term's score, before the term's weight.

    Attributes:
        turn: Index of the turn that earned it.
        call: Index of the call in that turn, or ``None`` for the turn as a whole.
        amount: How much.
        span: The characters that earned it; ``None``: the call's, or else the whole text.
    """

    turn: int
    call: int | None
    amount: float
    span: Span | None = None


class TermResult(NamedTuple):
    """A term's score for the last turn of a record, and who earned it.

    Attributes:
        term: The score; the same bounds for every answer.
        shares: Parts that add up to ``term.score``. They may lie in earlier turns.
    """

    term: TermScore
    shares: tuple[Share, ...] = ()


EpisodeTerm = Callable[[EpisodeRecord], TermResult]
"""A term: a pure, total function of the record. It scores the last turn only."""


def share_of_turn(record: EpisodeRecord, amount: float) -> tuple[Share, ...]:
    """Give an amount to the last turn as a whole; nothing if it is 0."""
    return (Share(len(record.turns) - 1, None, amount),) if amount else ()


def effective_writes(turn: TurnRecord) -> list[int]:
    """Return the indices of the calls that may have changed the state and did not fail."""
    pairs = zip(turn.writes, turn.results, strict=False)
    return [index for index, (writes, result) in enumerate(pairs) if writes and result.ok]


def share_by_progress(record: EpisodeRecord, amount: float) -> tuple[Share, ...]:
    """Share an amount out over all turns by the goal predicates that each made true, or false.

    A turn's part is ``amount`` times its net gain in predicates over the episode's; within it the
    calls that write share alike, or the turn takes it as a whole where none does. If the episode
    gained nothing, the last turn takes all. Masked turns get nothing.
    """
    gains = [
        0 if turn.masked else sum(turn.progress_after) - sum(turn.progress_before)
        for turn in record.turns
    ]
    total = sum(gains)
    if total <= 0:
        return share_of_turn(record, amount)
    shares: list[Share] = []
    for index, gain in enumerate(gains):
        if gain and amount:
            part = amount * gain / total
            writers = effective_writes(record.turns[index])
            shares += [Share(index, call, part / len(writers)) for call in writers] or [
                Share(index, None, part)
            ]
    return tuple(shares)


def response_span(action: ParsedAction) -> Span:
    """Return where the response stands in the text, or the whole text if there is none."""
    if action.response:
        start = action.text.rfind(action.response)
        if start >= 0:
            return start, start + len(action.response)
    return 0, len(action.text)

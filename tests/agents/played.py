"""Episodes written down by hand, for tests of what is computed from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agents.episode import Episode, Group, SpanCredit, Turn
from toolrl_env.core.types import StopReason

__all__ = ["credit", "episode", "group", "turn"]

WIDTH, GAP = 4, 2


def turn(reward: float = 0.0, state: str = "", *credits_: SpanCredit, masked: bool = False) -> Turn:
    """A turn of WIDTH tokens; its place is set by ``episode``."""
    return Turn((0, WIDTH), "text", reward, {"r": reward}, credits_, state, masked=masked)


def credit(start: int, end: int, amount: float, term: str = "r") -> SpanCredit:
    """A part of a reward, at tokens of the episode."""
    return SpanCredit(term, (start, end), amount)


def episode(*turns: Turn, stop: StopReason | None = StopReason.ANSWERED, failure="") -> Episode:
    """Turns of WIDTH sampled tokens with GAP tokens of context between them."""
    placed = tuple(
        replace(each, tokens=(i * (WIDTH + GAP), i * (WIDTH + GAP) + WIDTH))
        for i, each in enumerate(turns)
    )
    size = max(0, len(turns) * (WIDTH + GAP) - GAP)
    sampled = tuple(i % (WIDTH + GAP) < WIDTH for i in range(size))
    return Episode(
        prompt_ids=(1, 2),
        token_ids=tuple(range(size)),
        sampled=sampled,
        logprobs=tuple(-0.5 * own for own in sampled),
        turns=placed,
        stop_reason=stop,
        failure=failure,
    )


def group(*episodes: Episode) -> Group:
    """Episodes of one task."""
    return Group("task", tuple(episodes))


def per_turn(values: Sequence[Sequence[float]]) -> list[list[float]]:
    """Each turn's advantage, out of token advantages that must be constant in each turn."""
    rows = []
    for row in values:
        found = []
        for start in range(0, len(row), WIDTH + GAP):
            own, gap = row[start : start + WIDTH], row[start + WIDTH : start + WIDTH + GAP]
            assert len({*own}) == 1
            assert not any(gap)
            found.append(round(float(own[0]), 6))
        rows.append(found)
    return rows

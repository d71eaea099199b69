"""Fast constructors of the records of every scoring; see ``toolrl_env.parsing.build``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from toolrl_env.core.types import BreakdownDetail, RewardBreakdown, TermScore

__all__ = ["new_breakdown", "new_term"]

_BREAKDOWN: Any = RewardBreakdown
_TERM: Any = TermScore


class _BreakdownDraft:
    __slots__ = ("detail", "terms", "total")

    def __init__(
        self, total: float, terms: tuple[TermScore, ...], detail: BreakdownDetail | None
    ) -> None:
        self.total = total
        self.terms = terms
        self.detail = detail
        self.__class__ = _BREAKDOWN  # noqa: PLE0237  # not a field


class _TermDraft:
    __slots__ = ("high", "low", "name", "reason", "score", "weight")

    def __init__(
        self, name: str, score: float, low: float, high: float, weight: float, reason: str
    ) -> None:
        self.name = name
        self.score = score
        self.low = low
        self.high = high
        self.weight = weight
        self.reason = reason
        self.__class__ = _TERM  # noqa: PLE0237  # not a field


new_breakdown: Callable[[float, tuple[TermScore, ...], BreakdownDetail | None], RewardBreakdown] = (
    cast("Any", _BreakdownDraft)
)
"""``RewardBreakdown(total, terms, detail)``, positional only."""

new_term: Callable[[str, float, float, float, float, str], TermScore] = cast("Any", _TermDraft)
"""``TermScore(name, score, low, high, weight, reason)``, positional only."""

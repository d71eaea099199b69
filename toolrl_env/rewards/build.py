"""A fast constructor of the breakdown; see ``toolrl_env.parsing.build`` for how and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from toolrl_env.core.types import BreakdownDetail, RewardBreakdown, TermScore

__all__ = ["new_breakdown"]

_BREAKDOWN: Any = RewardBreakdown


class _BreakdownDraft:
    __slots__ = ("detail", "terms", "total")

    def __init__(
        self, total: float, terms: tuple[TermScore, ...], detail: BreakdownDetail | None
    ) -> None:
        self.total = total
        self.terms = terms
        self.detail = detail
        self.__class__ = _BREAKDOWN  # noqa: PLE0237  # not a field


new_breakdown: Callable[[float, tuple[TermScore, ...], BreakdownDetail | None], RewardBreakdown] = (
    cast("Any", _BreakdownDraft)
)
"""``RewardBreakdown(total, terms, detail)``, positional only."""

"""What the toolbox's functions share: bounded argument types and tidy results."""

from __future__ import annotations

import datetime
from typing import Annotated

from toolrl_env.tools.signature import Limits
from toolrl_env.tools.tool import ToolError

__all__ = ["Number", "Numbers", "Positive", "Text", "Words", "read_date", "read_time", "tidy"]

Number = Annotated[float, Limits(-1e12, 1e12)]
Positive = Annotated[float, Limits(0, 1e9)]
Numbers = Annotated[list[Number], Limits(1, 200)]
Text = Annotated[str, Limits(0, 2000)]
Words = Annotated[list[Annotated[str, Limits(0, 200)]], Limits(0, 200)]


def tidy(value: float, digits: int = 4) -> float | int:
    """Round to ``digits`` decimals, and to an ``int`` where that is the same number.

    >>> tidy(2.50004), tidy(3.0)
    (2.5, 3)
    """
    rounded = round(value, digits)
    return int(rounded) if rounded == int(rounded) else rounded


def read_date(text: str) -> datetime.date:
    """Read ``YYYY-MM-DD``.

    Raises:
        ToolError: It is not such a date.
    """
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise ToolError(f"not a date of the form YYYY-MM-DD: {text[:40]!r}") from None


def read_time(text: str) -> int:
    """Read 24-hour ``HH:MM`` as minutes after midnight.

    Raises:
        ToolError: It is not such a time.
    """
    hours, colon, minutes = text.partition(":")
    digits = hours.isascii() and hours.isdigit() and minutes.isascii() and minutes.isdigit()
    if not (colon and digits and len(hours) <= 2 and len(minutes) == 2):
        raise ToolError(f"not a time of the form HH:MM: {text[:40]!r}")
    if int(hours) > 23 or int(minutes) > 59:
        raise ToolError(f"no such time of day: {text!r}")
    return int(hours) * 60 + int(minutes)

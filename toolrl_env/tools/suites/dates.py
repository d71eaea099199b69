"""Dates and times of day. Nothing here asks a clock or knows a time zone by name."""

from __future__ import annotations

import datetime
from typing import Annotated

from toolrl_env.tools.signature import Limits
from toolrl_env.tools.suites.common import read_date, read_time
from toolrl_env.tools.tool import ToolError

__all__ = ["add_days", "add_minutes", "convert_time", "days_between", "is_leap_year", "weekday"]

Short = Annotated[str, Limits(0, 40)]
Offset = Annotated[float, Limits(-12, 14)]
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def days_between(start: Short, end: Short) -> int:
    """Days from one date to another (YYYY-MM-DD).

    Args:
        start: First date, YYYY-MM-DD.
        end: Second date, YYYY-MM-DD.
    """
    return (read_date(end) - read_date(start)).days


def add_days(date: Short, days: Annotated[int, Limits(-100_000, 100_000)]) -> str:
    """Date some days later (YYYY-MM-DD).

    Args:
        date: Date to start from, YYYY-MM-DD.
        days: Days to add; negative to go back.

    Raises:
        ToolError: A date lies outside the years 1 to 9999.
    """
    try:
        return (read_date(date) + datetime.timedelta(days=days)).isoformat()
    except OverflowError:
        raise ToolError("the date would lie outside the years 1 to 9999") from None


def weekday(date: Short) -> str:
    """Day of the week of a date (YYYY-MM-DD).

    Args:
        date: The date, YYYY-MM-DD.
    """
    return _WEEKDAYS[read_date(date).weekday()]


def is_leap_year(year: Annotated[int, Limits(1, 9999)]) -> bool:
    """Whether a year is a leap year.

    Args:
        year: The year.
    """
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def add_minutes(time: Short, minutes: Annotated[int, Limits(-100_000, 100_000)]) -> str:
    """Time of day some minutes later (24-hour HH:MM).

    Args:
        time: Time to start from, HH:MM.
        minutes: Minutes to add; negative to go back.
    """
    return _clock(read_time(time) + minutes)


def convert_time(time: Short, from_offset: Offset, to_offset: Offset) -> str:
    """Move a time (24-hour HH:MM) between UTC offsets.

    Args:
        time: Local time, HH:MM.
        from_offset: UTC offset of that time, in hours.
        to_offset: UTC offset wanted, in hours.
    """
    return _clock(round(read_time(time) + (to_offset - from_offset) * 60))


def _clock(minutes: int) -> str:
    hours, rest = divmod(minutes % 1440, 60)
    return f"{hours:02d}:{rest:02d}"

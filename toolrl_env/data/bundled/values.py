"""Drawing values: what is said (the surface) and what it means (the argument)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from random import Random
from typing import Any, NamedTuple

from toolrl_env.data.bundled.catalogue import Param, parse_value
from toolrl_env.data.months import MONTHS

__all__ = ["Value", "ValueSource"]

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
FIRST_DAY = date(2026, 12, 1)
DAYS = 420
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
HOURS = {"morning": range(8, 12), "evening": range(18, 22), "time": range(6, 23)}
LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"


class Value(NamedTuple):
    """A value as it is said and as it is passed."""

    surface: str
    value: Any


class ValueSource:
    """Draws values for parameters, never the same one twice for things of one kind.

    Args:
        pools: Shared value pools.
        rng: Source of randomness.
    """

    def __init__(self, pools: Mapping[str, Sequence[str]], rng: Random) -> None:
        self._pools = pools
        self._rng = rng
        self._taken: set[tuple[str, str]] = set()

    def draw(self, param: Param) -> Value:
        """Return a value of ``param`` that this source has not returned before.

        Raises:
            ValueError: 400 draws gave none.
        """
        group = str(param.source.get("pool", param.name))
        for _ in range(400):
            value = self._one(param)
            key = (group, repr(value.value))
            if key not in self._taken:
                self._taken.add(key)
                return value
        raise ValueError(f"parameter {param.name!r} has too few different values")

    def _one(self, param: Param) -> Value:
        source = param.source
        if "code" in source:
            code = make_code(source["code"], self._rng)
            return Value(code, code)
        if "range" in source:
            return self._number(param)
        if "items" in source:
            return self._items(param)
        if "v" in source:
            return Value(*parse_value(self._rng.choice(source["v"]), param.kind))
        if "pool" in source:
            return self._pooled(str(source["pool"]), param.kind)
        return Value(*parse_value(self._rng.choice(param.enum), param.kind))

    def _number(self, param: Param) -> Value:
        low, high, *step = param.source["range"]
        number = self._rng.randrange(low, high + 1, *step)
        if param.source.get("words") and number < len(WORDS) and self._rng.random() < 0.6:
            return Value(WORDS[number], number)
        return Value(
            f"{number:,}" if number > 999 and self._rng.random() < 0.5 else str(number), number
        )

    def _items(self, param: Param) -> Value:
        low, high = param.source["count"]
        chosen = self._rng.sample(param.source["items"], self._rng.randint(low, high))
        surface = ", ".join(chosen[:-1]) + " and " + chosen[-1]
        if param.kind == "list[str]":
            return Value(surface, chosen)
        return Value(surface, [parse_value(item, "float")[1] for item in chosen])

    def _pooled(self, pool: str, kind: str) -> Value:
        if pool == "date":
            return say_date(FIRST_DAY + timedelta(days=self._rng.randrange(DAYS)), self._rng)
        if pool in HOURS:
            minute = self._rng.choice((0, 0, 15, 30, 30, 45))
            return say_time(self._rng.choice(HOURS[pool]), minute, self._rng)
        if pool == "person":
            given, family = (self._rng.choice(self._pools[p]) for p in ("given", "family"))
            return Value(f"{given} {family}", f"{given} {family}")
        return Value(*parse_value(self._rng.choice(self._pools[pool]), kind))


def make_code(pattern: str, rng: Random) -> str:
    """Return ``pattern`` with a digit for each ``#`` and a capital letter for each ``@``."""
    digits, letters = "123456789", LETTERS
    return "".join(
        rng.choice(digits) if c == "#" else rng.choice(letters) if c == "@" else c for c in pattern
    )


def say_date(day: date, rng: Random) -> Value:
    """Say ``day`` in one of several ways, always with its year."""
    month, weekday = MONTHS[day.month - 1], WEEKDAYS[day.weekday()]
    ways = (
        f"{day.day} {month} {day.year}",
        f"{day.day} {month} {day.year}",
        f"{month} {ordinal(day.day)}, {day.year}",
        f"{month} {day.day}, {day.year}",
        f"{weekday} {day.day} {month} {day.year}",
        f"{ordinal(day.day)} {month} {day.year}",
        day.isoformat(),
    )
    return Value(rng.choice(ways), day.isoformat())


def ordinal(number: int) -> str:
    """Return e.g. ``"22nd"``."""
    suffix = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if 10 < number % 100 < 14 else suffix}"


def say_time(hour: int, minute: int, rng: Random) -> Value:
    """Say a time of day in one of several unambiguous ways."""
    half = "am" if hour < 12 else "pm"
    short = (hour - 1) % 12 + 1
    ways = [f"{hour:02}:{minute:02}", f"{short}:{minute:02} {half}"]
    if minute == 0:
        ways = [f"{hour:02}:00", f"{short} {half}", f"{short} {half}"]
    if (hour, minute) == (12, 0):
        ways = ["12:00", "noon"]
    elif minute == 0 and short <= 10:
        ways.append(f"{WORDS[short]} {_part_of_day(hour)}")
    elif minute == 30 and short <= 10:
        ways.append(f"half past {WORDS[short]} {_part_of_day(hour)}")
    return Value(rng.choice(ways), f"{hour:02}:{minute:02}")


def _part_of_day(hour: int) -> str:
    if hour < 12:
        return "in the morning"
    return "in the afternoon" if hour < 18 else "in the evening"

"""How values are said: the documented normalisations between a request and a gold argument.

A request states every value, but from level 3 on not always in the form the tool wants:

=========  ==================  ================================================
kind       gold argument       said
=========  ==================  ================================================
number     ``1250``, ``7``     1250; 1,250; from level 4 also "seven" (2 to 12)
date       ``"2024-03-05"``    2024-03-05; 5 March 2024; March 5, 2024; 5 Mar 2024
time       ``"14:30"``         14:30; 2:30 pm
offset     ``5.5``             UTC+5.5; UTC+5:30
unit       ``"kilometres"``    kilometres; km
text       ``"red fox"``       in quotation marks of any style
list       ``["a", "b"]``      a, b; a and b; [a, b]
point      ``[3, 4]``          (3, 4)
=========  ==================  ================================================
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from toolrl_env.data.months import MONTHS

__all__ = ["UNIT_WORDS", "say"]

_NUMBER_WORDS = (
    "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
)  # fmt: skip
UNIT_WORDS = {
    "metres": ("metres", "m"),
    "kilometres": ("kilometres", "km"),
    "miles": ("miles", "mi"),
    "feet": ("feet", "ft"),
    "inches": ("inches", "inches"),
    "grams": ("grams", "g"),
    "kilograms": ("kilograms", "kg"),
    "pounds": ("pounds", "lb"),
    "ounces": ("ounces", "oz"),
    "litres": ("litres", "l"),
    "millilitres": ("millilitres", "ml"),
    "gallons": ("gallons", "gal"),
    "cups": ("cups", "cups"),
    "celsius": ("celsius", "°C"),
    "fahrenheit": ("fahrenheit", "°F"),
    "kelvin": ("kelvin", "K"),
}
"""Each unit as its tool writes it, in full and in short."""


def say(kind: str, value: Any, rng: Random, level: int) -> str:
    """Return words for ``value``.

    Args:
        kind: A key of the table above, ``plain``, or ``""`` to go by the value's type.
        value: The gold argument.
        rng: Picks among the forms that the level allows.
        level: 1 to 5.
    """
    if not kind:
        kind = "text" if isinstance(value, str) else "list" if isinstance(value, list) else "number"
    return _FORMS[kind](value, rng, level)


def _plain(value: Any, rng: Random, level: int) -> str:
    del rng, level
    return str(value)


def _number(value: Any, rng: Random, level: int) -> str:
    if level >= 3 and abs(value) >= 1000 and rng.random() < 0.5:
        return f"{value:,}"
    if level >= 4 and type(value) is int and 2 <= value <= 12 and rng.random() < 0.5:
        return _NUMBER_WORDS[value - 2]
    return str(value)


def _text(value: Any, rng: Random, level: int) -> str:
    opening, closing = ('"', '"') if level < 2 else rng.choice(('""', "''", "“”"))
    return f"{opening}{value}{closing}"


def _list(value: Any, rng: Random, level: int) -> str:
    parts = [str(part) for part in value]
    style = rng.randrange(3)
    if style == 0 and level > 1:
        return f"[{', '.join(parts)}]"
    if style == 1 or len(parts) < 2:
        return ", ".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _date(value: Any, rng: Random, level: int) -> str:
    if level < 3 or rng.random() < 0.25:
        return str(value)
    year, month, day = (int(part) for part in value.split("-"))
    name = MONTHS[month - 1]
    style = rng.randrange(3)
    if style == 0:
        return f"{day} {name} {year}"
    return f"{name} {day}, {year}" if style == 1 else f"{day} {name[:3]} {year}"


def _time(value: Any, rng: Random, level: int) -> str:
    if level < 3 or rng.random() < 0.5:
        return str(value)
    hour, minute = int(value[:2]), value[3:]
    return f"{(hour + 11) % 12 + 1}:{minute} {'am' if hour < 12 else 'pm'}"


def _offset(value: Any, rng: Random, level: int) -> str:
    if level < 3 or rng.random() < 0.5:
        return f"UTC{value:+g}"
    hours, minutes = divmod(round(abs(value) * 60), 60)
    return f"UTC{'-' if value < 0 else '+'}{hours}:{minutes:02d}"


def _unit(value: Any, rng: Random, level: int) -> str:
    return UNIT_WORDS[value][int(level >= 3 and rng.random() < 0.5)]


def _point(value: Any, rng: Random, level: int) -> str:
    del rng, level
    return f"({value[0]}, {value[1]})"


_FORMS: dict[str, Callable[[Any, Random, int], str]] = {
    "plain": _plain,
    "number": _number,
    "text": _text,
    "list": _list,
    "date": _date,
    "time": _time,
    "offset": _offset,
    "unit": _unit,
    "point": _point,
}

"""Drawing arguments: small and plain at level 1, larger and more various towards level 5."""

from __future__ import annotations

import datetime
from random import Random

__all__ = [
    "amount",
    "colour",
    "date",
    "decimal",
    "numbers",
    "phrase",
    "time_of_day",
    "word",
    "words",
]

_VOCABULARY = """
apple river copper lantern window garden silver thunder pocket marble velvet harbour meadow pepper
candle orbit walnut feather granite saddle compass barley cotton dragon ember falcon glacier hammer
island jacket kettle ladder mirror needle orchard paddle quartz ribbon sandal timber violet whistle
anchor basket cradle diesel engine fiddle goblet helmet icicle jungle kernel lemon magnet nectar
oyster pillow quiver rocket spider tunnel urchin vessel willow yonder zephyr bridge cobalt desert
eagle forest guitar honey ivory juniper kitten
"""
WORDS = tuple(_VOCABULARY.split())
_FIRST = datetime.date(1950, 1, 1).toordinal()
_LAST = datetime.date(2049, 12, 31).toordinal()


def word(rng: Random) -> str:
    """Return one word."""
    return rng.choice(WORDS)


def words(rng: Random, low: int, high: int) -> list[str]:
    """Return between ``low`` and ``high`` different words."""
    return rng.sample(WORDS, rng.randint(low, high))


def phrase(rng: Random, level: int) -> str:
    """Return two words at level 1, up to six at level 5."""
    return " ".join(words(rng, 2, 1 + max(level, 1)))


def decimal(rng: Random, low: int, high: int, level: int) -> float | int:
    """Return a number; whole at level 1, at higher levels often with one or two decimals."""
    whole = rng.randint(low, high)
    digits = 0 if level < 2 else rng.choice((0, 1, 1, 2))
    if not digits:
        return whole
    value = round(whole + rng.randint(1, 10**digits - 1) / 10**digits, digits)
    return int(value) if value == int(value) else value


def amount(rng: Random, level: int) -> float | int:
    """Return an amount of money or the like: up to 400 at level 1, up to 20,000 at level 5."""
    return decimal(rng, 10, 400 if level < 3 else 4000 * level, level)


def numbers(rng: Random, level: int) -> list[float | int]:
    """Return three or four whole numbers at level 1, up to eight mixed ones at level 5."""
    return [decimal(rng, 1, 99 * level, level - 1) for _ in range(rng.randint(3, 3 + level))]


def date(rng: Random) -> str:
    """Return a date of 1950 to 2049 as ``YYYY-MM-DD``."""
    return datetime.date.fromordinal(rng.randint(_FIRST, _LAST)).isoformat()


def time_of_day(rng: Random, level: int) -> str:
    """Return a time as ``HH:MM``; on the quarter hour below level 3."""
    minute = rng.randrange(60) if level > 2 else 15 * rng.randrange(4)
    return f"{rng.randrange(24):02d}:{minute:02d}"


def colour(rng: Random) -> str:
    """Return a colour as ``#rrggbb``."""
    return f"#{rng.randrange(1 << 24):06x}"

"""Numbers: shares, divisors, factors and ways to write a number."""

from __future__ import annotations

import math
from typing import Annotated

from toolrl_env.tools.signature import Limits
from toolrl_env.tools.suites.common import Number, tidy
from toolrl_env.tools.tool import ToolError

__all__ = ["gcd", "percent_change", "percent_of", "prime_factors", "roman_numeral", "to_base"]

_ROMAN = (
    (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"),
    (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
)  # fmt: skip
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def percent_of(rate: Number, amount: Number) -> float:
    """Take a percentage of an amount.

    Args:
        rate: The percentage.
        amount: The whole.
    """
    return tidy(rate * amount / 100)


def percent_change(old: Number, new: Number) -> float:
    """Percentage by which a value changed.

    Args:
        old: The value before.
        new: The value after.

    Raises:
        ToolError: The change would start from zero.
    """
    if abs(old) < 1e-9:
        raise ToolError("there is no percentage change from zero")
    return tidy((new - old) / abs(old) * 100)


def gcd(a: Annotated[int, Limits(1, 10**12)], b: Annotated[int, Limits(1, 10**12)]) -> int:
    """Greatest common divisor of two whole numbers.

    Args:
        a: One number.
        b: The other.
    """
    return math.gcd(a, b)


def prime_factors(number: Annotated[int, Limits(2, 10**9)]) -> list[int]:
    """Prime factors of a whole number.

    Args:
        number: What to factorise.
    """
    found: list[int] = []
    rest, divisor = number, 2
    while divisor * divisor <= rest:
        while rest % divisor == 0:
            found.append(divisor)
            rest //= divisor
        divisor += 1 if divisor == 2 else 2
    return [*found, rest] if rest > 1 else found


def roman_numeral(number: Annotated[int, Limits(1, 3999)]) -> str:
    """Write a number in Roman numerals.

    Args:
        number: From 1 to 3999.
    """
    text, rest = "", number
    for value, letters in _ROMAN:
        text += letters * (rest // value)
        rest %= value
    return text


def to_base(number: Annotated[int, Limits(0, 10**12)], base: Annotated[int, Limits(2, 36)]) -> str:
    """Write a whole number in another base.

    Args:
        number: What to write.
        base: From 2 to 36.
    """
    digits, rest = "", number
    while rest:
        digits = _DIGITS[rest % base] + digits
        rest //= base
    return digits or "0"

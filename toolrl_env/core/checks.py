"""Checks of arguments that more than one module makes."""

from __future__ import annotations

import operator

from toolrl_env.core.errors import ConfigurationError

__all__ = ["whole_number"]


def whole_number(name: str, value: object, low: int = 0, high: int | None = None) -> int:
    """Return ``value`` as an ``int`` if it is an integer (NumPy's too) from ``low`` to ``high``.

    Args:
        name: What the error calls it.
        value: What a caller gave. Booleans, floats and strings are no integers here.
        low: Least value allowed.
        high: Greatest value allowed; ``None`` for any.

    Raises:
        ConfigurationError: It is something else; names the value and what is allowed.

    >>> whole_number("level", 2, 1, 3)
    2
    >>> whole_number("level", "2", 1, 3)
    Traceback (most recent call last):
        ...
    toolrl_env.core.errors.ConfigurationError: level='2'; allowed: an integer from 1 to 3
    """
    try:
        number = None if isinstance(value, bool) else operator.index(value)  # pyright: ignore[reportArgumentType]  # what it is, is the question
    except TypeError:
        number = None
    if number is None or number < low or (high is not None and number > high):
        limits = f">= {low}" if high is None else f"from {low} to {high}"
        raise ConfigurationError(f"{name}={value!r:.80}; allowed: an integer {limits}")
    return number

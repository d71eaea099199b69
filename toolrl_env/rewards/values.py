"""When two argument values count as equal: Python's way, strictly, or tolerantly."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

__all__ = ["VALUE_COMPARISONS", "equal_python", "equal_strict", "equal_tolerant", "same_but_type"]

_MAX_DIGITS = 400  # longer texts are never read as numbers


def equal_python(gold: Any, predicted: Any) -> bool:
    """Python's ``==``, as in the paper's code: ``1 == 1.0 == True``, but ``1 != "1"``.

    Exploitable where a schema tells booleans from numbers: ``true`` is paid like ``1``.
    """
    return bool(predicted == gold)


def equal_strict(gold: Any, predicted: Any) -> bool:
    """Equal and of the same JSON type all the way down; integers are not floats.

    >>> equal_strict(1, True), equal_strict([1], [1.0]), equal_strict({"a": "x"}, {"a": "x"})
    (False, False, True)
    """
    return _equal_leaves(gold, predicted, _strict_leaf)


def equal_tolerant(gold: Any, predicted: Any) -> bool:
    """Equal up to how a value is written.

    Numbers compare by value to nine digits, also when one is a text (``70``, ``70.0``, ``"70"``);
    texts compare without case and with runs of white space as one space, none at the ends; booleans
    equal booleans and the texts ``true`` and ``false``. Keys of objects compare exactly.

    >>> equal_tolerant(70, " 70.0"), equal_tolerant("New  York", "new york")
    (True, True)
    """
    return _equal_leaves(gold, predicted, _tolerant_leaf)


def same_but_type(gold: Any, predicted: Any) -> bool:
    """Whether two unequal values differ only in type: ``"70"`` for ``70``, ``true`` for ``1``."""
    if isinstance(gold, str) and isinstance(predicted, str):
        return False
    return equal_python(gold, predicted) or equal_tolerant(gold, predicted)


VALUE_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "python": equal_python,
    "strict": equal_strict,
    "tolerant": equal_tolerant,
}
"""The comparisons by the name that ``RewardConfig.values`` takes; each ``(gold, predicted)``."""


def _equal_leaves(gold: Any, predicted: Any, equal: Callable[[Any, Any], bool]) -> bool:
    """Whether the structures are the same and the leaves are equal; without recursion."""
    pairs: list[tuple[Any, Any]] = [(gold, predicted)]
    while pairs:
        left, right = pairs.pop()
        if isinstance(left, dict) and isinstance(right, dict):
            mine, other = cast("dict[str, Any]", left), cast("dict[str, Any]", right)
            if mine.keys() != other.keys():
                return False
            pairs.extend((value, other[key]) for key, value in mine.items())
        elif isinstance(left, list) and isinstance(right, list):
            items, others = cast("list[Any]", left), cast("list[Any]", right)
            if len(items) != len(others):
                return False
            pairs.extend(zip(items, others, strict=True))
        elif isinstance(left, dict | list) or isinstance(right, dict | list):
            return False  # an object against an array, or either against a leaf
        elif not equal(left, right):
            return False
    return True


def _strict_leaf(gold: Any, predicted: Any) -> bool:
    return type(gold) is type(predicted) and (gold == predicted or _both_nan(gold, predicted))


def _tolerant_leaf(gold: Any, predicted: Any) -> bool:
    if isinstance(gold, str) and isinstance(predicted, str) and _plain(gold) == _plain(predicted):
        return True
    if isinstance(gold, bool) or isinstance(predicted, bool):
        return _truth(gold) is not None and _truth(gold) is _truth(predicted)
    if gold is None or predicted is None:
        return gold is predicted
    return _equal_numbers(_number(gold), _number(predicted))


def _both_nan(gold: Any, predicted: Any) -> bool:
    return isinstance(gold, float) and math.isnan(gold) and math.isnan(predicted)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _truth(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(_plain(value)) if isinstance(value, str) else None


def _number(value: Any) -> int | float | None:
    """Return a number, or a text's number, or ``None``."""
    if isinstance(value, int | float):
        return value
    if not isinstance(value, str) or len(value) > _MAX_DIGITS or "_" in value:
        return None
    for read in (int, float):
        try:
            return read(value)
        except ValueError:
            continue
    return None


def _equal_numbers(gold: float | None, predicted: float | None) -> bool:
    if gold is None or predicted is None:
        return False
    if gold == predicted:
        return True
    try:
        return math.isclose(gold, predicted, rel_tol=1e-9) or _both_nan(gold, predicted)
    except OverflowError:  # an integer beyond the range of floats
        return False

"""Whether executed calls came to what was expected."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

from toolrl_env.core.types import ToolResult

__all__ = ["agreement", "results_agree", "values_agree"]

RELATIVE_TOLERANCE = 1e-6


def values_agree(expected: Any, actual: Any) -> bool:
    """Compare two JSON-like values: floats within 1e-6 relative, booleans apart from numbers.

    >>> values_agree({"total": 3}, {"total": 3.0000000001}), values_agree(True, 1)
    (True, False)
    """
    if isinstance(expected, bool) or isinstance(actual, bool):
        return expected is actual
    if isinstance(expected, int) and isinstance(actual, int):
        return expected == actual
    if isinstance(expected, int | float) and isinstance(actual, int | float):
        return _close(expected, actual)
    if isinstance(expected, list) and isinstance(actual, list):
        left, right = cast("list[Any]", expected), cast("list[Any]", actual)
        return len(left) == len(right) and all(map(values_agree, left, right))
    if isinstance(expected, dict) and isinstance(actual, dict):
        one, two = cast("dict[str, Any]", expected), cast("dict[str, Any]", actual)
        return one.keys() == two.keys() and all(values_agree(one[key], two[key]) for key in one)
    same_kind = isinstance(expected, str) == isinstance(actual, str)
    return same_kind and bool(expected == actual)


def _close(one: float, two: float) -> bool:
    try:
        return math.isclose(one, two, rel_tol=RELATIVE_TOLERANCE, abs_tol=1e-9)
    except OverflowError:  # an int beyond the floats
        return False


def agreement(expected: Sequence[Any], results: Sequence[ToolResult]) -> float:
    """Return how much of what was expected came out, in [0, 1]; the order does not matter.

    The number of expected values that some result (each used once) agrees with, over the greater
    of the two counts: results that nobody asked for, and failed calls, cost as much as missing
    ones. 1.0 if nothing was expected and nothing was called.

    Args:
        expected: The values that the gold calls returned.
        results: The results of the model's calls.
    """
    most = max(len(expected), len(results))
    if most == 0:
        return 1.0
    left = [result.value for result in results if result.ok and result.executed]
    found = 0
    for value in expected:
        at = next((i for i, other in enumerate(left) if values_agree(value, other)), None)
        if at is not None:
            found += 1
            del left[at]
    return found / most


def results_agree(gold_results: Sequence[Any], results: Sequence[ToolResult]) -> bool:
    """Return whether the results are exactly what was expected, in any order.

    >>> results_agree([4], [ToolResult(0, ok=True, value=4, executed=True)])
    True
    """
    return agreement(gold_results, results) == 1.0

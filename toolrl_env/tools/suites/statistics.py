"""Figures that sum up a list of numbers."""

from __future__ import annotations

import statistics

from toolrl_env.tools.suites.common import Numbers, tidy
from toolrl_env.tools.tool import ToolError

__all__ = ["mean", "median", "spread", "std_dev"]


def mean(numbers: Numbers) -> float:
    """Average of some numbers.

    Args:
        numbers: The numbers.
    """
    return tidy(statistics.fmean(numbers))


def median(numbers: Numbers) -> float:
    """Middle value of some numbers.

    Args:
        numbers: The numbers.
    """
    return tidy(statistics.median(numbers))


def spread(numbers: Numbers) -> float:
    """Largest minus smallest of some numbers.

    Args:
        numbers: The numbers.
    """
    return tidy(max(numbers) - min(numbers))


def std_dev(numbers: Numbers, sample: bool = False) -> float:
    """Standard deviation of some numbers.

    Args:
        numbers: The numbers.
        sample: Divide by n - 1 instead of n.

    Raises:
        ToolError: There are fewer than two numbers.
    """
    if not sample:
        return tidy(statistics.pstdev(numbers))
    if len(numbers) < 2:
        raise ToolError("a sample needs at least two numbers")
    return tidy(statistics.stdev(numbers))

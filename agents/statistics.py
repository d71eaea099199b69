"""Bootstrap confidence intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["Interval", "bootstrap_difference", "bootstrap_mean"]


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with its confidence interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        """Return e.g. ``1.60 [1.31, 1.88]``."""
        return f"{self.mean:.2f} [{self.low:.2f}, {self.high:.2f}]"

    def signed(self) -> str:
        """Return e.g. ``+0.60 [-0.10, +1.30]``, for a difference."""
        return f"{self.mean:+.2f} [{self.low:+.2f}, {self.high:+.2f}]"


def bootstrap_mean(
    values: ArrayLike, *, level: float = 0.95, resamples: int = 10_000, seed: int = 0
) -> Interval:
    """Mean with its percentile bootstrap interval.

    Source: Efron and Tibshirani, *An Introduction to the Bootstrap*, 1993, section 13.3.

    Args:
        values: Independent observations, shape [N], N at least 1.
        level: Confidence level, in (0, 1).
        resamples: Bootstrap samples.
        seed: Of the resampling, so that a table can be reproduced.

    >>> str(bootstrap_mean([2.0, 2.0]))
    '2.00 [2.00, 2.00]'
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"values must have shape [N] with N >= 1, not {array.shape}")
    if not 0 < level < 1:
        raise ValueError(f"level must be in (0, 1), not {level}")
    rng = np.random.default_rng(seed)
    means = array[rng.integers(array.size, size=(resamples, array.size))].mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(array.mean()), float(low), float(high))


def bootstrap_difference(before: ArrayLike, after: ArrayLike, **options: float | int) -> Interval:
    """Mean of ``after - before`` on the same tasks (paired), with its bootstrap interval.

    Args:
        before: One value per task, shape [N].
        after: One value per task, in the same order, shape [N].
        **options: As for ``bootstrap_mean``.

    >>> bootstrap_difference([0.0, 1.0], [1.0, 2.0]).mean
    1.0
    """
    first, second = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    if first.shape != second.shape:
        raise ValueError(f"paired values need one shape, not {first.shape} and {second.shape}")
    return bootstrap_mean(second - first, **options)

"""Confidence intervals, a paired test, and what several attempts at a task say."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

__all__ = [
    "Interval",
    "bootstrap_difference",
    "bootstrap_mean",
    "paired_test",
    "pass_at_k",
    "pass_hat_k",
]

_CHUNK = 1 << 22
_EXACT = 12


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
    means = np.empty(resamples)
    rows = max(1, _CHUNK // array.size)
    for start in range(0, resamples, rows):
        part = means[start : start + rows]
        part[:] = array[rng.integers(array.size, size=(part.size, array.size))].mean(axis=1)
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


def paired_test(
    before: ArrayLike, after: ArrayLike, *, resamples: int = 10_000, seed: int = 0
) -> float:
    """Two-sided p-value of the paired sign-flip test of a mean difference of 0.

    If nothing changed, each task's difference is as likely to have either sign. The p-value is the
    share of sign choices whose mean is at least as far from 0 as the one seen; all of them if at
    most 12 differences are not 0, else a sample (with the one seen counted in). On differences
    that are -1, 0 or 1 it is McNemar's exact test.

    Source: Good, *Permutation, Parametric and Bootstrap Tests of Hypotheses*, 2005, section 3.2.

    Args:
        before: One value per task, shape [N].
        after: One value per task, in the same order, shape [N].
        resamples: Sign choices sampled where there are too many to try all.
        seed: Of that sample.

    >>> paired_test([0.0, 0.0, 0.0], [1.0, 1.0, 1.0])
    0.25
    """
    first, second = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    if first.shape != second.shape or first.ndim != 1:
        raise ValueError(f"paired values need one shape [N], not {first.shape} and {second.shape}")
    changes = second - first
    changes = changes[changes != 0]
    size = changes.size
    if size == 0:
        return 1.0
    far = abs(changes.sum()) - 1e-9
    if size <= _EXACT:
        bits = np.arange(1 << size)[:, None] >> np.arange(size) & 1
        return float(np.mean(np.abs((1 - 2 * bits) @ changes) >= far))
    rng = np.random.default_rng(seed)
    extreme, rows = 0, max(1, _CHUNK // size)
    for start in range(0, resamples, rows):
        count = min(rows, resamples - start)
        signs = 1.0 - 2.0 * rng.integers(2, size=(count, size))
        extreme += int(np.sum(np.abs(signs @ changes) >= far))
    return (extreme + 1) / (resamples + 1)


def pass_at_k(attempts: int, successes: int, k: int) -> float:
    r"""Unbiased estimate of the chance that at least one of ``k`` attempts succeeds.

    :math:`1 - \binom{n - c}{k} / \binom{n}{k}`.

    Source: Chen et al., arXiv 2107.03374, equation 1.

    Args:
        attempts: n, attempts made.
        successes: c, how many succeeded, in [0, n].
        k: From 1 to n.

    >>> pass_at_k(4, 1, 2)
    0.5
    """
    _check_counts(attempts, successes, k)
    return 1.0 - math.comb(attempts - successes, k) / math.comb(attempts, k)


def pass_hat_k(attempts: int, successes: int, k: int) -> float:
    r"""Unbiased estimate of the chance that all of ``k`` attempts succeed (``pass^k``).

    :math:`\binom{c}{k} / \binom{n}{k}`.

    Source: Yao et al., tau-bench, arXiv 2406.12045, section 5.1.

    Args:
        attempts: n, attempts made.
        successes: c, how many succeeded, in [0, n].
        k: From 1 to n.

    >>> pass_hat_k(4, 2, 2) == 1 / 6
    True
    """
    _check_counts(attempts, successes, k)
    return math.comb(successes, k) / math.comb(attempts, k)


def _check_counts(attempts: int, successes: int, k: int) -> None:
    if not 1 <= k <= attempts:
        raise ValueError(f"k={k}; allowed: 1 to {attempts}, the number of attempts")
    if not 0 <= successes <= attempts:
        raise ValueError(f"successes={successes}; allowed: 0 to {attempts}")

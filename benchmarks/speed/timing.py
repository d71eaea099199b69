"""Timing that survives a shared machine: interleaved rounds, CPU time, the median ratio."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

__all__ = ["Comparison", "compare"]


@dataclass(frozen=True)
class Comparison:
    """Time per call of several functions, measured in turns within one run; CPU time by default.

    Attributes:
        rounds: For each name, seconds per call in each round.
    """

    rounds: Mapping[str, tuple[float, ...]]

    def seconds(self, name: str) -> float:
        """Return the median seconds per call."""
        return statistics.median(self.rounds[name])

    def speed_ratio(self, name: str, baseline: str) -> float:
        """Return how many times faster ``name`` is than ``baseline``: median over the rounds."""
        pairs = zip(self.rounds[name], self.rounds[baseline], strict=True)
        return statistics.median(base / own for own, base in pairs)


def compare(
    functions: Mapping[str, Callable[[], object]],
    calls: int,
    rounds: int = 7,
    clock: Callable[[], float] = time.process_time,
) -> Comparison:
    """Time each function ``calls`` times a round, in turns, after one warm-up round.

    Args:
        functions: Name to function without arguments.
        calls: Calls per function and round.
        rounds: Measured rounds.
        clock: CPU time of this process; ``time.perf_counter`` where another process does the work.
    """
    found: dict[str, list[float]] = {name: [] for name in functions}
    for measured in [False] + [True] * rounds:
        for name, function in functions.items():
            start = clock()
            for _ in range(calls):
                function()
            if measured:
                found[name].append((clock() - start) / calls)
    return Comparison({name: tuple(values) for name, values in found.items()})

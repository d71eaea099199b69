"""The benchmark of waiting tools runs; what it measures is for no test to judge."""

from __future__ import annotations

from benchmarks.speed.concurrency import of_an_evaluation


def test_an_evaluation_is_timed_under_each_bound():
    table = of_an_evaluation(tasks=3, rounds=1)
    assert list(table.columns[0].cells) == ["1", "4", "16"]
    assert all(float(cell) > 0 for column in table.columns[1:] for cell in column.cells)

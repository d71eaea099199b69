from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.statistics import bootstrap_difference, bootstrap_mean


def test_interval_matches_the_normal_one_on_many_values():
    values = np.random.default_rng(0).normal(2.0, 3.0, 400)
    interval = bootstrap_mean(values)
    half = 1.96 * values.std() / 20
    assert interval.mean == pytest.approx(values.mean())
    assert interval.low == pytest.approx(values.mean() - half, abs=0.03)
    assert interval.high == pytest.approx(values.mean() + half, abs=0.03)


def test_coverage():
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(200):
        interval = bootstrap_mean(rng.random(60), resamples=400)
        hits += interval.low <= 0.5 <= interval.high
    assert 178 <= hits <= 199


@given(st.lists(st.floats(-4, 4), min_size=1, max_size=30))
def test_the_mean_lies_inside(values):
    interval = bootstrap_mean(values, resamples=200)
    assert interval.low - 1e-9 <= interval.mean <= interval.high + 1e-9
    assert min(values) - 1e-9 <= interval.low <= interval.high <= max(values) + 1e-9


def test_pairing_removes_the_spread_between_tasks():
    before = np.random.default_rng(0).normal(0, 10, 50)
    interval = bootstrap_difference(before, before + 0.5)
    assert (interval.mean, interval.low, interval.high) == pytest.approx((0.5, 0.5, 0.5))


def test_reproducible_and_printable():
    assert bootstrap_mean([0.0, 1.0, 5.0]) == bootstrap_mean([0.0, 1.0, 5.0])
    assert str(bootstrap_mean([1.0, 1.0])) == "1.00 [1.00, 1.00]"


@pytest.mark.parametrize("bad", [[], [[1.0]]])
def test_refuses_shapes(bad):
    with pytest.raises(ValueError, match="shape"):
        bootstrap_mean(bad)


def test_refuses_level_and_unpaired():
    with pytest.raises(ValueError, match="level"):
        bootstrap_mean([1.0], level=1.0)
    with pytest.raises(ValueError, match="paired"):
        bootstrap_difference([1.0], [1.0, 2.0])

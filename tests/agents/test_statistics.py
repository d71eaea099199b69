from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents import statistics
from agents.statistics import (
    bootstrap_difference,
    bootstrap_mean,
    paired_test,
    pass_at_k,
    pass_hat_k,
)


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


# --------------------------------------------------------------------------- several attempts


def subsets(n, c, k):
    """Every choice of k of n attempts, of which the first c succeeded."""
    return [[index < c for index in chosen] for chosen in combinations(range(n), k)]


@pytest.mark.parametrize("n", range(1, 7))
def test_pass_at_k_and_pass_hat_k_are_means_over_every_choice(n):
    for c in range(n + 1):
        for k in range(1, n + 1):
            found = subsets(n, c, k)
            some = sum(any(each) for each in found) / len(found)
            every = sum(all(each) for each in found) / len(found)
            assert pass_at_k(n, c, k) == pytest.approx(some)
            assert pass_hat_k(n, c, k) == pytest.approx(every)


def test_they_are_unbiased():
    rng = np.random.default_rng(0)
    n, k, p = 5, 3, 0.3
    counts = rng.binomial(n, p, size=20_000)
    at = np.mean([pass_at_k(n, int(c), k) for c in counts])
    hat = np.mean([pass_hat_k(n, int(c), k) for c in counts])
    assert at == pytest.approx(1 - (1 - p) ** k, abs=0.01)
    assert hat == pytest.approx(p**k, abs=0.01)


@given(st.integers(1, 60), st.data())
def test_one_attempt_is_the_mean_and_more_move_apart(n, data):
    c = data.draw(st.integers(0, n))
    assert pass_at_k(n, c, 1) == pytest.approx(c / n)
    assert pass_hat_k(n, c, 1) == pytest.approx(c / n)
    for k in range(1, n):
        assert pass_at_k(n, c, k) <= pass_at_k(n, c, k + 1) + 1e-12
        assert pass_hat_k(n, c, k + 1) <= pass_hat_k(n, c, k) + 1e-12


@pytest.mark.parametrize("estimate", [pass_at_k, pass_hat_k])
@pytest.mark.parametrize(
    ("arguments", "said"),
    [((3, 1, 0), "k=0"), ((3, 1, 4), "k=4"), ((3, 4, 1), "successes=4"), ((3, -1, 1), "=-1")],
)
def test_impossible_counts_are_refused(estimate, arguments, said):
    with pytest.raises(ValueError, match=said):
        estimate(*arguments)


# --------------------------------------------------------------------------- the paired test


def test_the_paired_test_by_hand():
    assert paired_test([0, 0, 0, 0], [1, 1, 1, 1]) == 2 / 16
    assert paired_test([0, 0, 1], [1, 1, 0]) == 1.0
    assert paired_test([1, 2], [1, 2]) == 1.0
    assert paired_test([0.0], [5.0]) == 1.0


@given(st.lists(st.integers(-1, 1), min_size=1, max_size=10))
def test_on_success_it_is_mcnemars_exact_test(changes):
    gained, lost = changes.count(1), changes.count(-1)
    size = gained + lost
    tail = sum(math.comb(size, i) for i in range(min(gained, lost) + 1)) / 2**size
    expected = min(1.0, 2 * tail) if gained != lost else 1.0
    assert paired_test([0] * len(changes), changes) == pytest.approx(expected)


def test_the_sample_agrees_with_scipy():
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(3)
    before = rng.normal(size=40)
    after = before + rng.normal(0.3, 1.0, size=40)
    exact = stats.permutation_test(
        (after - before,), np.mean, permutation_type="samples", n_resamples=20_000, rng=1
    ).pvalue
    assert paired_test(before, after) == pytest.approx(exact, abs=0.02)
    assert paired_test(before, after) == paired_test(before, after)
    assert paired_test(before, after) == pytest.approx(paired_test(after, before))


def test_under_the_null_it_is_rarely_sure():
    rng = np.random.default_rng(1)
    found = [paired_test(np.zeros(8), rng.normal(size=8)) for _ in range(400)]
    assert 0.02 < np.mean(np.array(found) <= 0.05) < 0.08


def test_pairs_need_one_shape():
    with pytest.raises(ValueError, match="one shape"):
        paired_test([1, 2], [1, 2, 3])


def test_many_values_are_resampled_in_pieces(monkeypatch):
    values = np.random.default_rng(0).normal(size=50)
    whole = bootstrap_mean(values, resamples=200)
    monkeypatch.setattr(statistics, "_CHUNK", 170)
    assert bootstrap_mean(values, resamples=200) == whole

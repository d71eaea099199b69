from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.advantages import (
    ADVANTAGES,
    GROUP_ADVANTAGES,
    batch_advantages,
    dr_grpo,
    gdpo,
    grpo,
    is_informative,
    rebn,
    reinforce_pp,
    reinforce_pp_baseline,
    rloo,
    whiten,
)
from toolrl_env.core.errors import UnknownName

REWARDS = st.lists(st.floats(-4, 5), min_size=1, max_size=16)
BATCH = st.lists(REWARDS, min_size=1, max_size=4).map(lambda b: [np.array(r) for r in b])


def of(name, rewards):
    """One group, by any name; for gdpo its only part is the reward."""
    rewards = np.asarray(rewards, dtype=float)
    table = rewards[:, None] if rewards.ndim == 1 else rewards
    return batch_advantages(name, [rewards], [table])[0]


# --------------------------------------------------------------------------- by hand


def test_grpo_by_hand():
    # mean 2, population variance ((-3)^2 + 1 + 1 + 1) / 4 = 3
    got = grpo(np.array([-1.0, 3.0, 3.0, 3.0]), epsilon=0.0)
    assert got == pytest.approx([-3 / math.sqrt(3), *[1 / math.sqrt(3)] * 3])


def test_grpo_epsilon_shrinks():
    assert grpo(np.array([0.0, 2.0]), epsilon=1.0) == pytest.approx([-0.5, 0.5])


def test_dr_grpo_by_hand():
    assert dr_grpo(np.array([-3.0, 4.0, 2.0])).tolist() == [-4.0, 3.0, 1.0]


def test_rloo_by_hand():
    # the others' means: 3, -0.5, 0.5
    assert rloo(np.array([-3.0, 4.0, 2.0])) == pytest.approx([-6.0, 4.5, 1.5])
    assert rloo(np.array([7.0])).tolist() == [0.0]


def test_reinforce_pp_and_rebn_by_hand():
    batch = [np.array([0.0, 2.0]), np.array([4.0])]
    # mean 2, population variance 8 / 3
    want = [[-2 / math.sqrt(8 / 3), 0.0], [2 / math.sqrt(8 / 3)]]
    for function in (reinforce_pp, rebn):
        got = function(batch, epsilon=0.0)
        assert [part.tolist() for part in got] == [pytest.approx(part) for part in want]


def test_reinforce_pp_baseline_by_hand():
    got = reinforce_pp_baseline([np.array([0.0, 2.0]), np.array([1.0, 7.0])], epsilon=0.0)
    # less the groups' means: -1, 1, -3, 3, with variance 5
    assert np.concatenate(got) == pytest.approx(np.array([-1, 1, -3, 3]) / math.sqrt(5))


def test_gdpo_by_hand():
    # format 0, 1: normalised -1, 1; correctness -3, 3: -1, 1; second group: 1, 1 and 3, -3
    first = np.array([[0.0, -3.0], [1.0, 3.0]])
    second = np.array([[1.0, 3.0], [1.0, -3.0]])
    got = gdpo([first, second], epsilon=0.0)
    # sums -2, 2, 1, -1 with variance 2.5
    assert np.concatenate(got) == pytest.approx(np.array([-2, 2, 1, -1]) / math.sqrt(2.5))
    weighed = gdpo([first, second], np.array([3.0, 1.0]), epsilon=0.0)
    assert np.concatenate(weighed) == pytest.approx(np.array([-4, 4, 1, -1]) / math.sqrt(8.5))


def test_gdpo_tells_apart_what_the_sum_makes_equal():
    # (format, correctness): the second and the third have one total, so GRPO cannot tell them
    table = np.array([[0.0, 0], [1, 0], [0, 1], [1, 0], [1, 1], [1, 1], [1, 1]])
    summed, parted = grpo(table.sum(1)), gdpo([table])[0]
    assert summed[1] == summed[2]
    assert abs(parted[1] - parted[2]) > 0.05


def test_gdpo_with_one_part_is_grpo_whitened():
    batch = [np.array([0.0, 2.0, 3.0]), np.array([1.0, 7.0])]
    got = gdpo([part[:, None] for part in batch])
    want = whiten([grpo(part) for part in batch])
    assert np.concatenate(got) == pytest.approx(np.concatenate(want))


# --------------------------------------------------------------------------- properties


@pytest.mark.parametrize("name", sorted(ADVANTAGES))
@given(REWARDS)
def test_centred_and_ordered(name, rewards):
    got = of(name, rewards)
    assert got.shape == (len(rewards),)
    assert abs(got.sum()) < 1e-6
    order = np.argsort(rewards, kind="stable")
    assert (np.diff(got[order]) >= -1e-12).all()


@given(REWARDS, st.floats(-3, 3))
def test_a_constant_changes_nothing(rewards, shift):
    before, after = dr_grpo(np.array(rewards)), dr_grpo(np.array(rewards) + shift)
    assert after == pytest.approx(before, abs=1e-9)


@given(st.floats(-4, 4), st.integers(1, 9))
def test_equal_rewards_teach_nothing(value, size):
    rewards = np.full(size, value)
    assert not is_informative(rewards)
    assert grpo(rewards).tolist() == [0.0] * size


def test_informative():
    assert is_informative(np.array([1.0, 1.0, 1.5]))
    assert not is_informative(np.array([1.0]))
    assert not is_informative(np.array([]))


@given(BATCH, st.sampled_from(["gdpo", "reinforce++", "reinforce++baseline", "rebn"]))
def test_whitened_over_the_batch(batch, name):
    got = batch_advantages(name, batch, [part[:, None] for part in batch])
    assert [part.shape for part in got] == [part.shape for part in batch]
    everything = np.concatenate(got)
    assert everything.mean() == pytest.approx(0.0, abs=1e-6)
    assert everything.std() <= 1 + 1e-9


@given(BATCH, st.sampled_from(sorted(GROUP_ADVANTAGES)))
def test_a_group_does_not_depend_on_the_others(batch, name):
    together = batch_advantages(name, batch)
    for part, rewards in zip(together, batch, strict=True):
        assert part.tolist() == GROUP_ADVANTAGES[name](rewards).tolist()


@given(REWARDS, st.floats(0.1, 10), st.floats(-3, 3))
def test_scale_and_shift_do_not_matter_to_what_is_normalised(rewards, scale, shift):
    rewards = np.array(rewards)
    if np.ptp(rewards) < 1e-3:
        return
    for name in ("grpo", "reinforce++", "rebn"):
        spread = batch_advantages(name, [rewards * scale + shift])[0]
        assert spread == pytest.approx(batch_advantages(name, [rewards])[0], abs=2e-1, rel=2e-1)


def test_an_empty_batch():
    assert whiten([]) == []
    assert gdpo([]) == []


def test_unknown_name():
    with pytest.raises(UnknownName, match="Did you mean 'rloo'"):
        batch_advantages("rlo", [np.zeros(2)])


@pytest.mark.parametrize(
    ("tables", "weights", "message"),
    [
        ([np.zeros(3)], None, r"\[G, K\]"),
        ([np.zeros((3, 0))], None, "K >= 1"),
        ([np.zeros((3, 2)), np.zeros((3, 1))], None, "one shape"),
        ([np.zeros((3, 2))], np.ones(3), "3 weights for 2 parts"),
    ],
)
def test_gdpo_checks_shapes(tables, weights, message):
    with pytest.raises(ValueError, match=message):
        gdpo(tables, weights)


@pytest.mark.parametrize("bad", [[], [[1.0, 2.0]], [1.0, math.nan], [math.inf, 0.0]])
@pytest.mark.parametrize("name", sorted(ADVANTAGES))
def test_refuses(name, bad):
    if name == "gdpo" and np.ndim(bad) == 2:
        bad = [bad]
    with pytest.raises(ValueError, match=r"must (be|have)"):
        of(name, bad)

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.advantages import ADVANTAGES, dr_grpo, grpo, is_informative

REWARDS = st.lists(st.floats(-4, 5), min_size=1, max_size=16)


def test_grpo_by_hand():
    # mean 2, population variance ((-3)^2 + 1 + 1 + 1) / 4 = 3
    got = grpo(np.array([-1.0, 3.0, 3.0, 3.0]), epsilon=0.0)
    assert got == pytest.approx([-3 / math.sqrt(3), *[1 / math.sqrt(3)] * 3])


def test_grpo_epsilon_shrinks():
    assert grpo(np.array([0.0, 2.0]), epsilon=1.0) == pytest.approx([-0.5, 0.5])


def test_dr_grpo_by_hand():
    assert dr_grpo(np.array([-3.0, 4.0, 2.0])).tolist() == [-4.0, 3.0, 1.0]


@pytest.mark.parametrize("name", sorted(ADVANTAGES))
@given(REWARDS)
def test_centred_and_ordered(name, rewards):
    got = ADVANTAGES[name](np.array(rewards))
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


@pytest.mark.parametrize("bad", [[], [[1.0, 2.0]], [1.0, math.nan], [math.inf, 0.0]])
@pytest.mark.parametrize("name", sorted(ADVANTAGES))
def test_refuses(name, bad):
    with pytest.raises(ValueError, match="rewards must"):
        ADVANTAGES[name](np.array(bad))

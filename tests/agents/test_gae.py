"""GAE over tokens, by hand, above all where a turn ends."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from agents.episode import Episode, Turn
from agents.gae import bootstraps, episode_targets, gae, token_rewards
from toolrl_env.core.types import StopReason


def episode(stop_reason=StopReason.ANSWERED, finished=True):
    """Two turns of two tokens each, with two of the environment's in between."""
    turns = (
        Turn((0, 2), "a", reward=0.5),
        Turn((4, 6), "b", reward=2.0, finished=finished),
    )
    return Episode(
        prompt_ids=(1, 2),
        token_ids=(3, 4, 5, 6, 7, 8),
        sampled=(True, True, False, False, True, True),
        logprobs=(-1.0, -1.0, 0.0, 0.0, -1.0, -1.0),
        turns=turns,
        stop_reason=stop_reason,
    )


VALUES = np.array([1.0, 2.0, 77.0, 88.0, 3.0, 4.0, 10.0])


def test_by_hand():
    got = gae(np.array([0.0, 0.0, 1.0]), np.array([0.5, 0.4, 0.2]), 0.0, gamma=0.9, lam=0.5)
    # deltas: 0.9*0.4-0.5 = -0.14, 0.9*0.2-0.4 = -0.22, 1-0.2 = 0.8; factor 0.45
    assert got == pytest.approx([-0.14 + 0.45 * (-0.22 + 0.45 * 0.8), -0.22 + 0.45 * 0.8, 0.8])


def test_turn_boundaries_by_hand():
    got = episode_targets(episode(), VALUES, gamma=1.0, lam=0.5)
    # actions at 0, 1, 4, 5 with rewards 0, 0.5, 0, 2; the successor of 1 is 4, whatever is between
    d5 = 2.0 - 4.0
    d4 = 4.0 - 3.0
    d1 = 0.5 + 3.0 - 2.0
    d0 = 2.0 - 1.0
    a4 = d4 + 0.5 * d5
    a1 = d1 + 0.5 * a4
    assert got.advantages == pytest.approx([d0 + 0.5 * a1, a1, 0.0, 0.0, a4, d5])
    assert got.returns == pytest.approx([1.0 + d0 + 0.5 * a1, 2.0 + a1, 0.0, 0.0, 3.0 + a4, 2.0])


def test_rewards_arrive_at_the_last_token_of_a_turn():
    assert token_rewards(episode()).tolist() == [0.0, 0.5, 0.0, 0.0, 0.0, 2.0]


@pytest.mark.parametrize(
    ("reason", "cut"),
    [
        (StopReason.ANSWERED, False),
        (StopReason.MALFORMED, False),
        (StopReason.TURN_LIMIT, True),
        (StopReason.CONTEXT_LIMIT, True),
        (None, True),
    ],
)
def test_only_a_cut_episode_bootstraps(reason, cut):
    assert bootstraps(episode(reason)) == cut
    last = episode_targets(episode(reason), VALUES, gamma=0.5, lam=1.0).advantages[-1]
    assert last == pytest.approx(2.0 - 4.0 + (0.5 * 10.0 if cut else 0.0))


def test_an_answer_that_the_token_limit_cut_and_the_environment_judged_has_terminated():
    assert not bootstraps(episode(StopReason.MALFORMED, finished=False))


@given(arrays(float, 6, elements=st.floats(-5, 5)), st.floats(0, 1), st.floats(0, 1))
def test_values_at_context_change_nothing(noise, gamma, lam):
    other = VALUES.copy()
    other[2:4] += noise[2:4]
    one = episode_targets(episode(), VALUES, gamma, lam)
    two = episode_targets(episode(), other, gamma, lam)
    assert one.advantages.tolist() == two.advantages.tolist()
    assert one.returns.tolist() == two.returns.tolist()


@given(
    st.integers(1, 8).flatmap(
        lambda n: st.tuples(*[arrays(float, n, elements=st.floats(-3, 3))] * 2)
    ),
    st.floats(-3, 3),
    st.floats(0, 1),
)
def test_lambda_one_is_the_return_and_lambda_zero_one_step(pair, after, gamma):
    rewards, values = pair
    running, returns = after, []
    for reward in reversed(rewards):
        running = reward + gamma * running
        returns.insert(0, running)
    assert gae(rewards, values, after, gamma, 1.0) + values == pytest.approx(returns, abs=1e-9)
    following = [*values[1:], after]
    one_step = [r + gamma * v - w for r, v, w in zip(rewards, following, values, strict=True)]
    assert gae(rewards, values, after, gamma, 0.0) == pytest.approx(one_step, abs=1e-9)


def test_shapes_and_ranges():
    with pytest.raises(ValueError, match=r"\[N\]"):
        gae(np.zeros(2), np.zeros(3), 0.0, 1.0, 1.0)
    with pytest.raises(ValueError, match="gamma=2"):
        gae(np.zeros(2), np.zeros(2), 0.0, 2.0, 1.0)
    with pytest.raises(ValueError, match=r"\[7\]"):
        episode_targets(episode(), VALUES[:-1], 1.0, 1.0)

"""Rollouts of a vector: every transition is of one episode, none is lost, none is made up."""

from __future__ import annotations

import itertools

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from hypothesis import given, settings
from hypothesis import strategies as st

import toolrl_env  # noqa: F401  # registers the ids
from agents.integrations.vector_rollout import collect, start
from tests.agents.integrations.counting import COUNTING
from toolrl_env.core.errors import ConfigurationError
from toolrl_env.wrappers import CandidateActions, VectorCandidateActions

MODES = [AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP]


def counting(autoreset, mode="sync", num_envs=3, **kwargs):
    return gym.make_vec(
        COUNTING,
        num_envs=num_envs,
        vectorization_mode=mode,
        vector_kwargs={"autoreset_mode": autoreset},
        **kwargs,
    )


def first_allowed(observation, mask):
    return mask.argmax(axis=1), np.zeros(len(mask), np.float32)


def transitions(rollout, env):
    """Return the valid rows of an environment: (episode, time, episode, time after, done, end)."""
    rows = zip(
        rollout.observation[env],
        rollout.following[env],
        rollout.done[env],
        rollout.terminated[env],
        rollout.valid[env],
        rollout.reward[env],
        strict=True,
    )
    return [
        (*map(int, before), *map(int, after), bool(done), bool(end), float(reward))
        for before, after, done, end, valid, reward in rows
        if valid
    ]


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("autoreset", MODES)
@pytest.mark.parametrize("cut", [False, True])
def test_no_transition_crosses_the_end_of_an_episode_and_none_is_lost(mode, autoreset, cut):
    envs = counting(autoreset, mode, lengths=(1, 3, 2), cut=cut)
    moment = start(envs, seed=0)
    seen = {env: [] for env in range(3)}
    for _ in range(4):  # episodes go on from one rollout to the next
        rollout, moment = collect(envs, first_allowed, moment, 5)
        for env, rows in seen.items():
            rows += transitions(rollout, env)
    envs.close()
    for rows in seen.values():
        steps = 20 - (0 if autoreset is AutoresetMode.SAME_STEP else len(ends(rows)))
        assert abs(len(rows) - steps) <= 1  # the last reset may be still to come
        expected = [
            (episode, time) for episode in range(40) for time in range((1, 3, 2)[episode % 3])
        ]
        assert [row[:2] for row in rows] == expected[: len(rows)]
        for episode, time, after, time_after, done, end, reward in rows:
            assert (after, time_after) == (episode, time + 1)
            last = time + 1 == (1, 3, 2)[episode % 3]
            assert done is last
            assert end is (last and not cut)
            assert reward == 10 * episode + time


def ends(rows):
    return [row for row in rows if row[4]]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=4),
    st.integers(1, 12),
    st.sampled_from(MODES),
    st.integers(0, 9),
)
def test_whatever_the_lengths_both_modes_have_the_same_transitions(lengths, steps, mode, fail):
    envs = counting(mode, num_envs=2, lengths=tuple(lengths), fail=fail)
    rollout, _ = collect(envs, first_allowed, start(envs, 0), steps)
    for env in range(2):
        rows = transitions(rollout, env)
        for episode, time, after, time_after, *_ in rows:
            assert (after, time_after) == (episode, time + 1)
            assert 10 * episode + time != fail
        assert len({row[:2] for row in rows}) == len(rows)


@pytest.mark.parametrize("autoreset", MODES)
def test_a_step_in_which_something_of_ours_failed_is_left_out_and_cut_off(autoreset):
    envs = counting(autoreset, num_envs=1, lengths=(3,), fail=12)  # the third step of episode 1
    rollout, _ = collect(envs, first_allowed, start(envs, 0), 9)
    rows = transitions(rollout, 0)
    assert (1, 2) not in [row[:2] for row in rows]
    before = next(row for row in rows if row[:2] == (1, 1))
    assert before[4]  # done: the advantage ends here
    assert not before[5]  # but the value of what followed counts
    assert before[2:4] == (1, 2)
    assert (2, 0) in [row[:2] for row in rows]


@pytest.mark.parametrize("autoreset", MODES)
def test_resets_take_no_action_and_masks_are_of_the_observation_beside_them(autoreset):
    envs = counting(autoreset, lengths=(2, 1))
    rollout, moment = collect(envs, first_allowed, start(envs, 0), 8)
    for env, time in np.argwhere(rollout.valid):
        episode, count = rollout.observation[env, time]
        allowed = int(episode + count) % 2
        assert rollout.mask[env, time].tolist() == [allowed == 0, allowed == 1]
        assert rollout.action[env, time] == allowed
    resets = ~rollout.valid
    assert (rollout.reward[resets] == 0).all()
    assert resets.any() == (autoreset is AutoresetMode.NEXT_STEP)
    assert moment.observation.shape == (3, 2)


@pytest.mark.parametrize("autoreset", MODES)
@pytest.mark.parametrize("native", [True, False])
def test_real_episodes_of_many_turns(autoreset, native):
    kwargs = {"difficulty": 1, "max_turns": 3}
    if native:
        text = gym.make_vec("ToolRL-Workspace-v0", num_envs=2, autoreset_mode=autoreset, **kwargs)
        envs = VectorCandidateActions(text)
    else:
        envs = gym.make_vec(
            "ToolRL-Workspace-v0",
            num_envs=2,
            vectorization_mode="sync",
            vector_kwargs={"autoreset_mode": autoreset},
            wrappers=[CandidateActions],
            **kwargs,
        )
    rng = np.random.default_rng(0)

    def act(observation, mask):
        picked = [rng.choice(np.flatnonzero(row)) if row.any() else 0 for row in mask]
        return np.array(picked), np.zeros(len(mask), np.float32)

    rollout, _ = collect(envs, act, start(envs, 0), 14)
    envs.close()
    assert rollout.done.sum() >= 6
    for env in range(2):
        times = np.flatnonzero(rollout.valid[env])
        for now, later in itertools.pairwise(times):
            same = np.array_equal(rollout.following[env, now], rollout.observation[env, later])
            assert same != bool(rollout.done[env, now])
            assert rollout.mask[env, now][rollout.action[env, now]]


def test_vectors_that_cannot_be_stepped_alone_are_refused():
    with pytest.raises(ConfigurationError, match="allowed: SAME_STEP, NEXT_STEP"):
        start(counting(AutoresetMode.DISABLED), 0)
    with pytest.raises(ConfigurationError, match="CandidateActions"):
        start(gym.make_vec("ToolRL-Toolbox-v0", num_envs=2), 0)
    envs = counting(AutoresetMode.SAME_STEP)
    with pytest.raises(ConfigurationError, match="steps=0"):
        collect(envs, first_allowed, start(envs, 0), 0)

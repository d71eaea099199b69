"""VectorCandidateActions is to a vector what CandidateActions is to each of its environments."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

import toolrl_env  # noqa: F401  # registers the ids
from tests.wrappers.numeric_support import TOOLBOX
from toolrl_env.core.errors import ConfigurationError
from toolrl_env.wrappers import CandidateActions, VectorCandidateActions

pytestmark = pytest.mark.filterwarnings("ignore::toolrl_env.data.SampleDataWarning")
N = 12
WORLDS = [
    (TOOLBOX, {"difficulty": 1}),
    ("ToolRL-Workspace-v0", {"difficulty": 1, "max_turns": 3}),
    ("ToolRL-ToolACE-v0", {"mode": "multi_turn"}),
]


def native(env_id=TOOLBOX, num_envs=3, n=N, **kwargs):
    return VectorCandidateActions(gym.make_vec(env_id, num_envs=num_envs, **kwargs), n)


def of_wrapped(mode, env_id, kwargs, autoreset):
    """Return Gymnasium's own vector of wrapped environments."""
    return gym.make_vec(
        env_id,
        num_envs=3,
        vectorization_mode=mode,
        vector_kwargs={"autoreset_mode": autoreset},
        wrappers=[lambda env: CandidateActions(env, N)],
        **kwargs,
    )


def chosen(infos, rng):
    """Draw an action that each mask allows, or, now and then, one that it does not."""
    return np.array(
        [
            rng.choice(np.flatnonzero(mask)) if mask.any() and rng.random() < 0.9 else N - 1
            for mask in infos["action_mask"]
        ]
    )


def assert_same(one, other):
    """Compare whatever either has, arrays of objects and dicts in dicts included."""
    if isinstance(one, dict):
        assert set(one) == set(other)
        for key in one:
            if key not in ("results", "breakdown", "errors"):  # of their own identity
                assert_same(one[key], other[key])
        return
    if isinstance(one, np.ndarray) and one.dtype == object:
        assert one.shape == other.shape
        for mine, theirs in zip(one, other, strict=True):
            assert_same(mine, theirs)
        return
    np.testing.assert_equal(one, other)


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("autoreset", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
@pytest.mark.parametrize(("env_id", "kwargs"), WORLDS)
def test_every_mode_of_make_vec_plays_the_same_episodes(mode, autoreset, env_id, kwargs):
    ours = native(env_id, autoreset_mode=autoreset, **kwargs)
    theirs = of_wrapped(mode, env_id, kwargs, autoreset)
    assert ours.single_action_space == theirs.single_action_space
    assert ours.single_observation_space == theirs.single_observation_space
    assert ours.observation_space == theirs.observation_space
    assert theirs.get_attr("layout")[0] == ours.layout
    rng = np.random.default_rng(0)
    mine, other = ours.reset(seed=4), theirs.reset(seed=4)
    ends = 0
    for _ in range(10):
        assert mine[0].dtype == np.float32
        assert_same(mine[0], other[0])
        assert_same(mine[-1], other[-1])
        actions = chosen(mine[-1], rng)
        mine, other = ours.step(actions), theirs.step(actions)
        for one, two in zip(mine[1:4], other[1:4], strict=True):
            np.testing.assert_array_equal(one, two)
        ends += int((mine[2] | mine[3]).sum())
    assert ends > 2
    ours.close()
    theirs.close()


def test_some_are_reset_and_the_others_stay():
    envs = native(autoreset_mode=AutoresetMode.DISABLED)
    envs.reset(seed=0)
    observations, *_ = envs.step(np.zeros(3, int))
    assert not observations.any()
    mask = np.array([True, False, True])
    after, infos = envs.reset(seed=7, options={"reset_mask": mask})
    np.testing.assert_array_equal(infos["_action_mask"], mask)
    assert after[0].any()
    assert after[2].any()
    assert not after[1].any()
    with pytest.raises(ConfigurationError, match=r"\[1\] are finished"):
        envs.step([0, 0, 0])


def test_what_is_shown_cannot_be_spoilt_by_who_looks():
    envs = native()
    observations, infos = envs.reset(seed=0)
    observations[:] = 3.0
    infos["action_mask"][:] = False
    again, *_, infos = envs.step(np.full(3, N - 1))
    assert infos["action_mask"].any(axis=1).all()
    assert not (again == 3.0).all()


def test_unreadable_actions_are_refused_before_any_environment_takes_one():
    envs = native()
    _, infos = envs.reset(seed=0)
    for actions in ([0, 0], [0, 0, N], [0, 0, 1.5], [0, True, 0]):
        with pytest.raises(ConfigurationError):
            envs.step(actions)
    _, rewards, *_ = envs.step([0, 0, 0])
    assert (rewards == -3.0).all()
    assert infos["_action_mask"].all()


def test_an_empty_place_sends_an_empty_answer():
    envs = native(n=200)
    _, infos = envs.reset(seed=0)
    *_, infos = envs.step(np.full(3, 199))
    assert infos["answer"].tolist() == ["", "", ""]


def test_other_vectors_are_told_what_to_use():
    sync = gym.make_vec(TOOLBOX, num_envs=2, vectorization_mode="sync")
    with pytest.raises(ConfigurationError, match=r"wrappers=\[CandidateActions\]"):
        VectorCandidateActions(sync)
    with pytest.raises(ConfigurationError, match="n=1"):
        VectorCandidateActions(gym.make_vec(TOOLBOX, num_envs=2), 1)


def test_what_was_returned_does_not_change_later():
    envs = VectorCandidateActions(gym.make_vec("ToolRL-Toolbox-v0", num_envs=2), n=8)
    shown = [envs.reset(seed=0)[0]]
    kept = [shown[0].copy()]
    for _ in range(3):
        observation, *_ = envs.step([0, 0])
        shown.append(observation)
        kept.append(observation.copy())
    np.testing.assert_array_equal(shown, kept)
    assert not np.array_equal(kept[0], kept[1])

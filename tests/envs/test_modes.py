"""``mode=``: which environment an id makes."""

from __future__ import annotations

import pickle
import warnings

import gymnasium as gym
import pytest

import toolrl_env  # noqa: F401  # registers the ids
from toolrl_env.core.errors import ConfigurationError, UnknownName
from toolrl_env.data import SampleDataWarning
from toolrl_env.envs.dialogue import DialogueEnv
from toolrl_env.envs.modes import MODES, EnvMaker
from toolrl_env.envs.toolace import ToolACEDialogueEnv, ToolACEEnv, make_toolace

WITH_DIALOGUES = ["ToolRL-ToolACE-v0", "ToolRL-RLLA-v0", "ToolRL-APIBank-v0"]
WITHOUT = ["ToolRL-XLAM-v0", "ToolRL-Hammer-v0"]


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SampleDataWarning)
        yield


@pytest.mark.parametrize("env_id", WITH_DIALOGUES)
def test_the_mode_picks_the_class(env_id):
    assert isinstance(gym.make(env_id, mode="multi_turn").unwrapped, DialogueEnv)
    for kwargs in ({}, {"mode": "single_turn"}):
        assert not isinstance(gym.make(env_id, **kwargs).unwrapped, DialogueEnv)


@pytest.mark.parametrize("env_id", WITHOUT)
def test_a_dataset_of_single_steps_has_one_mode_and_says_why(env_id):
    with pytest.raises(ConfigurationError, match="nothing was recorded after it"):
        gym.make(env_id, mode="multi_turn")
    assert gym.make(env_id, mode="single_turn").unwrapped.tasks.size > 0


@pytest.mark.parametrize("env_id", [*WITH_DIALOGUES, *WITHOUT])
@pytest.mark.parametrize("mode", ["multiturn", "", None, 3])
def test_another_mode_is_an_error(env_id, mode):
    with pytest.raises(UnknownName, match="multi_turn, single_turn"):
        gym.make(env_id, mode=mode)


@pytest.mark.parametrize("vectorization", ["vector_entry_point", "sync", "async"])
def test_vectors_take_the_mode(vectorization):
    envs = gym.make_vec(
        "ToolRL-ToolACE-v0", num_envs=2, vectorization_mode=vectorization, mode="multi_turn"
    )
    try:
        envs.reset(seed=0)
        _, _, terminated, _, infos = envs.step(("a", "b"))
        assert infos["turn"].tolist() == [1, 1]
        assert not terminated.any()
    finally:
        envs.close()


def test_a_vector_of_an_impossible_mode_is_refused():
    with pytest.raises(ConfigurationError, match="xlam"):
        gym.make_vec("ToolRL-XLAM-v0", num_envs=2, mode="multi_turn")


def test_a_maker_tells_gymnasium_the_render_modes_and_pickles():
    assert make_toolace.metadata is ToolACEEnv.metadata
    assert pickle.loads(pickle.dumps(make_toolace)) == EnvMaker(ToolACEEnv, ToolACEDialogueEnv)
    assert MODES == ("single_turn", "multi_turn")
    assert (
        gym.make("ToolRL-ToolACE-v0", mode="multi_turn", render_mode="ansi").render_mode == "ansi"
    )

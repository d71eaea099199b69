"""The native vector environment beyond what the contract tests ask of every id."""

from __future__ import annotations

import copy
import pickle

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import data_equivalence

from tests.envs.conftest import CALL
from toolrl_env.core.errors import ConfigurationError, WrongActionType
from toolrl_env.envs.single_turn import SingleTurnEnv
from toolrl_env.envs.vector import ToolVectorEnv


class HandVectorEnv(ToolVectorEnv):
    env_class = SingleTurnEnv


@pytest.fixture
def envs(tasks):
    return HandVectorEnv(num_envs=3, tasks=tasks)


def test_each_environment_can_have_its_own_task(envs):
    _, infos = envs.reset(options={"task_index": [2, 0, 1]})
    assert infos["task_index"].tolist() == [2, 0, 1]
    _, infos = envs.reset(options={"task_id": ["hand-1"] * 3})
    assert infos["task_index"].tolist() == [1, 1, 1]
    _, infos = envs.reset(options={"task_index": 0, "training_step": 7})
    assert envs.get_attr("training_step") == (7, 7, 7)


def test_rewards_vectorise_and_the_final_answer_stays(envs):
    envs.reset(options={"task_index": 0})
    texts, rewards, terminations, truncations, infos = envs.step([CALL, "x", CALL])
    assert rewards.tolist() == [4.0, -3.0, 4.0]
    assert infos["reward"]["correctness"].tolist() == [3.0, -3.0, 3.0]
    assert infos["breakdown"][0].total == 4.0
    assert terminations.all()
    assert not truncations.any()
    assert texts[0].endswith(CALL)


def test_unseeded_environments_draw_different_tasks(envs):
    drawn = {tuple(envs.reset()[1]["task_index"].tolist()) for _ in range(20)}
    assert any(len(set(row)) > 1 for row in drawn)


def test_attributes_and_calls(envs):
    envs.reset(seed=0)
    envs.set_attr("training_step", [1, 2, 3])
    assert envs.get_attr("training_step") == (1, 2, 3)
    assert envs.call("training_step") == (1, 2, 3)
    assert len(envs.call("fork", 2)[0]) == 2
    envs.set_attr("training_step", 9)
    assert envs.get_attr("training_step") == (9, 9, 9)


@pytest.mark.parametrize(
    ("misuse", "said"),
    [
        (lambda e: e.step(["x"]), "1 actions for 3"),
        (lambda e: e.reset(seed=[1, 2]), "seed has 2 entries for 3"),
        (lambda e: e.reset(options={"task_index": [0]}), "task_index has 1 entries"),
        (lambda e: e.reset(options={"reset_mask": np.zeros(3, bool)}), "reset_mask"),
        (lambda e: e.reset(options={"reset_mask": np.ones(2, bool)}), "reset_mask"),
        (lambda e: e.set_attr("training_step", [1]), "training_step has 1"),
        (lambda e: e.reset(options={"task_indx": 1}), "task_index"),
        (lambda e: e.reset(seed="a"), "seed='a'"),
        (lambda e: e.reset(seed=1.5), "seed=1.5"),
        (lambda e: e.reset(seed=-1), "seed=-1"),
        (lambda e: HandVectorEnv(2, "NextStp", tasks=e.envs[0].tasks), "Did you mean 'NextStep'"),
    ],
)
def test_misuse_says_what_is_wrong(envs, misuse, said):
    envs.reset(seed=0)
    with pytest.raises(ConfigurationError, match=said):
        misuse(envs)


@pytest.mark.parametrize("actions", ["xyz", None, 3, {"x", "y", "z"}, ["x", None, "z"]])
def test_actions_of_a_wrong_type_are_refused_before_any_is_taken(envs, actions):
    envs.reset(seed=0)
    before = envs.call("snapshot")
    with pytest.raises(WrongActionType):
        envs.step(actions)
    assert envs.call("snapshot") == before
    assert envs.step(np.array(["x"] * 3, dtype=object))[2].all()


def test_a_finished_environment_may_be_given_anything(envs):
    envs.reset(seed=0)
    envs.step(["x"] * 3)
    assert not envs.step([None] * 3)[2].any()


def test_it_pickles_and_copies_in_mid_episode(envs):
    envs.reset(seed=0)
    twins = [pickle.loads(pickle.dumps(envs)), copy.deepcopy(envs)]
    for _ in range(3):
        expected = envs.step([CALL, "x", CALL])
        for twin in twins:
            assert data_equivalence(twin.step([CALL, "x", CALL]), expected, exact=True)
    assert len({id(env.tasks) for env in twins[0].envs}) == 1


@pytest.mark.parametrize("num_envs", [0, -1, True, 2.5, "2", None])
def test_num_envs_must_be_positive(tasks, num_envs):
    with pytest.raises(ConfigurationError, match="num_envs"):
        HandVectorEnv(num_envs=num_envs, tasks=tasks)


def test_seeds_are_those_of_single_environments(envs, tasks):
    texts, _ = envs.reset(seed=5)
    singles = [SingleTurnEnv(tasks).reset(seed=5 + i)[0] for i in range(3)]
    assert list(texts) == singles
    texts, _ = envs.reset(seed=[8, None, 9])
    assert texts[0] == SingleTurnEnv(tasks).reset(seed=8)[0]


def test_it_is_a_vector_environment_with_batched_spaces(envs):
    assert isinstance(envs, gym.vector.VectorEnv)
    assert envs.metadata["autoreset_mode"] is gym.vector.AutoresetMode.NEXT_STEP
    texts, _ = envs.reset(seed=0)
    assert texts in envs.observation_space
    assert envs.action_space.sample() in envs.action_space
    envs.close()
    assert envs.closed

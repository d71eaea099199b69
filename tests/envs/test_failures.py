"""A failure of ours in a single-turn environment: masked, never a reward, and nobody else's."""

from __future__ import annotations

import gymnasium as gym
import pytest

import toolrl_env  # noqa: F401  # registers the ids
from tests.envs.conftest import CALL
from toolrl_env.core.errors import InfrastructureError
from toolrl_env.core.types import FailureKind, StopReason
from toolrl_env.envs.single_turn import SingleTurnEnv
from toolrl_env.envs.vector import ToolVectorEnv
from toolrl_env.rewards import RewardConfig
from toolrl_env.rewards.episode.score import MASKED


class Broken(SingleTurnEnv):
    """Fails whenever the answer says so."""

    def run_calls(self, current, action):
        for kind in FailureKind:
            if kind.value in action.text:
                raise InfrastructureError(f"the {kind.value} of it all", kind)
        return super().run_calls(current, action)


def answer(kind):
    return CALL.replace("Weather is asked for.", kind)


@pytest.mark.parametrize("kind", FailureKind)
@pytest.mark.parametrize("reward", ["toolrl", "length"])
def test_a_failure_masks_the_step(tasks, kind, reward):
    env = Broken(tasks, reward=reward)
    env.reset(options={"task_index": 0})
    observation, reward, terminated, truncated, info = env.step(answer(kind.value))
    assert (reward, terminated, truncated) == (0.0, False, True)
    assert observation.endswith(answer(kind.value))
    assert info["mask_sample"]
    assert info["failure_kind"] == kind.value
    assert info["failure"] == f"the {kind.value} of it all"
    assert info["stop_reason"] == StopReason.INFRASTRUCTURE
    assert (info["results"], info["errors"]) == ((), ())
    for term in info["breakdown"].terms:
        assert (term.score, term.low, term.high, term.reason) == (0.0, 0.0, 0.0, MASKED)
    with pytest.raises(gym.error.ResetNeeded):
        env.step("x")


def test_without_a_failure_nothing_is_masked(tasks):
    env = Broken(tasks)
    env.reset(options={"task_index": 0})
    *_, info = env.step(CALL)
    assert (info["mask_sample"], info["failure_kind"], info["failure"]) == (False, None, None)


def test_a_term_of_ones_own_that_reaches_a_broken_judge_masks_too(tasks):
    def judged(context):
        raise InfrastructureError("the judge is down", FailureKind.SERVER_DOWN)

    env = SingleTurnEnv(tasks, reward=RewardConfig(extra_terms=(judged,)))
    env.reset(options={"task_index": 0})
    *_, info = env.step(CALL)
    assert info["failure_kind"] == FailureKind.SERVER_DOWN
    assert [term.name for term in info["breakdown"].terms] == ["format", "correctness"]


def test_the_other_environments_of_a_vector_keep_their_step(tasks):
    class Vector(ToolVectorEnv):
        env_class = Broken

    envs = Vector(3, tasks=tasks)
    envs.reset(options={"task_index": [0, 0, 0]})
    _, rewards, terminations, truncations, infos = envs.step([CALL, answer("timeout"), CALL])
    assert rewards.tolist() == [4.0, 0.0, 4.0]
    assert terminations.tolist() == [True, False, True]
    assert truncations.tolist() == [False, True, False]
    assert infos["mask_sample"].tolist() == [False, True, False]
    envs.step([CALL] * 3)
    *_, infos = envs.step([CALL] * 3)
    assert infos["mask_sample"].tolist() == [False, False, False]


def test_a_crashing_tool_of_the_toolbox_is_masked(monkeypatch):
    env = gym.make("ToolRL-Toolbox-v0", difficulty=1)
    source = env.unwrapped.tasks
    index = next(i for i in range(100) if source[i].gold.has_call)
    env.reset(options={"task_index": index})
    tools = source.tools_for(env.unwrapped.task)
    broken = [type(tool)(tool.spec, lambda **_: 1 / 0) for tool in tools]
    monkeypatch.setattr(type(source), "tools_for", lambda self, task: broken)
    *_, truncated, info = env.step(env.unwrapped.gold_answer())
    assert truncated
    assert info["failure_kind"] == FailureKind.TOOL_CRASHED
    assert "ZeroDivisionError" in info["failure"]
    assert not info["solved"]

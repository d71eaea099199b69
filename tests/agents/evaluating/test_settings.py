from __future__ import annotations

import dataclasses
import json

import gymnasium as gym
import pytest

import toolrl_env
from agents.evaluating.settings import Settings, choose_tasks, gather
from agents.files import source_hash
from tests.agents.evaluating import flaky
from toolrl_env.core.errors import ConfigurationError, DataError, InfrastructureError
from toolrl_env.core.types import FailureKind
from toolrl_env.rewards import RewardConfig


def make(name="ToolRL-Toolbox-v0", **kwargs):
    return gym.make(name, **kwargs).unwrapped


def settings(env, tasks=(0, 1), **changes):
    given = {"attempts": 1, "seed": 0, "agent": "gold", "agent_settings": {}, **changes}
    return gather(env, tasks, **given)


def test_tasks_of_a_finite_set():
    tasks = make("ToolRL-ToolACE-v0").tasks
    every = tuple(range(tasks.size))
    assert choose_tasks(tasks, 0, 3) == choose_tasks(tasks, 10**6, 3) == every
    some = choose_tasks(tasks, 10, 3)
    assert len(set(some)) == 10
    assert some == choose_tasks(tasks, 10, 3) != choose_tasks(tasks, 10, 4)
    assert set(some) <= set(every)


def test_tasks_of_an_endless_source():
    tasks = make().tasks
    some = choose_tasks(tasks, 10, 3)
    assert len(set(some)) == 10
    assert some == choose_tasks(tasks, 10, 3) != choose_tasks(tasks, 10, 4)
    with pytest.raises(ConfigurationError, match="no end of tasks"):
        choose_tasks(tasks, 0, 3)


def test_they_survive_a_file(tmp_path):
    env = make(reward=RewardConfig(length=True), strict=True, template="short")
    found = settings(env, agent_settings={"model": "m"})
    assert found.template == '"short"'
    assert found.reward["length"] is True
    assert found.reward["extra_terms"] == ["toolrl_env.rewards.terms.validation"]
    again = Settings.from_json(json.loads(json.dumps(found.as_json())), tmp_path)
    assert again.differences(found) == {}
    assert again.as_json() == found.as_json()
    with pytest.raises(DataError, match="fields"):
        Settings.from_json({"env_id": "x"}, tmp_path)


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"difficulty": 2}, {"env_kwargs.difficulty", "fingerprint", "prompt_sha256"}),
        ({"protocol": "native"}, {"env_kwargs.protocol", "protocol", "prompt_sha256"}),
        ({"template": "short"}, {"env_kwargs.template", "template", "prompt_sha256"}),
        ({"reward": "coarse"}, {"env_kwargs.reward", "reward.granularity"}),
    ],
)
def test_differences_are_named(changes, names):
    assert names <= set(settings(make()).differences(settings(make(**changes))))


def test_an_episode_reward_is_described_whole():
    found = settings(make("ToolRL-Workspace-v0"))
    assert found.reward
    json.dumps(found.as_json())
    other = dataclasses.replace(found, reward={**found.reward, "outcome": 9.0})
    assert list(found.differences(other)) == ["reward.outcome"]


def test_the_module_of_an_environment_from_elsewhere_is_part_of_it():
    assert "env_source_sha256" not in settings(make()).versions
    found = settings(make(flaky.FLAKY)).versions
    assert found["env_source_sha256"] == source_hash(flaky)


def test_the_code_and_the_libraries_are_part_of_it():
    versions = settings(make()).versions
    assert len(versions["code_sha256"]) == 64
    assert versions["toolrl_env"] == toolrl_env.__version__
    assert versions["numpy"]


def test_a_task_that_cannot_be_shown_is_named(monkeypatch):
    env = make()
    honest = type(env).reset

    def reset(self, *, seed=None, options=None):
        if options["task_index"] == 7:
            raise InfrastructureError("no server", FailureKind.SERVER_DOWN)
        return honest(self, seed=seed, options=options)

    monkeypatch.setattr(type(env), "reset", reset)
    settings(env, [3, 5])
    with pytest.raises(InfrastructureError, match=r"task 7 cannot be shown.*no server") as raised:
        settings(env, [3, 7])
    assert raised.value.kind is FailureKind.SERVER_DOWN

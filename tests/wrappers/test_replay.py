"""Replaying recorded episodes: equal ones pass, and every kind of difference is found and told."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import gymnasium as gym
import pytest

import toolrl_env  # noqa: F401  # registers the ids
from toolrl_env.core.errors import DataError, ReplayMismatch, UnknownName
from toolrl_env.core.types import StopReason
from toolrl_env.rewards import RewardConfig
from toolrl_env.wrappers import RecordTrajectories, Replayer, read_trajectories, replay_trajectory

pytestmark = pytest.mark.filterwarnings("ignore::toolrl_env.data.SampleDataWarning")

IDS = sorted(name for name in gym.registry if name.startswith("ToolRL-"))
ACTIONS = ("gold", "", "junk \ud800 \U0001f600", "<tool_call>\n{\n</tool_call>")


def record(path, env_id, actions=ACTIONS, **kwargs):
    env = RecordTrajectories(gym.make(env_id, **kwargs), path)
    for seed, action in enumerate(actions):
        env.reset(seed=seed)
        env.step(env.unwrapped.gold_answer() if action == "gold" else action)
    return read_trajectories(path)


@pytest.fixture(scope="module")
def trajectory(tmp_path_factory):
    """One recorded perfect answer."""
    path = tmp_path_factory.mktemp("replay") / "t.jsonl"
    return record(path, "ToolRL-XLAM-v0", ["gold"])[0]


@pytest.mark.parametrize("env_id", IDS)
def test_every_environment_replays(env_id, tmp_path):
    for found in record(tmp_path / "t.jsonl", env_id):
        replay_trajectory(found)


@pytest.mark.parametrize(
    "kwargs",
    [
        {"protocol": "native"},
        {"protocol": "python", "strict": True},
        {"reward": "f1", "split": "test"},
        {"reward": RewardConfig(length=True, dynamic_length=True), "template": "short"},
        {"max_chars": 100},
    ],
)
def test_arguments_are_part_of_the_replay(kwargs, tmp_path):
    replayer = Replayer()
    for found in record(tmp_path / "t.jsonl", "ToolRL-ToolACE-v0", **kwargs):
        replayer.replay(found)


def test_it_replays_in_another_process(tmp_path):
    path = tmp_path / "t.jsonl"
    record(path, "ToolRL-Toolbox-v0")
    code = (
        "import sys, toolrl_env\n"
        "from toolrl_env.wrappers import read_trajectories, replay_trajectory\n"
        "print(len([replay_trajectory(t) for t in read_trajectories(sys.argv[1])]))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, check=True
    )
    assert run.stdout == f"{len(ACTIONS)}\n"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"reward": 3.5}, "step 0: reward: recorded 3.5, now 4.0"),
        ({"components": {"total": 4.0, "format": 1.0}}, "component correctness: recorded None"),
        ({"terminated": False}, "terminated: recorded False, now True"),
        ({"truncated": True}, "truncated: recorded True, now False"),
        ({"stop_reason": StopReason.MALFORMED}, "stop_reason: recorded"),
        ({"action": "junk"}, "next_observation: differs from character"),
        ({"observation": "other"}, "observation: differs from character 0"),
    ],
)
def test_every_difference_is_found(trajectory, change, said):
    (step,) = trajectory.transitions
    changed = replace(trajectory, transitions=(replace(step, **change),))
    with pytest.raises(ReplayMismatch) as caught:
        replay_trajectory(changed)
    assert said in str(caught.value)
    assert trajectory.task_id in str(caught.value)


def test_a_difference_of_text_shows_both_sides_at_the_place(trajectory):
    (step,) = trajectory.transitions
    place = len(step.observation) - 40
    text = step.observation[:place] + "#" + step.observation[place + 1 :]
    changed = replace(trajectory, transitions=(replace(step, observation=text),))
    with pytest.raises(ReplayMismatch, match=f"character {place} ") as caught:
        replay_trajectory(changed)
    recorded, now = str(caught.value).splitlines()[-2:]
    assert "#" in recorded
    assert "#" not in now


def test_a_text_that_goes_on_longer_differs_at_its_end(trajectory):
    (step,) = trajectory.transitions
    longer = replace(step, observation=step.observation + "x")
    with pytest.raises(ReplayMismatch, match=f"character {len(step.observation)} "):
        replay_trajectory(replace(trajectory, transitions=(longer,)))


def test_steps_after_the_end_are_a_difference(trajectory):
    with pytest.raises(ReplayMismatch, match="ends here, 1 recorded steps follow"):
        replay_trajectory(replace(trajectory, transitions=trajectory.transitions * 2))


def test_other_tasks_are_a_difference(trajectory):
    with pytest.raises(ReplayMismatch, match="task set is another"):
        replay_trajectory(replace(trajectory, fingerprint="0" * 64))
    with pytest.raises(ReplayMismatch, match="no task 'x'"):
        replay_trajectory(replace(trajectory, task_id="x"))


def test_a_file_cannot_name_what_is_not_registered(trajectory):
    with pytest.raises(UnknownName, match="Did you mean 'ToolRL-XLAM-v0'"):
        replay_trajectory(replace(trajectory, env_id="ToolRL-XLAM-v1"))
    with pytest.raises(UnknownName):
        replay_trajectory(replace(trajectory, env_id="antigravity:ToolRL-XLAM-v0"))
    with pytest.raises(DataError, match="no environment that trajectories come from"):
        replay_trajectory(replace(trajectory, env_id="CartPole-v1", env_kwargs={}))


def test_arguments_that_the_environment_does_not_take(trajectory):
    with pytest.raises(DataError, match="cannot be made with"):
        replay_trajectory(replace(trajectory, env_kwargs={"colour": "red"}))


def test_a_replayer_makes_each_environment_once(trajectory, monkeypatch):
    made = []
    real = gym.make

    def counting(*args, **kwargs):
        made.append(args)
        return real(*args, **kwargs)

    monkeypatch.setattr(gym, "make", counting)
    replayer = Replayer()
    for _ in range(3):
        replayer.replay(trajectory)
    replayer.replay(replace(trajectory, env_kwargs={"split": "train"}))
    assert len(made) == 2

"""The durable log: what a kill leaves is read again, whatever place it cuts."""

from __future__ import annotations

import json

import gymnasium as gym
import pytest

import toolrl_env  # noqa: F401
from agents.evaluating.log import AttemptLog
from agents.evaluating.settings import gather
from agents.game import Game, ask
from agents.policy import NoAnswer
from agents.scripted import RandomPolicy
from toolrl_env.core.errors import ConfigurationError, DataError
from toolrl_env.core.types import FailureKind
from toolrl_env.wrappers.trajectories import decode


@pytest.fixture(scope="module")
def env():
    return gym.make("ToolRL-Toolbox-v0", difficulty=1).unwrapped


@pytest.fixture(scope="module")
def settings(env):
    return gather(env, range(4), attempts=1, seed=0, agent="random", agent_settings={})


def play(env, log, index):
    game = Game(env, index)
    (answer,) = ask(RandomPolicy(), [game])
    game.step(answer)
    log.finish(game)


def test_one_line_for_each_episode(env, settings, tmp_path):
    log = AttemptLog(tmp_path / "a" / "b", settings)
    for index in range(3):
        play(env, log, index)
        lines = (tmp_path / "a/b/trajectories.jsonl").read_bytes().splitlines(keepends=True)
        assert len(lines) == index + 1
        assert lines[-1].endswith(b"\n")
    trajectory = decode(lines[1].decode())
    assert trajectory.task_id == log.done[1, 0].task_id
    assert trajectory.transitions[0].reward == log.done[1, 0].reward
    assert AttemptLog(tmp_path / "a" / "b", settings).done == log.done


def test_a_kill_may_cut_the_last_line_anywhere(env, settings, tmp_path):
    log = AttemptLog(tmp_path, settings)
    for index in range(2):
        play(env, log, index)
    file = tmp_path / "trajectories.jsonl"
    whole = file.read_bytes()
    first = whole.index(b"\n") + 1
    for cut in {first, first + 1, first + 100, len(whole) - 2, len(whole) - 1}:
        file.write_bytes(whole[:cut])
        again = AttemptLog(tmp_path, settings)
        assert list(again.done) == [(0, 0)]
        play(env, again, 1)
        assert file.read_bytes() == whole


def test_failures_are_kept_apart_and_forgotten_at_the_next_start(env, settings, tmp_path):
    log = AttemptLog(tmp_path, settings)
    game = Game(env, 2)
    game.step(NoAnswer(FailureKind.TIMEOUT, "silence"))
    log.finish(game)
    assert log.done == {}
    (failure,) = log.failures
    assert (failure.task_index, failure.kind, failure.reason) == (2, "timeout", "silence")
    assert json.loads((tmp_path / "failures.jsonl").read_text())["reason"] == "silence"
    assert (tmp_path / "trajectories.jsonl").read_bytes() == b""
    again = AttemptLog(tmp_path, settings)
    assert again.failures == []
    assert (tmp_path / "failures.jsonl").read_bytes() == b""


def test_a_folder_of_something_else_is_left_alone(settings, tmp_path):
    file = tmp_path / "trajectories.jsonl"
    file.write_text("mine")
    with pytest.raises(ConfigurationError, match="no folder of an evaluation"):
        AttemptLog(tmp_path, settings)
    assert file.read_text() == "mine"


@pytest.mark.parametrize("line", ["{}", "3", "{", '{"notes": {}}', '{"notes": {"attempt": 1}}'])
def test_a_damaged_line_is_named(line, settings, tmp_path):
    AttemptLog(tmp_path, settings)
    (tmp_path / "trajectories.jsonl").write_text(line + "\n")
    with pytest.raises(DataError, match=r"trajectories.jsonl, line 1: no episode"):
        AttemptLog(tmp_path, settings)


@pytest.mark.parametrize("text", ["", "[]", '{"env_id": "x"}'])
def test_damaged_settings_are_named(text, settings, tmp_path):
    (tmp_path / "settings.json").write_text(text)
    with pytest.raises(DataError, match=r"settings.json"):
        AttemptLog(tmp_path, settings)


def test_a_folder_that_cannot_be_made(settings, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="cannot be written"):
        AttemptLog(tmp_path / "file" / "folder", settings)

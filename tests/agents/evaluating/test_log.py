"""The durable log: what a kill leaves is read again, whatever place it cuts."""

from __future__ import annotations

import errno
import fcntl
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


def _lost(env):
    """Return a game at which no answer could be had."""
    game = Game(env, 2)
    game.step(NoAnswer(FailureKind.TIMEOUT, "silence"))
    return game


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
    log.close()
    with AttemptLog(tmp_path / "a" / "b", settings) as again:
        assert again.done == log.done


def test_a_kill_may_cut_the_last_line_anywhere(env, settings, tmp_path):
    log = AttemptLog(tmp_path, settings)
    for index in range(2):
        play(env, log, index)
    log.close()
    file = tmp_path / "trajectories.jsonl"
    whole = file.read_bytes()
    first = whole.index(b"\n") + 1
    for cut in {first, first + 1, first + 100, len(whole) - 2, len(whole) - 1}:
        file.write_bytes(whole[:cut])
        with AttemptLog(tmp_path, settings) as again:
            assert list(again.done) == [(0, 0)]
            play(env, again, 1)
        assert file.read_bytes() == whole


def test_failures_are_kept_apart_and_forgotten_at_the_next_start(env, settings, tmp_path):
    log = AttemptLog(tmp_path, settings)
    log.finish(_lost(env))
    assert log.done == {}
    (failure,) = log.failures
    assert (failure.task_index, failure.kind, failure.reason) == (2, "timeout", "silence")
    assert json.loads((tmp_path / "failures.jsonl").read_text())["reason"] == "silence"
    assert (tmp_path / "trajectories.jsonl").read_bytes() == b""
    log.close()
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
    AttemptLog(tmp_path, settings).close()
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


def test_one_evaluation_has_the_folder_at_a_time(env, settings, tmp_path):
    with AttemptLog(tmp_path, settings) as log:
        log.finish(_lost(env))
        for _ in range(2):
            with pytest.raises(ConfigurationError, match="another evaluation is writing into"):
                AttemptLog(tmp_path, settings)
        assert (tmp_path / "failures.jsonl").read_text(), "the second start has emptied the file"
    log.close()
    (tmp_path / "trajectories.jsonl").write_text("{}\n")
    for _ in range(2):  # a start that is refused lets go of the folder
        with pytest.raises(DataError, match="line 1"):
            AttemptLog(tmp_path, settings)


def test_a_file_system_without_locks_is_no_reason_to_stop(env, settings, tmp_path, monkeypatch):
    def flock(descriptor, operation):
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    with AttemptLog(tmp_path, settings) as log:
        play(env, log, 0)
        assert list(log.done) == [(0, 0)]

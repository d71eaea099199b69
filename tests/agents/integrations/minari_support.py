"""What the tests of the Minari adapter share."""

from __future__ import annotations

import gymnasium as gym

from agents.integrations.minari import collect
from toolrl_env.wrappers import RecordTrajectories, read_trajectories

__all__ = ["FORMATS", "TOOLBOX", "WORKSPACE", "play_gold", "record", "recorded", "use_folder"]

TOOLBOX, WORKSPACE = "ToolRL-Toolbox-v0", "ToolRL-Workspace-v0"
FORMATS = ("hdf5", "arrow", "parquet")


def use_folder(tmp_path, monkeypatch):
    """Have Minari write here; a home without anything in it shows whether it did."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "datasets"))
    return home


def play_gold(env, tasks, after=None):
    """Play the gold answers of tasks; return everything that the environment said."""
    said = []
    for index in tasks:
        said.append([env.reset(options={"task_index": index})])
        over = False
        while not over:
            said[-1].append(env.step(env.unwrapped.gold_answer()))
            over = said[-1][-1][2] or said[-1][-1][3]
    return said


def record(env, answers, data_format="hdf5"):
    """Return a collector that was given one answer to each of the tasks 0, 1, …"""
    collector = collect(env, data_format)
    for index, answer in enumerate(answers):
        collector.reset(options={"task_index": index})
        collector.step(answer)
    return collector


def recorded(path, env_id=TOOLBOX, tasks=(0, 1), junk=(), training_step=0, **kwargs):
    """Return trajectories of gold answers, then of junk, that RecordTrajectories wrote."""
    env = RecordTrajectories(gym.make(env_id, **kwargs), path)
    env.unwrapped.training_step = training_step
    play_gold(env, tasks)
    for index, answer in enumerate(junk):
        env.reset(options={"task_index": index})
        while not any(env.step(answer)[2:4]):
            pass
    return read_trajectories(path)

"""Wrappers around the environments, and what they leave behind."""

from toolrl_env.wrappers.recorder import RecordTrajectories
from toolrl_env.wrappers.replay import Replayer, replay_trajectory
from toolrl_env.wrappers.trajectories import BrokenLine, iter_trajectories, read_trajectories

__all__ = [
    "BrokenLine",
    "RecordTrajectories",
    "Replayer",
    "iter_trajectories",
    "read_trajectories",
    "replay_trajectory",
]

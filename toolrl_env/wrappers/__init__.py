"""Wrappers around the environments, and what they leave behind."""

from toolrl_env.wrappers.numeric.candidate_actions import CandidateActions
from toolrl_env.wrappers.numeric.composed_actions import ComposedActions
from toolrl_env.wrappers.numeric.encoding import HashedNgrams
from toolrl_env.wrappers.numeric.text_features import TextFeatures
from toolrl_env.wrappers.numeric.vector_candidates import VectorCandidateActions
from toolrl_env.wrappers.recorder import RecordTrajectories
from toolrl_env.wrappers.replay import Replayer, replay_trajectory
from toolrl_env.wrappers.trajectories import BrokenLine, iter_trajectories, read_trajectories

__all__ = [
    "BrokenLine",
    "CandidateActions",
    "ComposedActions",
    "HashedNgrams",
    "RecordTrajectories",
    "Replayer",
    "TextFeatures",
    "VectorCandidateActions",
    "iter_trajectories",
    "read_trajectories",
    "replay_trajectory",
]

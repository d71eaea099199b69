"""Rewards over time: per turn and per call, kept apart and together.

Each term is one pure function of an ``EpisodeRecord``; ``EpisodeRewardConfig`` weighs them.
"""

from __future__ import annotations

from toolrl_env.rewards.episode.config import EpisodeRewardConfig
from toolrl_env.rewards.episode.outcome import answer_quality, outcome
from toolrl_env.rewards.episode.penalties import calls, invalid, repeats, turns
from toolrl_env.rewards.episode.presets import episode_preset_names
from toolrl_env.rewards.episode.progress import shaping, state_execution
from toolrl_env.rewards.episode.result import EpisodeTerm, Share, TermResult
from toolrl_env.rewards.episode.score import MASKED, score_credits, score_episode, score_turn
from toolrl_env.rewards.episode.trajectory import step_f1, trajectory

__all__ = [
    "MASKED",
    "EpisodeRewardConfig",
    "EpisodeTerm",
    "Share",
    "TermResult",
    "answer_quality",
    "calls",
    "episode_preset_names",
    "invalid",
    "outcome",
    "repeats",
    "score_credits",
    "score_episode",
    "score_turn",
    "shaping",
    "state_execution",
    "step_f1",
    "trajectory",
    "turns",
]

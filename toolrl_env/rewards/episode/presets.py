"""Rewards of episodes by name."""

from __future__ import annotations

from collections.abc import Callable

from toolrl_env.rewards.config import RewardConfig
from toolrl_env.rewards.episode.config import EpisodeRewardConfig

__all__ = ["EPISODE_PRESETS", "episode_preset_names"]


def outcome() -> EpisodeRewardConfig:
    return EpisodeRewardConfig()


def answer_quality() -> EpisodeRewardConfig:
    return EpisodeRewardConfig(outcome=0.0, answer_quality=1.0)


def shaped() -> EpisodeRewardConfig:
    return EpisodeRewardConfig(shaping=1.0)


def efficient() -> EpisodeRewardConfig:
    return EpisodeRewardConfig(turns=0.01, repeats=0.05, invalid=0.05)


def toolrl_turns() -> EpisodeRewardConfig:
    return EpisodeRewardConfig(turn=RewardConfig(), outcome=0.0)


def trajectory() -> EpisodeRewardConfig:
    return EpisodeRewardConfig(outcome=0.0, trajectory=1.0)


def step_f1() -> EpisodeRewardConfig:
    return EpisodeRewardConfig(outcome=0.0, step_f1=1.0)


def state_execution() -> EpisodeRewardConfig:
    return EpisodeRewardConfig(outcome=0.0, state_execution=1.0)


EPISODE_PRESETS: dict[str, Callable[[], EpisodeRewardConfig]] = {
    preset.__name__: preset
    for preset in (
        outcome,
        answer_quality,
        shaped,
        efficient,
        toolrl_turns,
        trajectory,
        step_f1,
        state_execution,
    )
}
"""The presets by name, each a function that returns the configuration."""


def episode_preset_names() -> tuple[str, ...]:
    """Return the names that ``EpisodeRewardConfig.preset`` takes."""
    return tuple(EPISODE_PRESETS)

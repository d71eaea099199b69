"""Which rewards an environment takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from toolrl_env.core.errors import ConfigurationError
from toolrl_env.rewards import RewardConfig
from toolrl_env.rewards.episode import EpisodeRewardConfig
from toolrl_env.rewards.terms import validation

__all__ = ["answer_reward", "refuse_answer_rewards"]


def answer_reward(reward: RewardConfig | str, *, strict: bool) -> RewardConfig:
    """Return the reward of single answers.

    Args:
        reward: A configuration, or the name of a preset.
        strict: Whether to add the term ``validation``.

    Raises:
        ConfigurationError: One of them is not allowed.
    """
    if isinstance(reward, str):
        reward = RewardConfig.preset(reward)
    if not isinstance(reward, RewardConfig):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(
            f"reward={reward!r}; allowed: a RewardConfig or the name of a preset"
        )
    if not isinstance(strict, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f"strict={strict!r}; allowed: True or False")
    return replace(reward, extra_terms=(*reward.extra_terms, validation)) if strict else reward


def refuse_answer_rewards(config: EpisodeRewardConfig, given: Mapping[str, Any]) -> None:
    """Refuse what scores single answers, for worlds whose answers have no gold of their own.

    Args:
        config: The reward of the episode.
        given: The other arguments of the environment.

    Raises:
        ConfigurationError: ``reward`` or ``strict`` was given, or the reward has a ``turn``.
    """
    for name in sorted({"reward", "strict"} & given.keys()):
        raise ConfigurationError(
            f"{name}={given[name]!r:.80} scores single answers; give episode_reward instead"
        )
    if config.turn is not None:
        raise ConfigurationError(
            "episode_reward has a reward of every turn, as 'toolrl_turns' has, which needs a gold "
            "answer for each; only recorded dialogues have: use 'trajectory' or 'step_f1'"
        )

"""Which rewards an environment of several answers takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolrl_env.core.errors import ConfigurationError
from toolrl_env.rewards.episode import EpisodeRewardConfig

__all__ = ["refuse_answer_rewards"]


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

"""One id, two ways to play its dataset: one answer, or the whole recorded conversation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from toolrl_env.core.errors import ConfigurationError, UnknownName
from toolrl_env.envs.base import ToolUseEnv
from toolrl_env.envs.dataset import DatasetEnv
from toolrl_env.envs.dialogue import DialogueEnv

__all__ = ["MODES", "EnvMaker"]

MODES = ("single_turn", "multi_turn")


@dataclass(frozen=True)
class EnvMaker:
    """What Gymnasium calls to make an environment of an id that has modes.

    Attributes:
        single_turn: The class for ``mode="single_turn"``, the default.
        multi_turn: The class for ``mode="multi_turn"``; ``None`` if the dataset has no dialogues.
    """

    single_turn: type[DatasetEnv]
    multi_turn: type[DialogueEnv] | None = None

    @property
    def metadata(self) -> dict[str, Any]:
        """The render modes, which Gymnasium asks an entry point for."""
        return self.single_turn.metadata

    def __call__(self, mode: str = "single_turn", **kwargs: Any) -> ToolUseEnv:
        """Make the environment.

        Raises:
            UnknownName: No such mode.
            ConfigurationError: The dataset has no dialogues to replay.
        """
        if mode not in MODES:
            raise UnknownName("mode", mode, MODES)
        if mode == "single_turn":
            return self.single_turn(**kwargs)
        if self.multi_turn is None:
            raise ConfigurationError(
                f"mode='multi_turn' replays recorded dialogues; a row of "
                f"{self.single_turn.dataset} is one request and one answer, and nothing was "
                "recorded after it; allowed: mode='single_turn'"
            )
        return self.multi_turn(**kwargs)

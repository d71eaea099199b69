"""Environments of SkyRL-Gym as Gymnasium environments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium as gym
import skyrl_gym
from skyrl_gym.envs.base_text_env import BaseTextEnv

from toolrl_env.core.checks import whole_number
from toolrl_env.core.errors import ConfigurationError, UnknownName, WrongActionType
from toolrl_env.prompts.native import chatml
from toolrl_env.spaces import UnicodeText

__all__ = ["SkyRLEnv"]

_MAX_CHARS = 262_144


class SkyRLEnv(gym.Env[str, str]):
    """An environment of SkyRL-Gym's registry over rows of SkyRL's dataset format.

    ## Observation
    ``UnicodeText``: the conversation in ChatML. ``info["messages"]`` has it as chat messages.

    ## Action
    ``UnicodeText``: the answer.

    ## Reward
    What SkyRL-Gym's ``step`` returns. ``info["metadata"]`` is its ``metadata``.

    ## Episode end
    Terminates when SkyRL-Gym says ``done``. It has no word for being cut, so an episode that its
    limit of turns ended terminates, too; ``truncated`` is never true.

    Args:
        env_class: Id in SkyRL-Gym's registry, e.g. ``"gsm8k"``.
        rows: Rows with ``prompt`` and what the environment reads of the other columns.
        env_config: Handed on.
        max_turns: Handed on as ``extras["max_turns"]``, as SkyRL's generator does.
        max_chars: Longest answer and longest observation, in characters. Longer observations are
            cut at the front.

    Raises:
        ConfigurationError: There is no such environment, no row, or a row without ``prompt``.
    """

    metadata = {"render_modes": []}  # noqa: RUF012  # Gymnasium's API

    def __init__(
        self,
        env_class: str,
        rows: Sequence[Mapping[str, Any]],
        *,
        env_config: Mapping[str, Any] | None = None,
        max_turns: int = 8,
        max_chars: int = _MAX_CHARS,
    ) -> None:
        if env_class not in skyrl_gym.registry:
            raise UnknownName("env_class", env_class, skyrl_gym.registry)
        if not rows or not all("prompt" in row for row in rows):
            raise ConfigurationError("rows must be a sequence of rows with 'prompt', at least one")
        self.env_class, self.rows = env_class, rows
        self.env_config = dict(env_config or {})
        self.max_turns = whole_number("max_turns", max_turns, 1)
        size = whole_number("max_chars", max_chars, 1)
        self.observation_space = UnicodeText(size)
        self.action_space = UnicodeText(size)
        self._env: BaseTextEnv | None = None
        self._messages: list[dict[str, Any]] = []
        self._index = 0
        self._done = True

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Start an episode.

        Args:
            seed: Reseeds the choice of the row.
            options: ``task_index`` picks the row.

        Raises:
            ConfigurationError: An option is unknown or out of range.
        """
        super().reset(seed=seed)
        given = dict(options or {})
        drawn = int(self.np_random.integers(len(self.rows)))
        index = whole_number("task_index", given.pop("task_index", drawn), 0, len(self.rows) - 1)
        if given:
            raise UnknownName("reset option", next(iter(given)), ["task_index"])
        self.close()
        row = dict(self.rows[index])
        prompt = [dict(message) for message in row.pop("prompt")]
        row.pop("env_class", None)
        extras = row | {"max_turns": self.max_turns}
        env = skyrl_gym.make(self.env_class, env_config=self.env_config, extras=extras)
        self._env, self._index = env, index
        messages, about = env.init(prompt)
        self._messages = [dict(message) for message in messages]
        self._done = False
        return self._observe(), self._info(about)

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Let SkyRL-Gym's environment have an answer.

        Raises:
            WrongActionType: ``action`` is not a string.
            gymnasium.error.ResetNeeded: No episode is running.
        """
        if not isinstance(action, str):
            raise WrongActionType(f"step() takes the answer as a str, not {action!r:.80}")
        if self._env is None or self._done:
            raise gym.error.ResetNeeded("call reset() before step(): no episode is running")
        said = self._env.step(action)
        kept = said.get("postprocessed_action")
        content = action if kept is None else kept
        self._messages.append({"role": "assistant", "content": content})
        self._messages += [dict(message) for message in said["observations"]]
        self._done = bool(said["done"])
        info = self._info(said["metadata"])
        return self._observe(), float(said["reward"]), self._done, False, info

    def close(self) -> None:
        """Close SkyRL-Gym's environment."""
        if self._env is not None:
            self._env.close()
            self._env, self._done = None, True

    def _observe(self) -> str:
        return chatml(self._messages, None)[-self.observation_space.max_length :]

    def _info(self, about: Mapping[str, Any] | None) -> dict[str, Any]:
        messages = [dict(message) for message in self._messages]
        return {"messages": messages, "task_index": self._index, "metadata": dict(about or {})}

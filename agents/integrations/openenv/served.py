"""What a server of ours serves: one environment id with its arguments, open to many sessions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agents.env_kwargs import make_env
from agents.integrations.pool import EnvPool, PooledEpisode
from agents.integrations.tasks import TaskRef
from toolrl_env.core.checks import whole_number
from toolrl_env.core.errors import ConfigurationError
from toolrl_env.envs.base import ToolUseEnv

__all__ = ["Served"]


class Served:
    """What the sessions of a server share: the task set, and a pool of environments.

    Args:
        env: Registered environment id.
        env_kwargs: Keyword arguments for ``gym.make``.

    Attributes:
        name: The id.
        tasks: The task set.

    Raises:
        ConfigurationError: There is no such environment or argument, or it cannot be served.
        InfrastructureError: The world of its first task cannot be opened.
    """

    def __init__(self, env: str, env_kwargs: Mapping[str, Any]) -> None:
        self.name, self._kwargs = env, dict(env_kwargs)
        made = make_env(env, env_kwargs)
        try:
            if not isinstance(made.unwrapped, ToolUseEnv):
                raise ConfigurationError(f"{env} is a {type(made.unwrapped).__name__}: no tool use")
            self.tasks = made.unwrapped.tasks
        finally:
            made.close()
        self.env_kwargs = self.ref(0).env_kwargs
        self._pool = EnvPool()
        self.open(0).close()

    def ref(self, index: int) -> TaskRef:
        """Return the reference to a task."""
        return TaskRef.of(self.name, self._kwargs, index)

    def open(self, index: int) -> PooledEpisode:
        """Start an episode of a task."""
        size = self.tasks.size
        whole_number("task_index", index, 0, None if size is None else size - 1)
        return self._pool.open(self.ref(index))

    def close(self) -> None:
        """Close the environments."""
        self._pool.close()

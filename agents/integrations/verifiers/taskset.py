"""Our environments as a taskset of verifiers (v1)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import verifiers.v1 as vf
from pydantic import Field
from verifiers.v1.configs.task import TaskConfig
from verifiers.v1.configs.taskset import TasksetConfig

from agents.env_kwargs import make_env, parse_env_kwargs
from agents.integrations.pool import EnvPool
from agents.integrations.tasks import TaskRef, task_rows
from agents.integrations.verifiers.data import ToolRLData
from agents.integrations.verifiers.scoring import Played, gold_solves, played
from toolrl_env.envs.base import ToolUseEnv

__all__ = ["ToolRLTask", "ToolRLTaskset", "ToolRLTasksetConfig"]


class ToolRLTask(vf.Task[ToolRLData, vf.State, TaskConfig]):
    """Scores a rollout as the environment does.

    ``ToolRLEnv`` notes what the environment said while it was played. A trace that it did not play
    (of another ``Env``) has its answers replayed in a fresh copy of the environment.
    """

    @property
    def key(self) -> str:
        """The task's identity, whatever part of the set was loaded."""
        return f"{self.data.env} {self.data.env_kwargs} {self.data.task_index}"

    async def validate(self, runtime: vf.Runtime) -> bool | None:
        """Return whether the gold answers solve the task (for ``vf-validate``)."""
        del runtime
        return await asyncio.to_thread(gold_solves, self.data.ref)

    @vf.reward
    async def toolrl(self, trace: vf.Trace) -> float:
        """Return the sum of the environment's rewards."""
        return (await self._played(trace)).reward

    @vf.metric
    async def terms(self, trace: vf.Trace) -> Mapping[str, float]:
        """Return each term of the reward, ``is_success`` and ``answers``."""
        return (await self._played(trace)).metrics()

    async def _played(self, trace: vf.Trace) -> Played:
        return await asyncio.to_thread(played, self.data, trace)


class ToolRLTasksetConfig(TasksetConfig):
    """Which tasks, under ``--env.taskset.*``."""

    env: str = "ToolRL-Toolbox-v0"
    """Id of a registered environment."""
    env_kwargs: str = "{}"
    """Keyword arguments for ``gym.make``, as a JSON object."""
    first_task: int = Field(0, ge=0)
    """Index of the first task."""
    num_tasks: int = Field(100, ge=1)
    """Tasks at most, from the first one on."""


class ToolRLTaskset(vf.Taskset[ToolRLTask, ToolRLTasksetConfig]):
    """The tasks of an environment of ours.

    Raises:
        ConfigurationError: There is no such environment, argument or task, or the environment puts
            other answers in the place of the model's.
    """

    def __init__(self, config: ToolRLTasksetConfig) -> None:
        super().__init__(config)
        self._kwargs = parse_env_kwargs(config.env_kwargs)
        with EnvPool() as pool:
            pool.open(TaskRef.of(config.env, self._kwargs, config.first_task)).close()
        env = make_env(config.env, self._kwargs)
        base = env.unwrapped
        assert isinstance(base, ToolUseEnv)  # the pool refuses others
        size, self._protocol = base.tasks.size, base.protocol.name
        env.close()
        end = config.first_task + config.num_tasks
        self._indices = range(config.first_task, end if size is None else min(end, size))

    def load(self) -> list[ToolRLTask]:
        """Return the tasks."""
        rows = task_rows(self.config.env, self._kwargs, self._indices)
        return [ToolRLTask(ToolRLData.of(row, self._protocol), self.config.task) for row in rows]

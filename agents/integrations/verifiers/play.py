"""How verifiers plays an environment of ours: the environment is the user of an interaction."""

from __future__ import annotations

import asyncio

import verifiers.v1 as vf
from verifiers.v1.agent import Agents

from agents.integrations.pool import EnvPool
from agents.integrations.verifiers.data import ToolRLData
from agents.integrations.verifiers.taskset import ToolRLTask, ToolRLTaskset
from agents.integrations.verifiers.threaded import ThreadedEpisode
from toolrl_env.core.errors import ConfigurationError

__all__ = ["ToolRLEnv", "ToolRLEnvConfig"]


class ToolRLEnvConfig(vf.SingleAgentEnvConfig):
    """One agent, which needs no sandbox: the tools run in our process."""

    agent: vf.AgentConfig = vf.AgentConfig(runtime={"type": "subprocess"})
    """The model that is evaluated or trained."""


class ToolRLEnv(vf.SingleAgentEnv, vf.Env[ToolRLEnvConfig]):
    """Plays episodes of one or several answers; every reward is the environment's own.

    The environment runs in worker threads, so that a slow tool does not hold up other episodes. If
    something of ours fails, the exception goes to verifiers: the trace has the error and no reward,
    and the episode is not ``ok``.

    Raises:
        ConfigurationError: The taskset is not one of ours.
    """

    def __init__(self, config: ToolRLEnvConfig) -> None:
        super().__init__(config)
        if not isinstance(self.taskset, ToolRLTaskset):
            raise ConfigurationError(
                f"taskset {config.taskset.id!r} is a {type(self.taskset).__name__}; ToolRLEnv "
                "plays a ToolRLTaskset alone (taskset id 'toolrl')"
            )
        self._pool = EnvPool()

    async def run(self, task: ToolRLTask, agents: Agents) -> None:
        """Play one episode."""
        episode = ThreadedEpisode(self._pool, task.data.ref)
        try:
            await episode.open()
            async with agents.agent.interaction(task) as interaction:
                await _play(episode, interaction, task.data)
        finally:
            await episode.close()

    async def stop(self) -> None:
        """Close the environments; later episodes make new ones."""
        pool, self._pool = self._pool, EnvPool()
        await asyncio.to_thread(pool.close)


async def _play(episode: ThreadedEpisode, interaction: vf.Interaction, data: ToolRLData) -> None:
    segment = await interaction.turn()
    while not segment.terminated:
        message = interaction.trace.assistant_messages[-1]
        played, said = await episode.answer(data.answer(message))
        played.note(interaction.trace)
        if played.over:
            return
        segment = await interaction.turn(data.following(message, said))

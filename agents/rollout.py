"""Groups of played episodes: many environments at once, over as many turns as they take."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np

import toolrl_env  # noqa: F401  # registers the ids
from agents.chat_delta import ChatDelta
from agents.conversation import Conversation, Limits
from agents.env_kwargs import make_env
from agents.episode import Episode, Group
from agents.playing import Sampler, play
from agents.prompting import ChatEncoder
from agents.seeds import derive_seed
from agents.tree import Bush, TreeConfig, grow
from agents.turn_outcome import REPLACES_ANSWERS
from toolrl_env.core.errors import ConfigurationError, InfrastructureError
from toolrl_env.core.types import StopReason
from toolrl_env.envs.base import ToolUseEnv
from toolrl_env.envs.multi_turn import MultiTurnEnv
from toolrl_env.envs.single_turn import SingleTurnEnv
from toolrl_env.envs.vector import MAX_CONCURRENCY
from toolrl_env.envs.workers import Workers

__all__ = ["GroupCollector", "Sampler", "derive_seed"]

_LOG = logging.getLogger(__name__)


def _report_failures(groups: Sequence[Group]) -> None:
    """Log a warning if something of ours failed in some of the episodes.

    Raises:
        InfrastructureError: It failed in every episode, branches not counted.
    """
    every = [group for root in groups for group in (root, *root.branches)]
    episodes = [episode for group in every for episode in group.episodes]
    failures = [episode.failure for episode in episodes if episode.failed]
    if failures and not any(group.scored for group in groups):
        raise InfrastructureError(f"the environment failed in every episode: {failures[0]}")
    if failures:
        _LOG.warning("%d of %d episodes left out: %s", len(failures), len(episodes), failures[0])


@dataclass(frozen=True, slots=True)
class _Start:
    """A group that is being played."""

    task_id: str
    prompt_ids: tuple[int, ...]
    conversations: Sequence[Conversation]
    failures: Sequence[str]

    def group(self, stems: Sequence[Conversation], bushes: Sequence[Bush]) -> Group:
        """Return what has been played; an environment that could not be reset counts as failed."""
        stop = StopReason.INFRASTRUCTURE
        lost = [
            Episode(self.prompt_ids, (), (), (), (), stop_reason=stop, failure=failure)
            for failure in self.failures
        ]
        played = [conversation.episode() for conversation in self.conversations]
        branches = [
            Group(self.task_id, bush.episodes)
            for bush in bushes
            if stems[bush.stem] in self.conversations
        ]
        return Group(self.task_id, (*played, *lost), tuple(branches))


class GroupCollector:
    """Plays groups of episodes on environments made by ``gym.make``.

    Every member of a group has an environment of its own, reset with the group's seed: the same
    task and the same state, with nothing shared. An environment of one answer is an episode of one
    turn.

    Args:
        env_id: A registered id.
        env_kwargs: Keyword arguments for ``gym.make``.
        encoder: Encodes prompts, decodes answers.
        limits: How long answers and episodes may become.
        prompts: Groups played at a time.
        group_size: Episodes per group.
        tree: Whether and how episodes branch in the middle.

    Attributes:
        several_turns: Whether episodes may have more than one turn.

    Raises:
        ConfigurationError: The environment goes over several turns, and the model's template
            cannot (see ``ChatDelta.check``), or it replaces the model's answers by recorded ones.
    """

    def __init__(
        self,
        env_id: str,
        env_kwargs: Mapping[str, Any],
        encoder: ChatEncoder,
        *,
        limits: Limits,
        prompts: int,
        group_size: int,
        tree: TreeConfig | None = None,
    ) -> None:
        self._encoder, self._limits, self._tree = encoder, limits, tree
        self._groups = [
            [make_env(env_id, env_kwargs) for _ in range(group_size)] for _ in range(prompts)
        ]
        self._delta = ChatDelta(encoder)
        base = self._groups[0][0].unwrapped
        self.several_turns = not isinstance(base, SingleTurnEnv)
        waits = isinstance(base, ToolUseEnv) and base.waits
        self._workers = Workers(MAX_CONCURRENCY) if waits else None
        if isinstance(base, MultiTurnEnv):
            if base.teacher_forced:
                raise ConfigurationError(f"{env_id} {REPLACES_ANSWERS}")
            self._delta.check()

    def collect(
        self, sampler: Sampler, seeds: Sequence[int], rng: np.random.Generator, training_step: int
    ) -> list[Group]:
        """Play one group per seed.

        Args:
            sampler: Samples the answers.
            seeds: One per group; picks its task.
            rng: Gives each episode a generator of its own.
            training_step: What scheduled rewards depend on.

        Returns:
            A group per seed, with its branches. Episodes in which something of ours failed are
            among them, marked.

        Raises:
            InfrastructureError: Something of ours failed in every single episode.
            ConfigurationError: A prompt leaves no room for an answer, or the environment cannot be
                forked and has to be.
        """
        *own, choice = rng.spawn(len(seeds) + 1)
        starts = [
            self._reset(envs, seed, each, training_step)
            for envs, seed, each in zip(self._groups, seeds, own, strict=True)
        ]
        stems = [each for start in starts for each in start.conversations]
        bushes: list[Bush] = []
        if self._tree is None:
            play(stems, sampler, self._limits, self._workers)
        else:
            bushes = grow(stems, sampler, self._limits, self._tree, choice, self._workers)
        groups = [start.group(stems, bushes) for start in starts]
        _report_failures(groups)
        return groups

    def _reset(
        self,
        envs: Sequence[gym.Env[str, str]],
        seed: int,
        rng: np.random.Generator,
        training_step: int,
    ) -> _Start:
        """Reset the environments of a group."""
        infos: list[tuple[gym.Env[str, str], Mapping[str, Any]]] = []
        failures: list[str] = []
        for env in envs:
            try:
                _, info = env.reset(seed=seed, options={"training_step": training_step})
            except InfrastructureError as error:
                failures.append(str(error) or "infrastructure error")
            else:
                infos.append((env, info))
        if not infos:
            return _Start("", (), [], failures)
        first = infos[0][1]
        prompt = self._encoder.prompt(first)
        room = self._limits.max_context - self._limits.max_new_tokens
        if len(prompt) > room:
            raise ConfigurationError(
                f"the prompt of task {first['task_id']!r} has {len(prompt)} tokens, but "
                f"max_context={self._limits.max_context} and max_new_tokens="
                f"{self._limits.max_new_tokens} leave room for {room}"
            )
        conversations = [
            Conversation(env, self._encoder, self._delta, own, prompt, info["messages"])
            for (env, info), own in zip(infos, rng.spawn(len(infos)), strict=True)
        ]
        return _Start(first["task_id"], prompt, conversations, failures)

    def close(self) -> None:
        """Close every environment."""
        if self._workers is not None:
            self._workers.close()
        for envs in self._groups:
            for env in envs:
                env.close()

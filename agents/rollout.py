"""Groups of played episodes: many environments at once, over as many turns as they take."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np

import toolrl_env  # noqa: F401  # registers the ids
from agents.chat_delta import ChatDelta
from agents.conversation import Conversation, Limits
from agents.episode import Episode, Group
from agents.generation import Completion
from agents.prompting import ChatEncoder
from toolrl_env.core.errors import ConfigurationError, InfrastructureError
from toolrl_env.core.types import StopReason
from toolrl_env.envs.multi_turn import MultiTurnEnv

__all__ = ["GroupCollector", "Sampler", "derive_seed", "play", "play_round", "report_failures"]

Sampler = Callable[
    [Sequence[tuple[int, ...]], Sequence[int], Sequence[np.random.Generator]],
    list[list[Completion]],
]
"""``(contexts, samples per context, a generator per answer) -> completions per context``."""

_LOG = logging.getLogger(__name__)


def derive_seed(*key: int) -> int:
    """Return a 31-bit seed for a position in the run, e.g. ``(seed, stream, step, prompt)``.

    Since every random choice depends on its position alone, a run resumes exactly where it was.

    >>> derive_seed(0, 1) == derive_seed(0, 1) != derive_seed(1, 0)
    True
    """
    return int(np.random.SeedSequence(key).generate_state(1)[0] >> 1)


def play_round(live: Sequence[Conversation], sampler: Sampler) -> None:
    """Sample one answer to each conversation and let the environments have them.

    Conversations with one context (a group before its first answer) are one request for several
    answers.
    """
    waiting: dict[tuple[int, ...], list[Conversation]] = {}
    for conversation in live:
        waiting.setdefault(conversation.context, []).append(conversation)
    rngs = [conversation.rng for same in waiting.values() for conversation in same]
    answers = sampler(list(waiting), [len(same) for same in waiting.values()], rngs)
    for same, completions in zip(waiting.values(), answers, strict=True):
        for conversation, completion in zip(same, completions, strict=True):
            conversation.answer(completion)


def play(conversations: Sequence[Conversation], sampler: Sampler, limits: Limits) -> None:
    """Play conversations to their ends, all together; those that have ended leave the batch.

    Args:
        conversations: They are changed.
        sampler: Samples the answers.
        limits: How long answers and episodes may become.
    """
    while live := [each for each in conversations if each.goes_on(limits)]:
        play_round(live, sampler)


def report_failures(groups: Sequence[Group]) -> None:
    """Log a warning if something of ours failed in some of the episodes.

    Raises:
        InfrastructureError: It failed in all of them.
    """
    failures = [episode.failure for group in groups for episode in group.episodes if episode.failed]
    if not failures:
        return
    if not any(group.scored for group in groups):
        raise InfrastructureError(f"the environment failed in every episode: {failures[0]}")
    total = sum(len(group.episodes) for group in groups)
    _LOG.warning("%d of %d episodes are left out: %s", len(failures), total, failures[0])


@dataclass(frozen=True, slots=True)
class _Start:
    """A group that is being played."""

    task_id: str
    prompt_ids: tuple[int, ...]
    conversations: Sequence[Conversation]
    failures: Sequence[str]

    def group(self) -> Group:
        """Return what has been played; an environment that could not be reset counts as failed."""
        stop = StopReason.INFRASTRUCTURE
        lost = [
            Episode(self.prompt_ids, (), (), (), (), stop_reason=stop, failure=failure)
            for failure in self.failures
        ]
        played = [conversation.episode() for conversation in self.conversations]
        return Group(self.task_id, (*played, *lost))


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

    Raises:
        ConfigurationError: The environment goes over several turns, and the model's template
            cannot (see ``ChatDelta.check``).
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
    ) -> None:
        self._encoder, self.limits = encoder, limits
        self._groups = [
            [gym.make(env_id, **env_kwargs) for _ in range(group_size)] for _ in range(prompts)
        ]
        self._delta = ChatDelta(encoder)
        if isinstance(self._groups[0][0].unwrapped, MultiTurnEnv):
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
            The groups; episodes in which something of ours failed are among them, marked.

        Raises:
            InfrastructureError: Something of ours failed in every single episode.
            ConfigurationError: A prompt leaves no room for an answer.
        """
        starts = [
            self._reset(envs, seed, own, training_step)
            for envs, seed, own in zip(self._groups, seeds, rng.spawn(len(seeds)), strict=True)
        ]
        play([each for start in starts for each in start.conversations], sampler, self.limits)
        groups = [start.group() for start in starts]
        report_failures(groups)
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
        room = self.limits.max_context - self.limits.max_new_tokens
        if len(prompt) > room:
            raise ConfigurationError(
                f"the prompt of task {first['task_id']!r} has {len(prompt)} tokens, but "
                f"max_context={self.limits.max_context} and max_new_tokens="
                f"{self.limits.max_new_tokens} leave room for {room}"
            )
        conversations = [
            Conversation(env, self._encoder, self._delta, own, prompt, info["messages"])
            for (env, info), own in zip(infos, rng.spawn(len(infos)), strict=True)
        ]
        return _Start(first["task_id"], prompt, conversations, failures)

    def close(self) -> None:
        """Close every environment."""
        for envs in self._groups:
            for env in envs:
                env.close()

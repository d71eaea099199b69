"""What an environment of ours said to a rollout of verifiers: its rewards, exactly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import verifiers.v1 as vf

from agents.integrations.pool import EnvPool, PooledEpisode
from agents.integrations.tasks import TaskRef
from agents.integrations.verifiers.data import ToolRLData
from toolrl_env.core.errors import ConfigurationError, InfrastructureError
from toolrl_env.core.types import FailureKind

__all__ = ["Played", "gold_solves", "play_answers", "played"]

_KEY = "toolrl"


@dataclass(frozen=True, slots=True)
class Played:
    """An episode as far as it was played, in plain values: it goes into ``trace.info``.

    Attributes:
        rewards: The reward of each answer.
        terms: Each reward term, summed over the answers.
        is_success: Whether the task is solved.
        over: Whether the environment ended the episode; false if a limit of verifiers' cut it.
        stop_reason: Why the environment ended it; empty if it did not.
    """

    rewards: tuple[float, ...] = ()
    terms: Mapping[str, float] | None = None
    is_success: bool = False
    over: bool = False
    stop_reason: str = ""

    @classmethod
    def of(cls, episode: PooledEpisode) -> Self:
        """Return what has been played of an episode."""
        outcomes = episode.outcomes
        names = dict.fromkeys(name for each in outcomes for name in each.components)
        last = outcomes[-1]
        return cls(
            rewards=tuple(each.reward for each in outcomes),
            terms={
                name: sum(each.components.get(name, 0.0) for each in outcomes)
                for name in names
                if name != "total"
            },
            is_success=last.is_success,
            over=last.over,
            stop_reason="" if last.stop_reason is None else last.stop_reason.value,
        )

    @property
    def reward(self) -> float:
        """The sum of the rewards."""
        return sum(self.rewards)

    def metrics(self) -> dict[str, float]:
        """Return each term, and ``is_success`` and ``answers``."""
        extra = {"is_success": float(self.is_success), "answers": float(len(self.rewards))}
        return {**(self.terms or {}), **extra}

    def note(self, trace: vf.Trace) -> None:
        """Write it into ``trace.info``, which verifiers saves with the trace."""
        trace.info[_KEY] = asdict(self)


def played(data: ToolRLData, trace: vf.Trace) -> Played:
    """Return what a rollout earned: what was noted while it was played, else its answers replayed.

    Raises:
        InfrastructureError: Something of ours failed, or the rollout was stopped before there was
            an answer: there is no reward.
        ConfigurationError: The answers end, by no limit, where the episode goes on.
    """
    noted: Mapping[str, Any] | None = trace.info.get(_KEY)
    if noted is not None:
        return Played(**{**noted, "rewards": tuple(noted["rewards"])})
    answers = [data.answer(message) for message in trace.assistant_messages]
    if not answers and trace.stop_condition is not None:
        raise InfrastructureError(
            f"stopped by {trace.stop_condition} before there was an answer", FailureKind.TIMEOUT
        )
    result = play_answers(data.ref, answers)
    if answers and not (result.over or trace.is_truncated or trace.is_timeout):
        raise ConfigurationError(
            f"{data.env} goes on after {len(answers)} answer(s), which cannot be scored alone: "
            "play it with ToolRLEnv (--env.id toolrl)"
        )
    result.note(trace)
    return result


def play_answers(ref: TaskRef, answers: Iterable[str]) -> Played:
    """Play a task with given answers, until they or the episode end.

    Raises:
        InfrastructureError: Something of ours failed: there is no reward.
    """
    with EnvPool() as pool, pool.open(ref) as episode:
        for answer in answers:
            if episode.over:
                break
            episode.answer(answer)
        return Played.of(episode) if episode.outcomes else Played()


def gold_solves(ref: TaskRef) -> bool | None:
    """Return whether the gold answers solve the task; ``None`` if it has none to play.

    Raises:
        InfrastructureError: Something of ours failed.
    """
    with EnvPool() as pool, pool.open(ref) as episode:
        while not episode.over:
            try:
                gold = episode.gold_answer()
            except ConfigurationError:
                return None
            episode.answer(gold)
        return episode.outcomes[-1].is_success

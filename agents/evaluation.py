"""Scoring a policy on held-out tasks, over as many turns as they take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium as gym

import toolrl_env  # noqa: F401  # registers the ids
from agents.game import Game, ask
from agents.policy import Policy
from agents.statistics import Interval, bootstrap_mean
from toolrl_env.core.errors import InfrastructureError
from toolrl_env.core.types import StopReason
from toolrl_env.envs.base import ToolUseEnv
from toolrl_env.envs.vector import MAX_CONCURRENCY
from toolrl_env.envs.workers import Workers, for_each

__all__ = ["Evaluation", "PlayedTask", "evaluate"]


@dataclass(frozen=True, slots=True)
class PlayedTask:
    """One task, played to its end.

    Attributes:
        question: What the user asked, as the model saw it.
        gold: The gold answer to it.
        answers: The policy's answers, one per turn.
        reward: The sum of the turns' rewards.
        components: The sum of each reward term over the turns.
        is_success: Whether it was solved: what the environment says, else whether the reward is the
            highest possible.
        stop_reason: Why it ended.
    """

    question: str
    gold: str
    answers: tuple[str, ...]
    reward: float
    components: Mapping[str, float]
    is_success: bool
    stop_reason: StopReason | None


@dataclass(frozen=True)
class Evaluation:
    """Tasks that a policy played, once each.

    Attributes:
        tasks: In the order asked for.
    """

    tasks: tuple[PlayedTask, ...]

    @property
    def questions(self) -> tuple[str, ...]:
        """What the users asked."""
        return tuple(task.question for task in self.tasks)

    @property
    def golds(self) -> tuple[str, ...]:
        """The gold answers to that."""
        return tuple(task.gold for task in self.tasks)

    @property
    def answers(self) -> tuple[str, ...]:
        """Every task's answers, with an empty line between two turns."""
        return tuple("\n\n".join(task.answers) for task in self.tasks)

    @property
    def rewards(self) -> list[float]:
        """Every task's reward."""
        return [task.reward for task in self.tasks]

    @property
    def perfect(self) -> list[float]:
        """1.0 where the task was solved, else 0.0."""
        return [float(task.is_success) for task in self.tasks]

    def component(self, name: str) -> list[float]:
        """Return one reward term's value on every task."""
        return [task.components[name] for task in self.tasks]

    def summary(self) -> dict[str, Interval]:
        """Return means with 95 % intervals.

        ``reward``, ``perfect`` (share of solved tasks), ``turns`` (answers per task), and where the
        reward has such a term, ``format``.
        """
        means = {
            "reward": bootstrap_mean(self.rewards),
            "perfect": bootstrap_mean(self.perfect),
            "turns": bootstrap_mean([float(len(task.answers)) for task in self.tasks]),
        }
        if all("format" in task.components for task in self.tasks):
            means["format"] = bootstrap_mean(self.component("format"))
        return means


def evaluate(
    policy: Policy, env_id: str, env_kwargs: Mapping[str, Any], indices: Sequence[int]
) -> Evaluation:
    """Let ``policy`` play the tasks ``indices`` once each, all at the same time.

    Environments whose tools wait for something outside are stepped in threads.

    Args:
        policy: Answers all that go on in one call.
        env_id: A registered id.
        env_kwargs: Keyword arguments for ``gym.make``, normally with a held-out ``split``.
        indices: Task indices.

    Raises:
        InfrastructureError: The environment failed on a task, or the policy could not be asked: a
            mean over the rest would not be comparable.
    """
    envs = [gym.make(env_id, **env_kwargs) for _ in indices]
    waits = any(isinstance(env.unwrapped, ToolUseEnv) and env.unwrapped.waits for env in envs)
    workers = Workers(MAX_CONCURRENCY) if waits else None
    games = for_each(lambda pair: Game(*pair), list(zip(envs, indices, strict=True)), workers)
    while live := [game for game in games if not game.over]:
        answers = list(zip(live, ask(policy, live), strict=True))
        for_each(lambda pair: pair[0].step(pair[1]), answers, workers)
    if workers is not None:
        workers.close()
    failed = [game.failure.reason for game in games if game.failure is not None]
    if failed:
        raise InfrastructureError(f"{len(failed)} of {len(games)} tasks failed: {failed[0]}")
    for game in games:
        game.close()
    return Evaluation(tuple(_result(game) for game in games))


def _result(game: Game) -> PlayedTask:
    return PlayedTask(
        question=game.question,
        gold=game.gold,
        answers=tuple(transition.action for transition in game.transitions),
        reward=game.reward,
        components=game.components,
        is_success=game.turns[-1].is_success,
        stop_reason=game.turns[-1].stop_reason,
    )

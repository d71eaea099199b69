"""Scoring a policy on held-out tasks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium as gym

import toolrl_env  # noqa: F401  # registers the ids
from agents.policy import Policy
from agents.rollout import Outcome, score
from agents.statistics import Interval, bootstrap_mean
from toolrl_env.core.errors import InfrastructureError

__all__ = ["Evaluation", "evaluate"]


@dataclass(frozen=True)
class Evaluation:
    """One answer per task, scored.

    Attributes:
        questions: What the user asked, as the model saw it.
        golds: The gold answers.
        answers: The policy's answers.
        outcomes: Their outcomes, in the same order.
    """

    questions: tuple[str, ...]
    golds: tuple[str, ...]
    answers: tuple[str, ...]
    outcomes: tuple[Outcome, ...]

    @property
    def rewards(self) -> list[float]:
        """Every task's reward."""
        return [outcome.reward for outcome in self.outcomes if outcome.reward is not None]

    @property
    def perfect(self) -> list[float]:
        """1.0 where the reward is the task's highest, else 0.0."""
        return [
            float(math.isclose(outcome.reward, outcome.highest, abs_tol=1e-9))
            for outcome in self.outcomes
            if outcome.reward is not None
        ]

    def component(self, name: str) -> list[float]:
        """Return one reward term's value on every task."""
        return [outcome.components[name] for outcome in self.outcomes]

    def summary(self) -> dict[str, Interval]:
        """Return mean reward, share of perfect answers and format rate, with 95 % intervals."""
        return {
            "reward": bootstrap_mean(self.rewards),
            "perfect": bootstrap_mean(self.perfect),
            "format": bootstrap_mean(self.component("format")),
        }


def evaluate(
    policy: Policy, env_id: str, env_kwargs: Mapping[str, Any], indices: Sequence[int]
) -> Evaluation:
    """Let ``policy`` answer the tasks ``indices`` once each.

    Args:
        policy: Answers all of them in one call.
        env_id: A registered id.
        env_kwargs: Keyword arguments for ``gym.make``, normally with a held-out ``split``.
        indices: Task indices.

    Raises:
        InfrastructureError: The environment failed on a task: a mean over the rest would not be
            comparable.
    """
    envs = [gym.make(env_id, **env_kwargs) for _ in indices]
    resets = [
        env.reset(seed=0, options={"task_index": index})
        for env, index in zip(envs, indices, strict=True)
    ]
    observations = [observation for observation, _ in resets]
    questions = tuple(info["messages"][-1]["content"] for _, info in resets)
    golds = tuple(env.unwrapped.gold_answer() for env in envs)
    answers = tuple(policy.act(observations, [info for _, info in resets]))
    outcomes = tuple(score(env, answer) for env, answer in zip(envs, answers, strict=True))
    failed = [outcome.failure for outcome in outcomes if outcome.reward is None]
    if failed:
        raise InfrastructureError(f"{len(failed)} of {len(outcomes)} tasks failed: {failed[0]}")
    return Evaluation(questions, golds, answers, outcomes)

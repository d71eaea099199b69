"""Groups of scored answers: reset, sample, step. Broken infrastructure never becomes a reward."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import gymnasium as gym
import numpy as np

import toolrl_env  # noqa: F401  # registers the ids
from agents.generation import Completion
from agents.prompting import ChatEncoder
from toolrl_env.core.errors import ConfigurationError, InfrastructureError
from toolrl_env.core.types import StopReason

__all__ = ["Group", "GroupCollector", "Outcome", "Sample", "Sampler", "derive_seed", "score"]

Sampler = Callable[[Sequence[tuple[int, ...]], np.random.Generator], list[list[Completion]]]
"""``(prompts, rng) -> completions``: one list of ``group_size`` completions per prompt."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an environment said to one answer.

    Attributes:
        reward: The reward, or ``None`` if the environment failed: such an answer is left out of
            every mean and every update, it does not count as 0.
        components: The reward, term by term; empty if it failed.
        highest: The most that this task could have given; ``nan`` if it failed or does not say.
        failure: Why there is no reward; empty if there is one.
    """

    reward: float | None
    components: Mapping[str, float] = field(default_factory=dict)
    highest: float = float("nan")
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """One sampled answer with its outcome."""

    completion: Completion
    text: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Group:
    """The answers to one prompt.

    Attributes:
        task_id: The task.
        prompt_ids: The prompt, as tokens.
        samples: The answers that were scored.
        failures: How many others the environment failed on.
    """

    task_id: str
    prompt_ids: tuple[int, ...]
    samples: tuple[Sample, ...]
    failures: int = 0

    @property
    def rewards(self) -> np.ndarray:
        """The rewards [G]."""
        return np.array([sample.outcome.reward for sample in self.samples], dtype=np.float64)


def derive_seed(*key: int) -> int:
    """Return a 31-bit seed for a position in the run, e.g. ``(seed, stream, step, prompt)``.

    Since every random choice depends on its position alone, a run resumes exactly where it was.

    >>> derive_seed(0, 1) == derive_seed(0, 1) != derive_seed(1, 0)
    True
    """
    return int(np.random.SeedSequence(key).generate_state(1)[0] >> 1)


def score(env: gym.Env, answer: str) -> Outcome:
    """Step ``env`` with ``answer``.

    ``InfrastructureError`` and a stop reason of that kind become a failed outcome. Any other
    exception is a bug and propagates.

    Raises:
        ConfigurationError: The episode goes on, and this trainer would leave it after one answer.
    """
    try:
        _, reward, terminated, truncated, info = env.step(answer)
    except InfrastructureError as error:
        return Outcome(None, failure=str(error) or "infrastructure error")
    if info["stop_reason"] == StopReason.INFRASTRUCTURE:
        return Outcome(None, failure="the environment stopped for infrastructure")
    if not (terminated or truncated):
        name = type(env.unwrapped).__name__ if env.spec is None else env.spec.id
        raise ConfigurationError(
            f"episodes of {name} go on after an answer; this trainer takes one answer per episode"
        )
    highest = sum(term.high * term.weight for term in info["breakdown"].terms)
    return Outcome(float(reward), dict(info["reward"]), highest)


class GroupCollector:
    """Plays groups of answers on environments made by ``gym.make``.

    Every member of a group has an environment of its own, reset with the group's seed: the same
    task and the same state, with nothing shared.

    Args:
        env_id: A registered id.
        env_kwargs: Keyword arguments for ``gym.make``.
        encoder: Encodes prompts, decodes answers.
        prompts: Groups played at a time.
        group_size: Answers per group.
    """

    def __init__(
        self,
        env_id: str,
        env_kwargs: Mapping[str, Any],
        encoder: ChatEncoder,
        *,
        prompts: int,
        group_size: int,
    ) -> None:
        self._encoder = encoder
        self._groups = [
            [gym.make(env_id, **env_kwargs) for _ in range(group_size)] for _ in range(prompts)
        ]

    def collect(
        self, sampler: Sampler, seeds: Sequence[int], rng: np.random.Generator, training_step: int
    ) -> list[Group]:
        """Play one group per seed.

        Args:
            sampler: Samples the answers.
            seeds: One per group; picks its task.
            rng: Handed to the sampler.
            training_step: What scheduled rewards depend on.

        Raises:
            InfrastructureError: The environment failed on every single answer.
        """
        infos = []
        for envs, seed in zip(self._groups, seeds, strict=True):
            options = {"training_step": training_step}
            resets = [env.reset(seed=seed, options=options) for env in envs]
            infos.append(resets[0][1])
        prompts = [self._encoder.prompt(info) for info in infos]
        completions = sampler(prompts, rng)
        groups = [
            self._score_group(envs, info["task_id"], prompt, answers)
            for envs, info, prompt, answers in zip(
                self._groups, infos, prompts, completions, strict=True
            )
        ]
        if not any(group.samples for group in groups):
            raise InfrastructureError("the environment failed on every answer of the batch")
        return groups

    def _score_group(
        self,
        envs: Sequence[gym.Env],
        task_id: str,
        prompt: tuple[int, ...],
        completions: Sequence[Completion],
    ) -> Group:
        samples = []
        for env, completion in zip(envs, completions, strict=True):
            text = self._encoder.decode(completion.token_ids)
            samples.append(Sample(completion, text, score(env, text)))
        scored = tuple(sample for sample in samples if sample.outcome.reward is not None)
        return Group(task_id, prompt, scored, len(samples) - len(scored))

    def close(self) -> None:
        """Close every environment."""
        for envs in self._groups:
            for env in envs:
                env.close()

"""Groups of episodes as tensors, ready to be trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import PreTrainedModel

from agents.advantages import batch_advantages
from agents.episode import Episode, Group
from agents.kl import kl_estimate
from agents.objective import ObjectiveConfig, TokenBatch
from agents.packing import group_logprobs
from agents.shaping import component_table, overlong_penalty, part_weights

__all__ = ["Lesson", "assign", "denominator", "lesson_logprobs", "make_lesson", "trained_tokens"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Lesson:
    """The scored episodes of one group, right-padded to the longest.

    Attributes:
        group: The episodes.
        mask: True at tokens to train on, shape [G, T]: the policy's own, outside masked turns.
        sampler: Log-probabilities as sampled, shape [G, T], 0 elsewhere.
        old: Log-probabilities before the update, shape [G, T]; ``sampler`` where it is trusted.
        advantages: Shape [G, T]; 0 until ``assign``.
        reference: Log-probabilities under the frozen reference, shape [G, T], or ``None``.
    """

    group: Group
    mask: Tensor
    sampler: Tensor
    old: Tensor
    advantages: Tensor
    reference: Tensor | None = None

    @property
    def teaches(self) -> bool:
        """Whether any token has an advantage."""
        return bool((self.advantages.abs() > 1e-9).any())

    def batch(self, new: Tensor) -> TokenBatch:
        """Return the tokens with the log-probabilities of the policy being trained."""
        return TokenBatch(
            new, self.old, self.sampler, self.advantages, self.mask, reference=self.reference
        )


def make_lesson(
    group: Group,
    config: ObjectiveConfig,
    policy: PreTrainedModel,
    temperature: float,
    reference: PreTrainedModel | None = None,
) -> Lesson:
    """Stack a group's episodes; run the models that the objective needs, without gradient.

    Args:
        group: At least one scored episode.
        config: Says which log-probabilities are needed.
        policy: The policy before the update.
        temperature: The policy's temperature.
        reference: The frozen reference, or ``None``.
    """
    episodes = group.scored
    width = max(len(episode.token_ids) for episode in episodes)
    mask = torch.zeros(len(episodes), width, dtype=torch.bool)
    sampler = torch.zeros(len(episodes), width)
    for row, episode in enumerate(episodes):
        mask[row, : len(episode.token_ids)] = torch.tensor(_trainable(episode))
        sampler[row, : len(episode.token_ids)] = torch.tensor(episode.logprobs)
    lesson = Lesson(group, mask, sampler, sampler, torch.zeros_like(sampler))
    with torch.no_grad():
        if config.importance != "none":
            lesson = replace(lesson, old=lesson_logprobs(policy, lesson, temperature))
        if reference is not None:
            lesson = replace(lesson, reference=lesson_logprobs(reference, lesson, temperature))
    return lesson


def lesson_logprobs(model: PreTrainedModel, lesson: Lesson, temperature: float) -> Tensor:
    """Return the log-probabilities of a lesson's tokens under ``model``, shape [G, T]."""
    answers = [episode.token_ids for episode in lesson.group.scored]
    logprobs, _ = group_logprobs(
        model, lesson.group.scored[0].prompt_ids, answers, temperature
    )  # [G, T]
    return logprobs


def assign(config: ObjectiveConfig, lessons: Sequence[Lesson], limit: int) -> list[Lesson]:
    """Give every token its advantage: that of its episode.

    Args:
        config: How rewards become advantages, and what is subtracted from them.
        lessons: All that the step trains on; some advantages depend on all of them.
        limit: Tokens after which an answer is cut.
    """
    groups = [lesson.group for lesson in lessons]
    rewards = [lesson.group.rewards for lesson in lessons]
    extra: dict[str, list[Array]] = {}
    if config.overlong_buffer:
        extra["overlong"] = [_overlong(group, limit, config.overlong_buffer) for group in groups]
        rewards = [r + penalty for r, penalty in zip(rewards, extra["overlong"], strict=True)]
    if config.kl != "none" and config.kl_in == "reward":
        distances = [_distance(config.kl, lesson) for lesson in lessons]
        rewards = [r - config.kl_weight * d for r, d in zip(rewards, distances, strict=True)]
    if config.advantage == "gdpo":
        names, tables = component_table(groups, extra)
        advantages = batch_advantages("gdpo", rewards, tables, part_weights(names, config.weights))
    else:
        advantages = batch_advantages(config.advantage, rewards)
    return [
        replace(lesson, advantages=torch.from_numpy(a).float()[:, None] * lesson.mask)
        for lesson, a in zip(lessons, advantages, strict=True)
    ]


def denominator(config: ObjectiveConfig, lessons: Sequence[Lesson], limit: int) -> float:
    """Return what the batch's sum is divided by, for its aggregation."""
    if config.aggregation == "token":
        return float(trained_tokens(lessons))
    answers = sum(len(lesson.mask) for lesson in lessons)
    return float(answers * limit if config.aggregation == "constant" else answers)


def trained_tokens(lessons: Sequence[Lesson]) -> int:
    """Return how many tokens have a part in the loss."""
    return sum(int(lesson.mask.sum()) for lesson in lessons)


def _trainable(episode: Episode) -> list[bool]:
    """Return which tokens the policy sampled in turns that were scored."""
    trainable = list(episode.sampled)
    for turn in episode.turns:
        if turn.masked:
            start, end = turn.tokens
            trainable[start:end] = [False] * (end - start)
    return trainable


def _overlong(group: Group, limit: int, buffer: int) -> Array:
    """Return the penalty of each episode's longest answer, shape [G]."""
    longest = [
        max(turn.tokens[1] - turn.tokens[0] for turn in episode.turns) for episode in group.scored
    ]
    return np.array([overlong_penalty(length, limit, buffer) for length in longest])


def _distance(kind: str, lesson: Lesson) -> Array:
    """Return each episode's distance to the reference in nats, shape [G]."""
    if lesson.reference is None:
        raise ValueError("KL in the reward needs the reference's log-probabilities")
    estimates = kl_estimate(lesson.old, lesson.reference, lesson.mask, kind)
    return estimates.sum(1).double().numpy()

"""Groups of episodes as tensors, compared with each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import PreTrainedModel

from agents.advantages import GROUP_ADVANTAGES, batch_advantages
from agents.credit import outcome, trainable
from agents.episode import Group
from agents.kl import kl_estimate
from agents.logprobs import sampled_logprobs
from agents.multi_turn import CreditConfig, RolloutConfig
from agents.objective import ObjectiveConfig
from agents.packing import micro_batches
from agents.schemes import assign_credit
from agents.shaping import component_table, overlong_penalty, part_weights
from toolrl_env.core.errors import ConfigurationError

__all__ = [
    "Lesson",
    "LessonConfig",
    "assign",
    "denominator",
    "lesson_logprobs",
    "make_lesson",
    "measure",
    "trained_tokens",
]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class LessonConfig(ObjectiveConfig, CreditConfig, RolloutConfig):
    """What the making of lessons depends on."""


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


def make_lesson(group: Group, config: LessonConfig) -> Lesson:
    """Stack a group's episodes as they were sampled; no model runs.

    Args:
        group: At least one scored episode.
        config: Says what becomes of truncated episodes.
    """
    episodes = group.scored
    width = max(len(episode.token_ids) for episode in episodes)
    mask = torch.zeros(len(episodes), width, dtype=torch.bool)
    sampler = torch.zeros(len(episodes), width)
    keep = config.truncated == "keep"
    for row, episode in enumerate(episodes):
        own = trainable(episode, keep_truncated=keep)
        mask[row, : len(episode.token_ids)] = torch.from_numpy(own)
        sampler[row, : len(episode.token_ids)] = torch.tensor(episode.logprobs)
    return Lesson(group, mask, sampler, sampler, torch.zeros_like(sampler))


def measure(
    lesson: Lesson,
    config: LessonConfig,
    policy: PreTrainedModel,
    reference: PreTrainedModel | None = None,
) -> Lesson:
    """Run the models that the objective needs beside the policy's own pass.

    Args:
        lesson: What to score.
        config: Says which log-probabilities are needed.
        policy: The policy before the update.
        reference: The frozen reference, or ``None``.
    """
    old, beside = lesson.old, lesson.reference
    if config.importance != "none":
        old = lesson_logprobs(policy, lesson, config)
    if reference is not None:
        beside = lesson_logprobs(reference, lesson, config)
    return replace(lesson, old=old, reference=beside)


@torch.no_grad()
def lesson_logprobs(model: PreTrainedModel, lesson: Lesson, config: LessonConfig) -> Tensor:
    """Return the log-probabilities of a lesson's tokens under ``model``, shape [G, T].

    They come in parts of ``config.micro_batch_tokens``, without gradient, on the processor.
    """
    episodes, table = lesson.group.scored, torch.zeros_like(lesson.sampler)
    for part in micro_batches(episodes, config.micro_batch_tokens):
        some = [episodes[index] for index in part]
        values = sampled_logprobs(model, some, config.temperature).logprobs.cpu()
        table[list(part), : values.shape[1]] = values
    return table


def assign(config: LessonConfig, lessons: Sequence[Lesson]) -> list[Lesson]:
    """Give every token its advantage.

    Args:
        config: How rewards become advantages, what is subtracted from them, and who gets them.
        lessons: All that the step trains on; some advantages depend on all of them.
    """
    if not lessons:
        return []
    groups = [lesson.group for lesson in lessons]
    if config.credit == "outcome":
        rows = outcome(groups, _of_episodes(config, lessons))
    else:
        rows = assign_credit(
            config.credit,
            groups,
            normalise=GROUP_ADVANTAGES[config.advantage],
            gamma=config.gamma,
            weight=config.credit_weight,
        )
    return [
        replace(lesson, advantages=_padded(values) * lesson.mask)
        for lesson, values in zip(lessons, rows, strict=True)
    ]


def _padded(rows: Sequence[Array]) -> Tensor:
    """Return rows of different lengths, right-padded with 0, as float32 [G, T]."""
    full = np.zeros((len(rows), max(len(row) for row in rows)), dtype=np.float32)
    for index, row in enumerate(rows):
        full[index, : len(row)] = row
    return torch.from_numpy(full)


def _of_episodes(config: LessonConfig, lessons: Sequence[Lesson]) -> list[Array]:
    """Return one advantage for each episode, shape [G] a lesson."""
    groups = [lesson.group for lesson in lessons]
    rewards = [lesson.group.rewards for lesson in lessons]
    extra: dict[str, list[Array]] = {}
    if config.overlong_buffer:
        extra["overlong"] = [_overlong(group, config) for group in groups]
        rewards = [r + penalty for r, penalty in zip(rewards, extra["overlong"], strict=True)]
    if config.kl_in_reward:
        distances = [_distance(config.kl, lesson) for lesson in lessons]
        rewards = [r - config.kl_weight * d for r, d in zip(rewards, distances, strict=True)]
    if config.advantage == "gdpo":
        names, tables = component_table(groups, extra)
        if not names:
            raise ConfigurationError(
                "advantage='gdpo' normalises the parts of the reward; this environment's has none"
            )
        return batch_advantages("gdpo", rewards, tables, part_weights(names, config.weights))
    return batch_advantages(config.advantage, rewards)


def denominator(config: LessonConfig, lessons: Sequence[Lesson]) -> float:
    """Return what the batch's sum is divided by, for its aggregation."""
    if config.aggregation == "token":
        return float(trained_tokens(lessons))
    episodes = [episode for lesson in lessons for episode in lesson.group.scored]
    if config.aggregation == "constant":
        return float(sum(len(episode.turns) for episode in episodes) * config.max_new_tokens)
    return float(len(episodes))


def trained_tokens(lessons: Sequence[Lesson]) -> int:
    """Return how many tokens have a part in the loss."""
    return sum(int(lesson.mask.sum()) for lesson in lessons)


def _overlong(group: Group, config: LessonConfig) -> Array:
    """Return the penalty of each episode's longest answer, shape [G]."""
    longest = [
        max(turn.tokens[1] - turn.tokens[0] for turn in episode.turns) for episode in group.scored
    ]
    return np.array(
        [
            overlong_penalty(length, config.max_new_tokens, config.overlong_buffer)
            for length in longest
        ]
    )


def _distance(kind: str, lesson: Lesson) -> Array:
    """Return each episode's distance to the reference in nats, shape [G]."""
    if lesson.reference is None:
        raise ValueError("KL in the reward needs the reference's log-probabilities")
    estimates = kl_estimate(lesson.old, lesson.reference, lesson.mask, kind)
    return estimates.sum(1).double().numpy()

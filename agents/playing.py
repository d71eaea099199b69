"""Playing conversations: one answer to each of them, round after round."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from agents.conversation import Conversation, Limits
from agents.generation import Completion
from agents.turn_outcome import take_turn
from toolrl_env.envs.workers import Workers, for_each

__all__ = ["Sampler", "play", "play_round"]

Sampler = Callable[
    [Sequence[tuple[int, ...]], Sequence[int], Sequence[np.random.Generator]],
    list[list[Completion]],
]
"""``(contexts, samples per context, a generator per answer) -> completions per context``."""


def play_round(
    live: Sequence[Conversation], sampler: Sampler, workers: Workers | None = None
) -> None:
    """Sample one answer to each conversation and let the environments have them.

    Conversations with one context (a group before its first answer) are one request for several
    answers.

    Args:
        live: Conversations that go on; they are changed.
        sampler: Samples the answers.
        workers: Steps the environments at the same time; ``None``: one after the other.
    """
    waiting: dict[tuple[int, ...], list[Conversation]] = {}
    for conversation in live:
        waiting.setdefault(conversation.context, []).append(conversation)
    order = [conversation for same in waiting.values() for conversation in same]
    rngs = [conversation.rng for conversation in order]
    answers = sampler(list(waiting), [len(same) for same in waiting.values()], rngs)
    completions = [completion for same in answers for completion in same]
    texts = [each.say(completion) for each, completion in zip(order, completions, strict=True)]
    steps = [(each.env, text) for each, text in zip(order, texts, strict=True)]
    outcomes = for_each(lambda step: take_turn(*step), steps, workers)
    for conversation, outcome in zip(order, outcomes, strict=True):
        conversation.hear(outcome)


def play(
    conversations: Sequence[Conversation],
    sampler: Sampler,
    limits: Limits,
    workers: Workers | None = None,
) -> None:
    """Play conversations to their ends, all together; those that have ended leave the batch.

    Args:
        conversations: They are changed.
        sampler: Samples the answers.
        limits: How long answers and episodes may become.
        workers: As for ``play_round``.
    """
    while live := [each for each in conversations if each.goes_on(limits)]:
        play_round(live, sampler, workers)

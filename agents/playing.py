"""Playing conversations: one answer to each of them, round after round."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from agents.conversation import Conversation, Limits
from agents.generation import Completion

__all__ = ["Sampler", "play", "play_round"]

Sampler = Callable[
    [Sequence[tuple[int, ...]], Sequence[int], Sequence[np.random.Generator]],
    list[list[Completion]],
]
"""``(contexts, samples per context, a generator per answer) -> completions per context``."""


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

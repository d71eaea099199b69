"""Samplers that give set answers instead of asking a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agents.generation import Completion
from agents.prompting import ChatEncoder


def completion(encoder: ChatEncoder, text: str, *, finished: bool = True) -> Completion:
    """An answer; unfinished ones lack the end token."""
    ids = encoder.answer(text) if finished else encoder.answer(text)[:-1]
    return Completion(ids, (-0.5,) * len(ids), finished)


class Script:
    """Answers by what the context says: ``choose(text of the context, number among its equals)``.

    Attributes:
        calls: What was asked for: contexts and samples of each.
    """

    def __init__(self, encoder: ChatEncoder, choose: Callable[[str, int], str], *, finished=True):
        self.encoder, self.choose, self.finished = encoder, choose, finished
        self.calls: list[tuple[list[tuple[int, ...]], list[int]]] = []

    def __call__(self, contexts: Sequence[tuple[int, ...]], samples: Sequence[int], rngs):
        assert len(rngs) == sum(samples)
        self.calls.append((list(contexts), list(samples)))
        return [
            [
                completion(
                    self.encoder,
                    self.choose(self.encoder.tokenizer.decode(context), number),
                    finished=self.finished,
                )
                for number in range(size)
            ]
            for context, size in zip(contexts, samples, strict=True)
        ]

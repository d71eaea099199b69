"""A batch in parts of so many tokens: what bounds the memory of an update."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from agents.episode import Episode
from agents.lessons import Lesson
from agents.objective import TokenBatch
from agents.packing import micro_batches

__all__ = ["Part", "divide"]


@dataclass(frozen=True, slots=True)
class Part:
    """Episodes of one or several groups, or of a piece of one, for one forward and backward pass.

    Attributes:
        episodes: B of them; those with equal prompts share it in the packed row.
        mask: True at tokens to train on, shape [B, T]; T is the longest episode's.
        sampler: Log-probabilities as sampled, shape [B, T].
        old: Log-probabilities before the update, shape [B, T].
        advantages: Shape [B, T].
        reference: Log-probabilities under the frozen reference, shape [B, T], or ``None``.
    """

    episodes: tuple[Episode, ...]
    mask: Tensor
    sampler: Tensor
    old: Tensor
    advantages: Tensor
    reference: Tensor | None

    @property
    def tokens(self) -> int:
        """How many tokens are trained on."""
        return int(self.mask.sum())

    def batch(self, new: Tensor) -> TokenBatch:
        """Return the tokens, on the device of the trained policy's log-probabilities [B, T]."""
        old, sampler, advantages, mask = (
            each.to(new.device) for each in (self.old, self.sampler, self.advantages, self.mask)
        )
        reference = None if self.reference is None else self.reference.to(new.device)
        return TokenBatch(new, old, sampler, advantages, mask, reference=reference)


def divide(lessons: Sequence[Lesson], budget: int) -> list[Part]:
    """Divide lessons into parts of at most ``budget`` tokens, each prompt counted once a part.

    Small groups share a part; a group that does not fit is divided. Episodes without a token to
    train on (masked because a limit cut them) are in no part.

    Args:
        lessons: The batch.
        budget: Tokens of a packed row, above 0 (see ``agents.packing.micro_batches``).
    """
    places = [
        (lesson, row)
        for lesson in lessons
        for row in range(len(lesson.group.scored))
        if lesson.mask[row].any()
    ]
    episodes = [lesson.group.scored[row] for lesson, row in places]
    parts = []
    for indices in micro_batches(episodes, budget):
        some = [places[index] for index in indices]
        width = max(len(episodes[index].token_ids) for index in indices)
        references = [lesson.reference[row] for lesson, row in some if lesson.reference is not None]
        parts.append(
            Part(
                tuple(episodes[index] for index in indices),
                _stack([lesson.mask[row] for lesson, row in some], width),
                _stack([lesson.sampler[row] for lesson, row in some], width),
                _stack([lesson.old[row] for lesson, row in some], width),
                _stack([lesson.advantages[row] for lesson, row in some], width),
                _stack(references, width) if references else None,
            )
        )
    return parts


def _stack(rows: Sequence[Tensor], width: int) -> Tensor:
    """Return rows of several widths, cut or filled up with 0, as [B, width]."""
    table = rows[0].new_zeros(len(rows), width)
    for index, row in enumerate(rows):
        size = min(len(row), width)
        table[index, :size] = row[:size]
    return table

"""The passages of a conversation: which words belong to the same thing that is asked for."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

__all__ = ["Passages", "split_passages"]

_BREAK = re.compile(r"[.!?;:]\s+|\n+|,?\s(?:and\s|after\s)?(?:then|that,)\s|,\s(?:and|but)\s", re.I)
_MOST = 32


@dataclass(frozen=True, slots=True)
class Passages:
    """A text cut at the ends of sentences and at words that lead on to something else.

    Attributes:
        starts: Where each passage begins, in characters.
        texts: Each passage.
    """

    starts: tuple[int, ...]
    texts: tuple[str, ...]

    def at(self, place: int) -> int:
        """Return the number of the passage that a place in the text belongs to."""
        return bisect_right(self.starts, place) - 1


def split_passages(text: str) -> Passages:
    """Return the passages of a text, at least one and at most 32 (the last takes the rest).

    >>> split_passages("Find 3 miles in feet, then add 4. Thanks").texts
    ('Find 3 miles in feet, then ', 'add 4. ', 'Thanks')
    """
    ends = [match.end() for match in _BREAK.finditer(text) if match.end() < len(text)]
    starts = (0, *ends[: _MOST - 1])
    bounds = (*starts[1:], len(text))
    return Passages(starts, tuple(text[a:b] for a, b in zip(starts, bounds, strict=True)))

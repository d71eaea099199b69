"""Whether a response gives an expected answer."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["SLACK", "is_answer"]

SLACK = 12
"""Most words that may stand beside the answer: a list of everything is no answer."""
_WORD = re.compile(r"\d+(?:[.,]\d+)*|\w+")
_ARTICLES = frozenset({"a", "an", "the"})


def is_answer(response: str, answers: Sequence[str]) -> bool:
    """Return whether the words of one of the answers stand in the response, in a row.

    Case, punctuation and articles do not count; ``1,200`` is ``1200``; words are whole.

    Args:
        response: What the model said.
        answers: Any of them is right.

    >>> is_answer("That makes 1,200 euros.", ["1200 euros"]), is_answer("In 1847.", ["4"])
    (True, False)
    """
    said = _words(response)
    return any(_within(_words(answer), said) for answer in answers)


def _words(text: str) -> list[str]:
    words = [word.replace(",", "") for word in _WORD.findall(text.casefold())]
    return [word for word in words if word not in _ARTICLES] or words


def _within(wanted: list[str], said: list[str]) -> bool:
    size = len(wanted)
    if not wanted or len(said) > size + SLACK:
        return False
    return any(said[at : at + size] == wanted for at in range(len(said) - size + 1))

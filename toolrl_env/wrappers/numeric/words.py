"""Words: cut to stems, with the small ones known."""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["SMALL_WORDS", "share", "stems", "tokens"]

_TOKEN = re.compile(r"[^\W\d_]+|\d+(?:\.\d+)?")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_STEM = 5
_SMALL = """
a an and are as at be by can could did do does for from had has have he her his how i if in into is
it its me my no not of off on or our out please so than that the their then there they this to too
up was we were what when where which who whose will with would you your hello hi hey thanks thank
give tell find show make get need want
"""
_EMPTY = """
a an and are as at be by can could do for from get give has have i if in is it its let like me my of
on or our please so some such than that the their then there this to up use us was we what which
will with would you your hello hi hey thanks thank
"""
SMALL_WORDS = frozenset(_SMALL.split())
"""Words that no value begins or ends with."""
_EMPTY_WORDS = frozenset(_EMPTY.split())


def tokens(text: str) -> list[str]:
    """Return the first five characters of every word and number, in lower case and in order.

    >>> tokens("convertLengths of 2 a_thing")
    ['conve', 'lengt', 'of', '2', 'a', 'thing']
    """
    return [word.lower()[:_STEM] for word in _TOKEN.findall(_CAMEL.sub(" ", text))]


@lru_cache(maxsize=16_384)
def stems(text: str) -> frozenset[str]:
    """Return the tokens that carry meaning.

    >>> sorted(stems("convertLengths of a_thing"))
    ['conve', 'lengt', 'thing']
    """
    return frozenset(tokens(text)) - _EMPTY_WORDS


def share(words: frozenset[str], asked: frozenset[str]) -> float:
    """Return how many of ``words`` are among ``asked``, in [0, 1]; 0 without words."""
    return len(words & asked) / len(words) if words else 0.0

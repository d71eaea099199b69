"""Scoring a short answer against the right ones: pure functions of strings.

Normalisation is that of the SQuAD evaluation (Rajpurkar et al., *SQuAD: 100,000+ Questions for
Machine Comprehension of Text*, EMNLP 2016, section 6.1): lower case; punctuation, the articles
*a*, *an*, *the* and extra white space removed. It differs where that loses information:

* Unicode: compatibility forms and accents are folded (``Zürich`` = ``Zurich``), all Unicode
  punctuation and symbols are removed, and dashes part words.
* Numbers: ``1,200`` = ``1200`` = ``1200.0``, but ``1.5`` is not ``15`` and ``-5`` is not ``5``.
  Alone, ``four`` = ``4``, up to twenty.
* A text of articles alone stays (an answer ``A`` is not empty), and an empty text is never right.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

__all__ = ["CONTAINS_SLACK", "contains", "exact_match", "f1", "normalise"]

CONTAINS_SLACK = 8
"""Most words, after normalisation, that may stand beside the answer for ``contains``."""

_NUMBER = re.compile(r"(?<![\w.,])[-−]?\d+(?:,\d{3})*(?:\.\d+)?(?![\w]|[.,]\d)")
_ARTICLES = frozenset({"a", "an", "the"})
_DASHES = frozenset("‒–—―")
_KEPT = "\ue000"  # a private character in place of what is part of a number
# fmt: off
_WORDS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
    "twenty",
)
# fmt: on
_DIGITS = {word: str(number) for number, word in enumerate(_WORDS)}


def normalise(text: str) -> str:
    """Return what is compared: words and numbers, one space between them.

    >>> normalise("The “Café Orla”,  est. 1,200!")
    'cafe orla est 1200'
    >>> normalise("-5 °C"), normalise("U.S."), normalise("A")
    ('-5 c', 'us', 'a')
    """
    folded = unicodedata.normalize("NFKD", text).casefold()
    numbers: list[str] = []

    def keep(match: re.Match[str]) -> str:
        numbers.append(_plain_number(match[0]))
        return _KEPT

    spared = _NUMBER.sub(keep, folded.replace(_KEPT, " "))
    shown = iter(numbers)
    letters = (next(shown) if c == _KEPT else _plain_character(c) for c in spared)
    words = "".join(letters).split()
    return " ".join([word for word in words if word not in _ARTICLES] or words)


def exact_match(prediction: str, answers: Sequence[str]) -> float:
    """Return 1.0 if the prediction is one of the answers after normalisation, else 0.0.

    >>> exact_match("the Ollan.", ["Ollan"]), exact_match("Ollan or Wendle", ["Ollan"])
    (1.0, 0.0)
    """
    found = _as_number(normalise(prediction))
    return float(bool(found) and any(found == _as_number(normalise(a)) for a in answers))


def f1(prediction: str, answers: Sequence[str]) -> float:
    """Return the best token F1 with an answer, in ``[0, 1]``; 1.0 wherever ``exact_match`` is.

    F1 = 2·P·R / (P + R) over the multisets of normalised words, as in the SQuAD evaluation.

    >>> f1("Mirel Oskane of Pellstad", ["Mirel Oskane"])
    0.6666666666666666
    """
    if exact_match(prediction, answers):
        return 1.0
    found = Counter(normalise(prediction).split())
    return max((_f1(found, Counter(normalise(answer).split())) for answer in answers), default=0.0)


def contains(prediction: str, answers: Sequence[str]) -> float:
    """Return 1.0 if the words of an answer stand in the prediction, in a row, among few others.

    Words are whole: ``4`` is not in ``1847``. At most ``CONTAINS_SLACK`` other words may be there,
    or else a list of everything would be right.

    >>> contains("It is the river Ollan.", ["Ollan"]), contains("In 1847.", ["4"])
    (1.0, 0.0)
    """
    found = normalise(prediction).split()
    return float(any(_within(normalise(answer).split(), found) for answer in answers))


def _plain_number(text: str) -> str:
    number = text.replace(",", "").replace("−", "-")
    if "." in number:
        number = number.rstrip("0").rstrip(".")
    return number


def _plain_character(character: str) -> str:
    """Return a character as it is compared: punctuation, symbols and accents are nothing."""
    if character in _DASHES:
        return " "
    category = unicodedata.category(character)
    accent = category == "Mn" and "\u0300" <= character <= "\u036f"
    return "" if category[0] in "PS" or accent else character


def _as_number(normal: str) -> str:
    return _DIGITS.get(normal, normal)


def _f1(found: Counter[str], wanted: Counter[str]) -> float:
    common = (found & wanted).total()
    return 2.0 * common / (found.total() + wanted.total()) if common else 0.0


def _within(wanted: list[str], found: list[str]) -> bool:
    size = len(wanted)
    if not wanted or len(found) > size + CONTAINS_SLACK:
        return False
    return any(found[at : at + size] == wanted for at in range(len(found) - size + 1))

"""Values that a conversation mentions: numbers, dates, times, quoted strings, names, lists."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from toolrl_env.wrappers.numeric.said_forms import (
    MONTH_NAME,
    Mention,
    find_counts,
    find_currencies,
    find_dates,
    find_fractions,
    find_offsets,
    find_times,
)
from toolrl_env.wrappers.numeric.words import SMALL_WORDS, stems

__all__ = ["FoundValue", "find_values"]

_QUOTED = re.compile(r"[\"“”`]([^\"“”`]{1,200})[\"“”`]|(?<!\w)'([^']{1,200})'(?!\w)")
_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?![\w-]*\w*@)")
_CODE = re.compile(
    r"\+\d[\d ()-]{6,}\d|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\w+://[^\s\"'<>]+[\w/]|/[\w.-]+(?:/[\w.-]+)*|#[0-9a-fA-F]{3,8}\b"
    r"|\b\d+(?:\.\d+){2,}\b|\b(?=[\w-]*[A-Za-z])[\w-]+(?:\.[A-Za-z_][\w-]*)+\b"
    r"|(?<![\w:.-])0\d+\b(?![:.-]\d)"
    r"|\b(?!\d+(?:st|nd|rd|th)\b)(?=[\w-]*\d)(?=[\w-]*[A-Za-z])\w+(?:-\w+)*\b|\b[A-Z]{2,}\b"
)
_NAME = re.compile(r"\b[^\W\d_a-z][\w'’.-]*[\w](?: (?:of |de |the |la )?[^\W\d_a-z][\w'’-]*\w)*")
_WORD = re.compile(r"[^\W\d_][\w'’-]*")
_LIST = re.compile(r"[\w.'’-]+(?:, [\w.'’-]+)+(?:,? (?:and|or) [\w.'’-]+)?|[\w'’-]+ and [\w'’-]+")
_COMPLEMENT = re.compile(
    r"\b(?:of|in|for|to|at|on|from|around|about|near|with|into|is|my|the|an?|as|called|named|kg|g)"
    r" (?:the |an? |my |some )?(?=((?:[^\W\d_][\w'’-]*)(?: [^\W\d_][\w'’-]*){0,3}))"
)
_OPENING = re.compile(r"(?:^|[.!?:\n]\s*)$")
_PAIR = re.compile(r"[(\[]\s*(-?\d+(?:\.\d+)?)\s*,\s*(-?\d+(?:\.\d+)?)\s*[)\]]")
_BRACKETS = re.compile(r"\[([^\[\]]{1,400})\]")
_NEAR = 30
_MAX_FOUND = 160


@dataclass(frozen=True, slots=True)
class FoundValue:
    """A value that the conversation mentions.

    Attributes:
        value: It, JSON-like: a string, a number or a list of either.
        kind: ``quoted``, ``date``, ``time``, ``code``, ``number``, ``count`` (a number in words),
            ``name``, ``list``, ``fraction`` (5 % as 0.05), ``currency`` (euros as EUR),
            ``complement`` (what follows a preposition), ``word`` or ``phrase``.
        start: Where it is first mentioned, in characters.
        end: Where that mention ends.
        near: Stems of the words around that mention.
    """

    value: Any
    kind: str
    start: int
    end: int
    near: frozenset[str]


def find_values(text: str) -> tuple[FoundValue, ...]:
    """Return what the text mentions, each value once, in the order of the kinds above.

    At most 160 values; words and phrases are what is left out beyond that.

    >>> [found.value for found in find_values('Add 3 days to 5 May 2031 in "Oslo"')][:3]
    ['Oslo', '2031-05-05', 3]
    """
    found: dict[tuple[str, str], FoundValue] = {}
    for kind, finder in _FINDERS.items():
        for value, start, end in finder(text):
            key = (type(value).__name__, str(value))
            if key in found:
                continue
            if len(found) >= _MAX_FOUND:
                return tuple(found.values())
            near = stems(text[max(0, start - _NEAR) : start] + " " + text[end : end + _NEAR // 2])
            found[key] = FoundValue(value, kind, start, end, near)
    return tuple(found.values())


def _quoted(text: str) -> Iterator[Mention]:
    for match in _QUOTED.finditer(text):
        yield (match[1] or match[2]).strip(), match.start(), match.end()


def _numbers(text: str) -> Iterator[Mention]:
    offsets = list(find_offsets(text))
    yield from offsets
    taken = [span[1:] for finder in (find_dates, find_times) for span in finder(text)]
    taken += [span[1:] for span in offsets]
    taken += [(start + 1, end) for _, start, end in _codes(text)]  # "10kg" has a number in it
    for match in _NUMBER.finditer(text):
        digits = match[0].replace(",", "")
        within = any(start <= match.start() < end for start, end in taken)
        if len(digits) < 40 and not within:
            number = float(digits) if "." in digits else int(digits)
            yield number, match.start(), match.end()


def _codes(text: str) -> Iterator[Mention]:
    for match in _CODE.finditer(text):
        yield match[0], match.start(), match.end()


def _names(text: str) -> Iterator[Mention]:
    for match in _NAME.finditer(text):
        words = match[0].split()
        first = 0
        while first < len(words) and words[first].lower() in SMALL_WORDS:
            first += 1
        opens = len(words) == 1 and _OPENING.search(text[max(0, match.start() - 3) : match.start()])
        if MONTH_NAME.match(words[0]) or (opens and text[match.end() : match.end() + 1] == " "):
            continue  # the first word of a sentence is found again, as a word
        for skip in dict.fromkeys((first, 0, 1)):
            rest = " ".join(words[skip:])
            if rest and rest.lower() not in SMALL_WORDS:
                yield rest, match.end() - len(rest), match.end()


def _complements(text: str) -> Iterator[Mention]:
    """Find what follows a preposition or an article, up to the next small word."""
    for match in _COMPLEMENT.finditer(text):
        kept: list[str] = []
        for word in match[1].split(" "):
            if word.lower() in SMALL_WORDS:
                break
            kept.append(word)
        for size in range(len(kept), 0, -1):
            phrase = " ".join(kept[:size])
            yield phrase, match.start(1), match.start(1) + len(phrase)


def _lists(text: str) -> Iterator[Mention]:
    for match in _PAIR.finditer(text):
        yield [_number_or_word(match[1]), _number_or_word(match[2])], match.start(), match.end()
    for match in _BRACKETS.finditer(text):
        parts = [part.strip().strip("\"'") for part in match[1].split(",")]
        yield [_number_or_word(part) for part in parts], match.start(), match.end()
    for match in _LIST.finditer(text):
        parts = re.split(r",? (?:and|or) |, ", match[0].rstrip(".'"))
        if not any(part.lower() in SMALL_WORDS for part in parts):
            yield [_number_or_word(part) for part in parts], match.start(), match.end()


def _words(text: str) -> Iterator[Mention]:
    for match in _WORD.finditer(text):
        if match[0].lower() not in SMALL_WORDS:
            yield match[0], match.start(), match.end()


def _phrases(text: str) -> Iterator[Mention]:
    words = [(m[0], m.start(), m.end()) for m in _WORD.finditer(text)]
    for size in (2, 3, 4):
        for first in range(len(words) - size + 1):
            _, start, _ = words[first]
            last, _, end = words[first + size - 1]
            small = words[first][0].lower() in SMALL_WORDS or last.lower() in SMALL_WORDS
            if not small and not re.search(r"[.!?;:,\"\n]", text[start:end]):
                yield text[start:end], start, end


def _number_or_word(text: str) -> Any:
    if re.fullmatch(r"[-+]?\d{1,18}", text):
        return int(text)
    return float(text) if re.fullmatch(r"[-+]?\d+\.\d+", text) else text


_FINDERS: dict[str, Callable[[str], Iterator[Mention]]] = {
    "quoted": _quoted,
    "date": find_dates,
    "time": find_times,
    "code": _codes,
    "number": _numbers,
    "count": find_counts,
    "name": _names,
    "list": _lists,
    "fraction": find_fractions,
    "currency": find_currencies,
    "complement": _complements,
    "word": _words,
    "phrase": _phrases,
}

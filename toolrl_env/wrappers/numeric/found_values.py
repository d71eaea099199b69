"""Values that a conversation mentions: numbers, dates, times, quoted strings, names, lists."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from toolrl_env.wrappers.numeric.words import SMALL_WORDS, stems

__all__ = ["FoundValue", "find_values"]

_MONTH_NAMES = """
january february march april may june july august september october november december
"""
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES.split(), 1)}
_COUNT_NAMES = "one two three four five six seven eight nine ten eleven twelve"
_COUNTS = {word: number for number, word in enumerate(_COUNT_NAMES.split(), 1)} | {
    "dozen": 12,
    "twenty": 20,
    "thirty": 30,
    "fifty": 50,
    "hundred": 100,
}
_MONTH = "|".join(_MONTHS)
_QUOTED = re.compile(r"[\"“”`]([^\"“”`]{1,200})[\"“”`]|(?<!\w)'([^']{1,200})'(?!\w)")
_ISO = re.compile(r"\b\d{4}-\d\d-\d\d\b")
_DAY_FIRST = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? ({_MONTH}),? (\d{{4}})\b", re.I)
_DAY_SECOND = re.compile(rf"\b({_MONTH}) (\d{{1,2}})(?:st|nd|rd|th)?,? (\d{{4}})\b", re.I)
_TIME = re.compile(r"\b([01]?\d|2[0-3])(?::([0-5]\d))?(?: ?([ap])\.?m\b|(?<=:\d\d))", re.I)
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
_MONTH_NAME = re.compile(rf"(?:{_MONTH})\b", re.I)
_PAIR = re.compile(r"[(\[]\s*(-?\d+(?:\.\d+)?)\s*,\s*(-?\d+(?:\.\d+)?)\s*[)\]]")
_NEAR = 30
_MAX_FOUND = 160


@dataclass(frozen=True, slots=True)
class FoundValue:
    """A value that the conversation mentions.

    Attributes:
        value: It, JSON-like: a string, a number or a list of either.
        kind: ``quoted``, ``date``, ``time``, ``code``, ``number``, ``name``, ``list``,
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


Mention = tuple[Any, int, int]


def _quoted(text: str) -> Iterator[Mention]:
    for match in _QUOTED.finditer(text):
        yield (match[1] or match[2]).strip(), match.start(), match.end()


def _dates(text: str) -> Iterator[Mention]:
    for match in _ISO.finditer(text):
        yield match[0], match.start(), match.end()
    for pattern, day, month in ((_DAY_FIRST, 1, 2), (_DAY_SECOND, 2, 1)):
        for match in pattern.finditer(text):
            try:
                said = date(int(match[3]), _MONTHS[match[month].lower()], int(match[day]))
            except ValueError:
                continue
            yield said.isoformat(), match.start(), match.end()


def _times(text: str) -> Iterator[Mention]:
    for match in _TIME.finditer(text):
        hour = int(match[1])
        if match[3]:
            hour = hour % 12 + (12 if match[3].lower() == "p" else 0)
        yield f"{hour:02d}:{match[2] or '00'}", match.start(), match.end()


def _numbers(text: str) -> Iterator[Mention]:
    taken = [span[1:] for finder in (_dates, _times) for span in finder(text)]
    taken += [(start + 1, end) for _, start, end in _codes(text)]  # "10kg" has a number in it
    for match in _NUMBER.finditer(text):
        digits = match[0].replace(",", "")
        within = any(start <= match.start() < end for start, end in taken)
        if len(digits) < 40 and not within:
            number = float(digits) if "." in digits else int(digits)
            yield number, match.start(), match.end()
    for match in _WORD.finditer(text):
        count = _COUNTS.get(match[0].lower())
        if count is not None:
            yield count, match.start(), match.end()


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
        if _MONTH_NAME.match(words[0]) or (opens and text[match.end() : match.end() + 1] == " "):
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
    "date": _dates,
    "time": _times,
    "code": _codes,
    "number": _numbers,
    "name": _names,
    "list": _lists,
    "complement": _complements,
    "word": _words,
    "phrase": _phrases,
}

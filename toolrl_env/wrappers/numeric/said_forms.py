"""Values that people say in another form than tools want: dates, times, offsets, counts, money."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

__all__ = [
    "MONTH_NAME",
    "Mention",
    "find_counts",
    "find_currencies",
    "find_dates",
    "find_fractions",
    "find_offsets",
    "find_times",
]

Mention = tuple[Any, int, int]
"""A value, and where its mention begins and ends, in characters."""

_MONTH_NAMES = """
january february march april may june july august september october november december
"""
_UNIT_NAMES = """
one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen
"""
_TEN_NAMES = "twenty thirty forty fifty sixty seventy eighty ninety"
_MONTHS = {name[:3]: number for number, name in enumerate(_MONTH_NAMES.split(), 1)}
_MONTH = r"(?:{})\.?".format("|".join((*_MONTH_NAMES.split(), *_MONTHS, "sept")))
_ISO = re.compile(r"\b\d{4}-\d\d-\d\d\b")
_DAY_FIRST = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? ({_MONTH}),? (\d{{4}})\b", re.I)
_DAY_SECOND = re.compile(rf"\b({_MONTH}) (\d{{1,2}})(?:st|nd|rd|th)?,? (\d{{4}})\b", re.I)
MONTH_NAME = re.compile(r"(?:{})\b".format("|".join(_MONTH_NAMES.split())), re.I)
_TIME = re.compile(
    r"(?<!UTC[+-])(?<!GMT[+-])\b([01]?\d|2[0-3])(?::([0-5]\d))?(?: ?([ap])\.?m\b|(?<=:\d\d))", re.I
)
_OFFSET = re.compile(r"\b(?:UTC|GMT) ?([-+])(\d{1,2})(?::([0-5]\d)|(\.\d+))?(?![\d:])")
_PERCENT = re.compile(r"(?<![\w.])(\d{1,9}(?:\.\d{1,9})?) ?(?:%|percent\b|per cent\b)", re.I)
_UNITS = {word: number for number, word in enumerate(_UNIT_NAMES.split(), 1)}
_TENS = {word: 10 * number for number, word in enumerate(_TEN_NAMES.split(), 2)}
_COUNTS = {**_UNITS, **_TENS, "dozen": 12, "hundred": 100}
_COUNT = re.compile(
    rf"\b(?:({'|'.join(_TENS)})-({'|'.join(list(_UNITS)[:9])})|({'|'.join(_COUNTS)}))\b", re.I
)
_CURRENCIES = {
    "dollar": "USD",
    "us dollar": "USD",
    "canadian dollar": "CAD",
    "australian dollar": "AUD",
    "euro": "EUR",
    "pound sterling": "GBP",
    "british pound": "GBP",
    "yen": "JPY",
    "yuan": "CNY",
    "swiss franc": "CHF",
    "rupee": "INR",
    "mexican peso": "MXN",
    "swedish krona": "SEK",
    "norwegian krone": "NOK",
    "danish krone": "DKK",
    "zloty": "PLN",
    "$": "USD",
    "€": "EUR",
    "£": "GBP",
    "¥": "JPY",
}
_CURRENCY = re.compile(
    rf"\b({'|'.join(name for name in reversed(_CURRENCIES) if name.isascii() and name != '$')})"
    r"s?\b|\b(pound)s sterling\b|([$€£¥])(?=\d)",
    re.I,
)


def find_dates(text: str) -> Iterator[Mention]:
    """Find dates, written in ISO form.

    >>> [value for value, _, _ in find_dates("on 3 Sept. 2031 or May 4th, 2031")]
    ['2031-09-03', '2031-05-04']
    """
    for match in _ISO.finditer(text):
        yield match[0], match.start(), match.end()
    for pattern, day, month in ((_DAY_FIRST, 1, 2), (_DAY_SECOND, 2, 1)):
        for match in pattern.finditer(text):
            try:
                said = date(int(match[3]), _MONTHS[match[month][:3].lower()], int(match[day]))
            except ValueError:
                continue
            yield said.isoformat(), match.start(), match.end()


def find_times(text: str) -> Iterator[Mention]:
    """Find times of day, written as HH:MM.

    >>> [value for value, _, _ in find_times("2:30 pm, 7 am and 18:05, UTC+5:30")]
    ['14:30', '07:00', '18:05']
    """
    for match in _TIME.finditer(text):
        hour = int(match[1])
        if match[3]:
            hour = hour % 12 + (12 if match[3].lower() == "p" else 0)
        yield f"{hour:02d}:{match[2] or '00'}", match.start(), match.end()


def find_offsets(text: str) -> Iterator[Mention]:
    """Find offsets from UTC, in hours.

    >>> [value for value, _, _ in find_offsets("from UTC-3.5 to UTC+5:30 or GMT+9:00")]
    [-3.5, 5.5, 9]
    """
    for match in _OFFSET.finditer(text):
        hours = int(match[2]) + (int(match[3]) / 60 if match[3] else float(match[4] or 0))
        signed = -hours if match[1] == "-" else hours
        yield int(signed) if signed == int(signed) else signed, match.start(), match.end()


def find_counts(text: str) -> Iterator[Mention]:
    """Find numbers in words.

    >>> [value for value, _, _ in find_counts("Twenty-five of a dozen")]
    [25, 12]
    """
    for match in _COUNT.finditer(text):
        number = _COUNTS[match[3].lower()] if match[3] else _TENS[match[1].lower()]
        yield number + (_UNITS[match[2].lower()] if match[2] else 0), match.start(), match.end()


def find_fractions(text: str) -> Iterator[Mention]:
    """Find percentages, as fractions of one.

    >>> [value for value, _, _ in find_fractions("5% or 12.5 percent")]
    [0.05, 0.125]
    """
    for match in _PERCENT.finditer(text):
        yield round(float(match[1]) / 100, 12), match.start(), match.end()


def find_currencies(text: str) -> Iterator[Mention]:
    """Find currencies, as ISO 4217 codes.

    >>> [value for value, _, _ in find_currencies("euros in pounds sterling, $5")]
    ['EUR', 'GBP', 'USD']
    """
    for match in _CURRENCY.finditer(text):
        name = "pound sterling" if match[2] else (match[1] or match[3]).lower()
        yield _CURRENCIES[name], match.start(), match.end()

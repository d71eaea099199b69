"""Goals as predicates on the final database: what must have changed, and that nothing else has."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from toolrl_env.tools.suites.workspace import TABLES, Database, Row, Rows

__all__ = ["Change", "Goal", "Match", "changes_between"]

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_MONTH = r"(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
_DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?<!\d)(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)(?!\d)",
        rf"(?<!\d){_DAY} (?:of )?{_MONTH}\b",
        rf"\b{_MONTH}\.? (?:the )?{_DAY}(?!\d)",
        r"(?<!\d)(?P<day>\d{1,2})[./](?P<month>\d{1,2})[./](?P<year>\d{4})(?!\d)",
    )
)
_AMOUNT = re.compile(r"(?<![\d.,])(\d{1,3}(?:[,.' ]\d{3})+|\d{1,9})(?:[.,](\d{1,2}))?(?![.,]?\d)")
_CENTS = re.compile(r"(?<!\d)(\d{1,9}) ?cents?\b", re.IGNORECASE)
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Match:
    """What a column must hold.

    Attributes:
        kind: ``is`` (this value), ``any``, ``text`` (the same words: case, white space and
            punctuation around it do not count), ``extends`` (a text that begins with the first and
            goes on to hold the second), ``date``, ``amount``, ``number`` (a text that mentions this
            date in any common form, these cents in any common form, this whole number).
        value: What that is about.
    """

    kind: Literal["is", "any", "text", "extends", "date", "amount", "number"]
    value: Any = None

    def accepts(self, actual: Any) -> bool:
        """Return whether a column's value will do."""
        if self.kind == "any":
            return True
        if self.kind == "is":
            return actual == self.value
        text = str(actual)
        if self.kind == "text":
            return _plain(text) == _plain(self.value)
        if self.kind == "extends":
            old, added = self.value
            return text.startswith(old) and _plain(added) in _plain(text[len(old) :])
        if self.kind == "date":
            _, month, day = str(self.value).split("-")
            return (int(month), int(day)) in _dates(text)
        if self.kind == "amount":
            return self.value in _amounts(text)
        return str(self.value) in _NUMBER.findall(text)


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold().strip(" .,;:!?\"'“”‘’")


def _dates(text: str) -> set[tuple[int, int]]:
    """Return the days that a text mentions, as (month, day).

    >>> _dates("on March 4th, 2027 or 2027-03-05") == {(3, 4), (3, 5)}
    True
    """
    found: set[tuple[int, int]] = set()
    for pattern in _DATES:
        for match in pattern.finditer(text):
            month = match["month"].lower()
            number = int(month) if month.isdecimal() else _MONTHS.index(month) // 4 + 1
            found.add((number, int(match["day"])))
    return found


def _amounts(text: str) -> set[int]:
    """Return the amounts that a text mentions, in cents.

    >>> _amounts("1,250.00 or 12.5 or 700 cents") == {125000, 1250, 70000, 700}
    True
    """
    found = {int(match[1]) for match in _CENTS.finditer(text)}
    for match in _AMOUNT.finditer(text):
        whole = int(re.sub(r"\D", "", match[1]))
        found.add(100 * whole + int((match[2] or "0").ljust(2, "0")))
    return found


@dataclass(frozen=True, slots=True)
class Change:
    """One row that was added, removed or changed.

    Attributes:
        kind: Which of the three.
        table: Name of the table.
        key: The row's key; ``None`` for an added row whose key the office chose.
        columns: For an added row every column that matters, for a changed one those that changed.
    """

    kind: Literal["added", "removed", "changed"]
    table: str
    key: str | int | None
    columns: Mapping[str, Match]

    def fits(self, happened: Change) -> bool:
        """Return whether what happened is, or includes, this change."""
        same = (self.kind, self.table) == (happened.kind, happened.table)
        if not same or (self.key is not None and self.key != happened.key):
            return False
        return all(
            name in happened.columns and match.accepts(happened.columns[name].value)
            for name, match in self.columns.items()
        )


def changes_between(before: Mapping[str, Rows], database: Database) -> list[Change]:
    """Return how an office differs from what it was; its own private state does not count."""
    found: list[Change] = []
    for name, table in TABLES.items():
        if name not in database.written or table.private:
            continue
        old = {row[0]: row for row in before[name]}
        for row in database.rows(name):
            was = old.pop(row[0], None)
            if was is None:
                found.append(Change("added", name, row[0], _columns(table.columns, row)))
            elif was != row:
                differing = {
                    column: Match("is", value)
                    for column, value, earlier in zip(table.columns, row, was, strict=True)
                    if value != earlier
                }
                found.append(Change("changed", name, row[0], differing))
        found += [Change("removed", name, key, {}) for key in old]
    return found


def _columns(names: Sequence[str], row: Row) -> dict[str, Match]:
    return {name: Match("is", value) for name, value in zip(names[1:], row[1:], strict=True)}


@dataclass(frozen=True, slots=True)
class Goal:
    """What the office must be like at the end, compared with the start.

    Attributes:
        wishes: For each thing the user wants, the changes that fulfil it.
    """

    wishes: tuple[tuple[Change, ...], ...]

    def progress(self, before: Mapping[str, Rows], database: Database) -> tuple[bool, ...]:
        """Return which wishes are fulfilled and, last, whether nothing else was changed.

        It does not matter by which calls or in which order the office came to be so. Each change
        that happened counts for one wish at most.
        """
        happened = changes_between(before, database)
        unexplained = [set(change.columns) for change in happened]
        used: set[int] = set()
        fulfilled: list[bool] = []
        for wish in self.wishes:
            found = [_tick_off(change, happened, unexplained, used) for change in wish]
            fulfilled.append(all(found))
        clean = all(
            index in used and (change.kind != "changed" or not unexplained[index])
            for index, change in enumerate(happened)
        )
        return (*fulfilled, clean)


def _tick_off(
    wanted: Change, happened: list[Change], unexplained: list[set[str]], used: set[int]
) -> bool:
    """Look for a wanted change among what happened, and note what it explains."""
    for index, change in enumerate(happened):
        if not wanted.fits(change) or (index in used and change.kind != "changed"):
            continue
        used.add(index)
        unexplained[index] -= wanted.columns.keys()
        return True
    return False

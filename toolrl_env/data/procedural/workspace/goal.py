"""Goals as predicates on the final database: what must have changed, and that nothing else has."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from toolrl_env.tools.suites.workspace import TABLES, Database, Row, Rows

__all__ = ["Change", "Goal", "Match", "changes_between"]

_MONTHS = (
    "jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sept?(ember)?|oct(ober)?|"
    "nov(ember)?|dec(ember)?"
).split("|")


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
        return re.search(_mention(self.kind, self.value), text, re.IGNORECASE) is not None


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold().strip(" .,;:!?\"'“”‘’")


def _mention(kind: str, value: Any) -> str:
    """Return a regular expression (linear: no nested repetition) for how people write a value.

    >>> bool(re.search(_mention("date", "2027-03-04"), "on March 4th, 2027", re.I))
    True
    >>> bool(re.search(_mention("amount", 125000), "It is 1,250.00 euros"))
    True
    """
    if kind == "number":
        return rf"(?<!\d){value}(?!\d)"
    if kind == "date":
        year, month, day = (int(part) for part in str(value).split("-"))
        name, number = _MONTHS[month - 1], rf"0?{day}(st|nd|rd|th)?"
        return (
            rf"(?<!\d){value}(?!\d)|(?<!\d){number} (of )?({name})\b|\b({name})\.? {number}(?!\d)|"
            rf"(?<!\d)0?{day}[./]0?{month}[./]{year}(?!\d)"
        )
    whole, cents = divmod(int(value), 100)
    grouped = rf"{whole // 1000}[,.' ]?{whole % 1000:03}" if whole >= 1000 else str(whole)
    decimals = "([.,]00?)?" if cents == 0 else rf"[.,]{cents:02}"
    if cents and cents % 10 == 0:
        decimals = rf"[.,]{cents // 10}0?"
    return rf"(?<![\d.,]){grouped}{decimals}(?![.,]?\d)|(?<!\d){value} ?cents?\b"


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
        fulfilled = [
            all([_tick_off(change, happened, unexplained, used) for change in wish])
            for wish in self.wishes
        ]
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

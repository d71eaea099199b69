"""A table of facts: who wrote what, what lies where, and when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

__all__ = ["Entity", "Fact", "Facts", "Value"]

Value = str | int
"""The object of a fact: a name, a word, or a number."""


class Entity(NamedTuple):
    """A thing with a passage of its own.

    Attributes:
        name: Its name, unique in the world, as it is written in running text.
        kind: ``person``, ``town``, ``book``, …
        province: The province it belongs to; all its facts stay within it.
        role: The occupation of a person, ``maker`` or ``publisher`` of a company, else ``all``.
    """

    name: str
    kind: str
    province: str
    role: str = "all"

    @property
    def title(self) -> str:
        """The name with a capital, as it heads a passage."""
        return self.name[:1].upper() + self.name[1:]


class Fact(NamedTuple):
    """A statement: ``subject`` has the ``value`` for the ``relation``; lists have several facts."""

    subject: str
    relation: str
    value: Value


class Facts:
    """Facts, looked up by subject and relation.

    >>> facts = Facts([Fact("Ember", "founder", "Ilka Rask"), Fact("Ilka Rask", "born", 1801)])
    >>> facts.follow("Ember", ["founder", "born"])
    (1801,)
    """

    def __init__(self, facts: Iterable[Fact]) -> None:
        self._facts = tuple(facts)
        self._values: dict[tuple[str, str], list[Value]] = defaultdict(list)
        for fact in self._facts:
            self._values[fact.subject, fact.relation].append(fact.value)

    def __iter__(self) -> Iterator[Fact]:
        """Iterate over the facts in order."""
        return iter(self._facts)

    def about(self, *subjects: str) -> Facts:
        """Return the facts of these subjects alone."""
        return Facts(fact for fact in self._facts if fact.subject in subjects)

    def values(self, subject: Value, relation: str) -> tuple[Value, ...]:
        """Return every value; ``()`` if nothing is known."""
        return tuple(self._values.get((str(subject), relation), ()))

    def follow(self, subject: str, path: Iterable[str]) -> tuple[Value, ...]:
        """Return what the relations of ``path``, one after the other, lead to."""
        found: tuple[Value, ...] = (subject,)
        for relation in path:
            found = tuple(v for each in found for v in self.values(each, relation))
        return found

    def one(self, subject: str, relation: str) -> Value:
        """Return the only value.

        Raises:
            ValueError: There is none, or there are several.
        """
        (value,) = self.values(subject, relation)
        return value

    def number(self, subject: str, relation: str) -> int:
        """Return the only value, a number.

        Raises:
            ValueError: There is none, there are several, or it is no number.
        """
        return int(self.one(subject, relation))

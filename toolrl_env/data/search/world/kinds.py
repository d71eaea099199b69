"""The kinds of two-hop questions: what each means, as a query on a table of facts.

A kind's ``answers`` is evaluated on any facts: on the whole table it shows that an answer is
unique, on the facts of the evidence alone that it follows from them, on those of one passage alone
that both are needed.
"""

from __future__ import annotations

import abc
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from toolrl_env.data.search.world.build import World, load_toml
from toolrl_env.data.search.world.facts import Facts, Value

__all__ = ["Apart", "Bridge", "Compare", "Gap", "Kind", "Shared", "load_kinds"]


@dataclass(frozen=True)
class Kind(abc.ABC):
    """A kind of question.

    Attributes:
        name: E.g. ``author_birthplace``.
        start: The kind of thing that the question names.
        texts: Wordings, with ``{given}`` and, where two things are named, ``{other}``.
        searches: The two gold searches; ``{bridge}`` is what the first one finds.
        count: How many a province has.
    """

    name: str
    start: str
    texts: tuple[str, ...]
    searches: tuple[str, ...]
    count: int
    named: ClassVar[int] = 1
    """How many things the question names."""

    @abc.abstractmethod
    def answers(self, facts: Facts, given: Sequence[str]) -> set[Value]:
        """Return every answer that follows from ``facts``."""

    @abc.abstractmethod
    def bridge(self, facts: Facts, given: Sequence[str]) -> str:
        """Return the subject of the second passage.

        Raises:
            ValueError: The facts name none, or several.
        """

    @property
    @abc.abstractmethod
    def relation(self) -> str:
        """The relation whose value is the answer; ``""`` if that is one of the named things."""

    def candidates(self, world: World, province: str) -> Iterator[tuple[str, ...]]:
        """Yield what a question of this kind could name."""
        things = [entity.name for entity in world.of(self.start, province)]
        yield from itertools.combinations(things, self.named)


@dataclass(frozen=True)
class Bridge(Kind):
    """What ``path[1]`` gives for what ``path[0]`` gives for the named thing."""

    path: tuple[str, str]

    def answers(self, facts: Facts, given: Sequence[str]) -> set[Value]:
        """Return what the path leads to."""
        return set(facts.follow(given[0], self.path))

    def bridge(self, facts: Facts, given: Sequence[str]) -> str:
        """Return the thing in the middle of the path."""
        return str(facts.one(given[0], self.path[0]))

    @property
    def relation(self) -> str:
        """The path's second relation."""
        return self.path[1]


@dataclass(frozen=True)
class Gap(Kind):
    """The years from the number at the end of ``since`` to the one at the end of ``until``."""

    since: tuple[str, ...]
    until: tuple[str, ...]

    def answers(self, facts: Facts, given: Sequence[str]) -> set[Value]:
        """Return the difference, if both ends are known."""
        ends = (facts.follow(given[0], self.until), facts.follow(given[0], self.since))
        return {int(last) - int(first) for last, first in itertools.product(*ends)}

    def bridge(self, facts: Facts, given: Sequence[str]) -> str:
        """Return the thing in the middle of the longer path."""
        return str(facts.one(given[0], max(self.since, self.until, key=len)[0]))

    @property
    def relation(self) -> str:
        """``years``: a count of them."""
        return "years"


@dataclass(frozen=True)
class _Pair(Kind):
    """Two named things and one relation of each."""

    of: str
    named: ClassVar[int] = 2

    def bridge(self, facts: Facts, given: Sequence[str]) -> str:
        """Return the second of the named things."""
        del facts
        return given[1]

    def _numbers(self, facts: Facts, given: Sequence[str]) -> list[tuple[int, str]]:
        """Return number and thing for both; ``[]`` if one is unknown or they are equal."""
        found = [(int(value), each) for each in given for value in facts.values(each, self.of)]
        return found if len({value for value, _ in found}) == len(given) else []


@dataclass(frozen=True)
class Compare(_Pair):
    """The one of two things with the greater (``most``) or the smaller number."""

    most: bool

    def answers(self, facts: Facts, given: Sequence[str]) -> set[Value]:
        """Return the thing, if both numbers are known and differ."""
        found = self._numbers(facts, given)
        return {max(found)[1] if self.most else min(found)[1]} if found else set()

    @property
    def relation(self) -> str:
        """``""``: the answer is one of the named things."""
        return ""


@dataclass(frozen=True)
class Apart(_Pair):
    """The difference of two things' numbers, in years."""

    def answers(self, facts: Facts, given: Sequence[str]) -> set[Value]:
        """Return the difference, if both numbers are known and differ."""
        found = self._numbers(facts, given)
        return {max(found)[0] - min(found)[0]} if found else set()

    @property
    def relation(self) -> str:
        """``years``: a count of them."""
        return "years"


@dataclass(frozen=True)
class Shared(_Pair):
    """What two things have in common; each has three."""

    def answers(self, facts: Facts, given: Sequence[str]) -> set[Value]:
        """Return every value that both have."""
        first, second = (set(facts.values(each, self.of)) for each in given)
        return first & second

    @property
    def relation(self) -> str:
        """The relation that is shared."""
        return self.of


def load_kinds() -> tuple[Kind, ...]:
    """Return the kinds of ``kinds.toml``, in order."""
    return tuple(_kind(name, row) for name, row in load_toml("kinds.toml").items())


def _kind(name: str, row: Any) -> Kind:
    texts, searches = tuple(row["texts"]), tuple(row["searches"])
    head = (name, row["start"], texts, searches, row["count"])
    match row["form"]:
        case "bridge":
            first, second = row["path"]
            return Bridge(*head, (first, second))
        case "gap":
            return Gap(*head, tuple(row["since"]), tuple(row["until"]))
        case "compare":
            return Compare(*head, row["relation"], row["most"])
        case "apart":
            return Apart(*head, row["relation"])
        case "shared":
            return Shared(*head, row["relation"])
        case form:
            raise ValueError(f"kinds.toml: {name} has the form {form!r}")

"""One thing a user wants done, and the draws from an office that it is made of."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

from toolrl_env.data.procedural.workspace.edges import Key
from toolrl_env.data.procedural.workspace.goal import Match
from toolrl_env.data.procedural.workspace.rows import Event, File, Mail, Order, TaskRow
from toolrl_env.data.procedural.workspace.world import World, pick

__all__ = ["Maker", "Slot", "Unsuited", "Wish", "WishMaker", "said"]

T = TypeVar("T", bound="tuple[Any, ...]")

LITERAL = frozenset(
    {"time", "minutes", "quantity", "folder", "room", "title", "permission", "priority", "phone"}
)
"""Kinds that are always said directly: nothing in the office leads to them."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Something that a request must say.

    Attributes:
        kind: Kind of thing.
        value: Which one, as tools take it.
        words: How it is said directly; only for kinds that nothing leads to.
    """

    kind: str
    value: Any
    words: str = ""

    @property
    def literal(self) -> bool:
        """Whether nothing in the office leads to it."""
        return self.kind in LITERAL or bool(self.words)


@dataclass(frozen=True, slots=True)
class Wish:
    """One thing to do, which takes one call that writes.

    Attributes:
        tool: The tool.
        arguments: Its arguments.
        slots: What the request must say, by the name in the texts.
        texts: Requests as commands, with every slot.
        free: Columns of the written rows that need not be exactly as in the gold trajectory.
        changes: Things that are not themselves any more afterwards.
        changing: Tables in which "the only one" may be another one afterwards.
        makes: What the call makes a new number of, e.g. ``order``, or ``""``.
        uses_number: Whether a slot is the number that the wish before this one makes.
    """

    tool: str
    arguments: Mapping[str, Any]
    slots: Mapping[str, Slot]
    texts: tuple[str, ...]
    free: Mapping[tuple[str, str], Match] = field(default_factory=dict[tuple[str, str], Match])
    changes: frozenset[Key] = frozenset()
    changing: frozenset[str] = frozenset()
    makes: str = ""
    uses_number: bool = False


WishMaker = Callable[["Maker"], Wish]
"""Draws a wish; raises ``Unsuited`` if the office does not lend itself to it."""


class Unsuited(Exception):
    """An office has nothing of the kind that a wish needs, e.g. no open invoice.

    Another wish is drawn then; it never leaves ``compose``.
    """


def said(kind: str, value: Any, words: str | None = None) -> Slot:
    """Return a slot that is said directly."""
    return Slot(kind, value, str(value) if words is None else words)


class Maker:
    """Draws things from an office, for wishes.

    Args:
        world: The office.
        rng: The task's generator.
        given: Things of an earlier wish to be used again, by kind.
        taken: Things that earlier wishes change, not to be drawn.
    """

    def __init__(
        self, world: World, rng: Random, given: Mapping[str, Any], taken: set[Key]
    ) -> None:
        self.world = world
        self.rng = rng
        self._given = given
        self._taken = taken

    def choose(self, choices: Sequence[T]) -> T:
        """Return one of ``choices``.

        Raises:
            Unsuited: There is none.
        """
        if not choices:
            raise Unsuited
        return pick(self.rng, choices)

    def topic(self) -> str:
        """Draw the name of a project."""
        return pick(self.rng, [order.project for order in self.world.orders])

    def person(self, besides: Sequence[str] = ()) -> str:
        """Draw somebody's address."""
        again = self._given.get("person")
        if again is not None and again not in besides:
            return again
        people = [contact.email for contact in self.world.contacts]
        return pick(self.rng, [email for email in people if email not in besides])

    def date(self, besides: str = "") -> str:
        """Draw a day that something in the office names, or a near one."""
        again = self._given.get("date")
        if again is not None and again != besides:
            return again
        world, roll = self.world, self.rng.random()
        if roll < 0.15:
            today = datetime.date.fromisoformat(world.today)
            day = today + datetime.timedelta(days=pick(self.rng, (1, 2, 3, 7)))
            return day.isoformat() if day.isoformat() != besides else world.invoices[0].due
        days = [
            *(event.date for event in world.events),
            *(task.due for task in world.tasks),
            *(order.delivery for order in world.orders),
            *(fact.deadline for fact in world.facts.values()),
        ]
        return pick(self.rng, [day for day in days if day != besides])

    def amount(self) -> int:
        """Draw cents that something in the office names."""
        if "amount" in self._given:
            return self._given["amount"]
        world = self.world
        amounts = [
            *(invoice.amount for invoice in world.invoices),
            *(fact.budget for fact in world.facts.values()),
            *(product.price for product in world.products),
        ]
        return pick(self.rng, amounts)

    def time(self) -> Slot:
        """Draw a time of day."""
        hour, minute = 8 + int(self.rng.random() * 10), pick(self.rng, (0, 15, 30, 45))
        value = f"{hour:02}:{minute:02}"
        half = "am" if hour < 12 else "pm"
        spoken = f"{(hour - 1) % 12 + 1}:{minute:02} {half}"
        return Slot("time", value, value if self.rng.random() < 0.6 else spoken)

    def event(self) -> Event:
        """Draw a planned meeting."""
        return self._free("event", self.world.events)

    def mail(self) -> Mail:
        """Draw a received mail."""
        return self._free("mail", self.world.mails)

    def file(self) -> File:
        """Draw a file."""
        return self._free("file", self.world.files)

    def task(self) -> TaskRow:
        """Draw an open task."""
        return self._free("task", [task for task in self.world.tasks if task.status == "open"])

    def order(self) -> Order:
        """Draw an order that is on its way."""
        placed = [order for order in self.world.orders if order.status == "placed"]
        return self._free("order", placed)

    def account(self, besides: int = 0) -> int:
        """Draw an account's number."""
        return pick(self.rng, [one.id for one in self.world.accounts if one.id != besides])

    def _free(self, kind: str, rows: Sequence[T]) -> T:
        """Draw a row that no earlier wish changes; its key is its first column."""
        return self.choose([row for row in rows if (kind, row[0]) not in self._taken])

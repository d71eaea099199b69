"""Saying which thing is meant so that finding it takes exactly so many calls."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple

from toolrl_env.data.months import MONTHS
from toolrl_env.data.procedural.workspace.edges import Key
from toolrl_env.data.procedural.workspace.sources import Sources, find_sources
from toolrl_env.data.procedural.workspace.world import World, pick
from toolrl_env.tools.suites.workspace.ledger import euros

__all__ = ["Finder", "Index", "Lookup", "Reference", "long_date"]

_SOON = {
    1: "tomorrow's date",
    2: "the day after tomorrow",
    3: "the day three days from now",
    7: "the day a week from now",
}


def long_date(iso: str) -> str:
    """Return a date in words.

    >>> long_date("2027-03-04")
    '4 March 2027'
    """
    year, month, day = iso.split("-")
    return f"{int(day)} {MONTHS[int(month) - 1]} {year}"


@dataclass(frozen=True, slots=True)
class Lookup:
    """A call that finds something.

    Attributes:
        tool: The tool.
        arguments: Its arguments.
        shows: The value that its result must show.
    """

    tool: str
    arguments: Mapping[str, Any]
    shows: str | int


@dataclass(frozen=True, slots=True)
class Reference:
    """How a thing is referred to.

    Attributes:
        kind: Kind of thing.
        value: Which one, as tools take it.
        words: A noun phrase; ``{}`` stands for the source's.
        lookup: The call that finds it, or ``None`` if the words say it all.
        source: What it is found from, or ``None``.
    """

    kind: str
    value: Any
    words: str
    lookup: Lookup | None = None
    source: Reference | None = None

    def links(self) -> list[Reference]:
        """Return the references from the first that is found to this one."""
        before = [] if self.source is None else self.source.links()
        return [*before, self]

    def phrase(self) -> str:
        """Return the whole noun phrase."""
        return self.words if self.source is None else self.words.format(self.source.phrase())


class Naming(NamedTuple):
    """How a thing is named.

    Attributes:
        direct: Words that say it as tools take it.
        tool: The tool that finds it by its name.
        arguments: That tool's arguments.
        words: Words that name it.
    """

    direct: str
    tool: str
    arguments: Mapping[str, Any]
    words: tuple[str, ...]


_TITLED = {
    "event": (
        "find_events",
        "query",
        "title",
        'meeting {} ("{}")',
        ('the meeting "{}"', 'the "{}" meeting', '"{}"'),
    ),
    "mail": (
        "search_mails",
        "query",
        "subject",
        'mail {} ("{}")',
        ('the mail with the subject "{}"', 'the mail "{}"'),
    ),
    "task": (
        "find_tasks",
        "query",
        "title",
        'task {} ("{}")',
        ('the task "{}"', 'the "{}" task'),
    ),
    "order": (
        "find_orders",
        "project",
        "project",
        "order {} (for {})",
        ("the order for the {} project", "the {} order"),
    ),
    "invoice": (
        "find_invoices",
        "supplier",
        "supplier",
        "invoice {} (from {})",
        ("the invoice from {}", "the {} invoice"),
    ),
}
"""Things with a title: the tool that finds it, its argument, the column, and words."""


class Index:
    """How every thing of an office can be found.

    Args:
        world: The office.
    """

    def __init__(self, world: World) -> None:
        self.today = datetime.date.fromisoformat(world.today)
        self.sources: Sources = find_sources(world)
        self._rows = _rows(world)
        self._named: dict[Key, Naming] = {}

    def naming(self, kind: str, value: str | int) -> Naming | None:
        """Return how a thing is named, or ``None`` if it has no name (a day, an amount)."""
        key = (kind, value)
        if key not in self._named:
            if key not in self._rows:
                return None
            self._named[key] = _naming(kind, self._rows[key])
        return self._named[key]


@dataclass(slots=True)
class Finder:
    """Makes references to the things of one office.

    Attributes:
        index: How they can be found.
        rng: The task's generator.
        banned: Things that must not be passed on the way, because the task changes them.
        changing: Tables in which being the only match may end during the task.
    """

    index: Index
    rng: Random
    banned: set[Key] = field(default_factory=set[Key])
    changing: set[str] = field(default_factory=set[str])

    def refer(self, kind: str, value: str | int, calls: int) -> Reference | None:
        """Return a reference that takes ``calls`` calls to resolve; ``None`` if none is found."""
        return self._refer(kind, value, calls, {(kind, value)})

    def _refer(self, kind: str, value: str | int, calls: int, seen: set[Key]) -> Reference | None:
        if calls == 0:
            return Reference(kind, value, self._directly(kind, value))
        if calls == 1 and self.rng.random() < 0.7:
            named = self._by_name(kind, value)
            if named is not None:
                return named
        edges = [
            (edge, source)
            for edge, source in self.index.sources.get((kind, value), ())
            if edge.only not in self.changing
            and (edge.source, source) not in seen
            and (edge.source, source) not in self.banned
        ]
        self.rng.shuffle(edges)
        for edge, source in edges[:4]:
            key = (edge.source, source)
            found = self._refer(edge.source, source, calls - 1, {*seen, key})
            if found is not None and (kind != "contact" or found.source is not None):
                in_text = kind == "amount" and edge.tool == "read_file"
                shows = euros(int(value)) if in_text else value
                lookup = Lookup(edge.tool, {edge.argument: source}, shows)
                return Reference(kind, value, pick(self.rng, edge.words), lookup, found)
        return self._by_name(kind, value) if calls == 1 else None

    def _by_name(self, kind: str, value: str | int) -> Reference | None:
        if kind == "date":
            return self._soon(str(value))
        named = self.index.naming(kind, value)
        if named is None or (kind == "order" and "orders" in self.changing):
            return None  # two orders may be for one project once the task is under way
        return Reference(
            kind, value, pick(self.rng, named.words), Lookup(named.tool, named.arguments, value)
        )

    def _soon(self, date: str) -> Reference | None:
        today = self.index.today
        words = _SOON.get((datetime.date.fromisoformat(date) - today).days)
        if words is None:
            return None
        return Reference("date", date, words, Lookup("current_time", {}, today.isoformat()))

    def _directly(self, kind: str, value: str | int) -> str:
        """Return words that say a thing as tools take it, or nearly so."""
        if kind == "date":
            return str(value) if self.rng.random() < 0.5 else long_date(str(value))
        if kind == "amount":
            return euros(int(value)) if self.rng.random() < 0.6 else f"€{int(value) / 100:,.2f}"
        named = self.index.naming(kind, value)
        return str(value) if named is None else named.direct


def _rows(world: World) -> dict[Key, Any]:
    """Return the row of everything that has a name."""
    rows: dict[Key, Any] = {("person", contact.email): contact for contact in world.contacts}
    rows |= {("contact", contact.id): contact for contact in world.contacts}
    rows |= {("event", event.id): event for event in world.events}
    rows |= {("mail", mail.id): mail for mail in world.mails}
    rows |= {("file", file.path): file for file in world.files}
    rows |= {("task", task.id): task for task in world.tasks}
    rows |= {("order", order.id): order for order in world.orders}
    rows |= {("invoice", invoice.id): invoice for invoice in world.invoices}
    rows |= {("product", product.sku): product for product in world.products}
    rows |= {("account", account.id): account for account in world.accounts}
    return rows


def _naming(kind: str, row: Any) -> Naming:
    """Return how the thing of a row is named."""
    if kind == "person":
        return Naming(row.email, "find_contacts", {"query": row.name}, (row.name,))
    if kind == "contact":
        words = (f"the contact entry of {row.name}", f"{row.name}'s entry in the contacts")
        direct = f"contact {row.id} ({row.name})"
        return Naming(direct, "find_contacts", {"query": row.name}, words)
    if kind == "file":
        name = row.path.rsplit("/", 1)[1]
        words = (f"the file {name}", f'the file "{name}"')
        return Naming(row.path, "find_files", {"query": name}, words)
    if kind == "product":
        direct, words = f"the {row.name} ({row.sku})", (f"the {row.name}",)
        return Naming(direct, "search_products", {"query": row.name}, words)
    if kind == "account":
        return Naming(
            f"account {row.id} (the {row.name})", "list_accounts", {}, (f"the {row.name}",)
        )
    search, argument, column, direct, words = _TITLED[kind]
    title = row._asdict()[column]
    return Naming(
        direct.format(row.id, title),
        search,
        {argument: title},
        tuple(word.format(title) for word in words),
    )

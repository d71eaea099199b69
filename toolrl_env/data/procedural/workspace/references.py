"""Saying which thing is meant so that finding it takes exactly so many calls."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from toolrl_env.data.procedural.workspace.edges import NOUNS, Key, Sources, find_sources
from toolrl_env.data.procedural.workspace.world import World, pick
from toolrl_env.tools.suites.workspace.ledger import euros

__all__ = ["Finder", "Lookup", "Reference", "long_date"]

_MONTHS = (
    "January February March April May June July August September October November December"
).split()
_SOON = {1: "tomorrow", 2: "the day after tomorrow", 3: "three days from today", 7: "a week from today"}


def long_date(iso: str) -> str:
    """Return a date in words.

    >>> long_date("2027-03-04")
    '4 March 2027'
    """
    year, month, day = iso.split("-")
    return f"{int(day)} {_MONTHS[int(month) - 1]} {year}"


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

    def cut(self) -> tuple[str, str, str]:
        """Return a thing half-way: its kind, its phrase, and this phrase with "that …" for it."""
        links = self.links()
        middle, *rest = links[len(links) // 2 - 1 :]
        text = f"that {NOUNS.get(middle.kind, middle.kind)}"
        for link in rest:
            text = link.words.format(text)
        return middle.kind, middle.phrase(), text


@dataclass(slots=True)
class Finder:
    """Makes references to the things of one office.

    Attributes:
        world: The office.
        rng: The task's generator.
        banned: Things that must not be passed on the way, because the task changes them.
        changing: Tables in which being the only match may end during the task.
    """

    world: World
    rng: Random
    banned: set[Key] = field(default_factory=set[Key])
    changing: set[str] = field(default_factory=set[str])
    _sources: Sources = field(default_factory=dict[Any, Any])
    _named: dict[Key, tuple[str, str, dict[str, Any], tuple[str, ...]]] = field(
        default_factory=dict[Any, Any]
    )

    def __post_init__(self) -> None:
        """Index the office."""
        self._sources = find_sources(self.world)
        self._named = {key: rest for key, rest in _named(self.world)}

    def refer(self, kind: str, value: str | int, calls: int) -> Reference | None:
        """Return a reference that takes ``calls`` calls to resolve, or ``None`` if there is none."""
        return self._refer(kind, value, calls, {(kind, value)})

    def _refer(
        self, kind: str, value: str | int, calls: int, seen: set[Key]
    ) -> Reference | None:
        if calls == 0:
            return Reference(kind, value, self._directly(kind, value))
        if calls == 1 and self.rng.random() < 0.7:
            named = self._by_name(kind, value)
            if named is not None:
                return named
        edges = [
            (edge, source)
            for edge, source in self._sources.get((kind, value), ())
            if edge.only not in self.changing
            and (edge.source, source) not in seen
            and (edge.source, source) not in self.banned
        ]
        self.rng.shuffle(edges)
        for edge, source in edges[:4]:
            key = (edge.source, source)
            found = self._refer(edge.source, source, calls - 1, {*seen, key})
            if found is not None:
                in_text = kind == "amount" and edge.tool == "read_file"
                shows = euros(int(value)) if in_text else value
                lookup = Lookup(edge.tool, {edge.argument: source}, shows)
                return Reference(kind, value, pick(self.rng, edge.words), lookup, found)
        return self._by_name(kind, value) if calls == 1 else None

    def _by_name(self, kind: str, value: str | int) -> Reference | None:
        if kind == "date":
            return self._soon(str(value))
        if (kind, value) not in self._named:
            return None
        _, tool, arguments, phrases = self._named[kind, value]
        return Reference(kind, value, pick(self.rng, phrases), Lookup(tool, arguments, value))

    def _soon(self, date: str) -> Reference | None:
        today = datetime.date.fromisoformat(self.world.today)
        words = _SOON.get((datetime.date.fromisoformat(date) - today).days)
        if words is None:
            return None
        return Reference("date", date, words, Lookup("current_time", {}, self.world.today))

    def _directly(self, kind: str, value: str | int) -> str:
        """Return words that say a thing as tools take it, or nearly so."""
        if kind == "date":
            return str(value) if self.rng.random() < 0.5 else long_date(str(value))
        if kind == "amount":
            return euros(int(value)) if self.rng.random() < 0.6 else f"€{int(value) / 100:,.2f}"
        named = self._named.get((kind, value))
        return str(value) if named is None else named[0]


def _named(
    world: World,
) -> Iterator[tuple[Key, tuple[str, str, dict[str, Any], tuple[str, ...]]]]:
    """Yield each thing with: direct words, search tool, its arguments, words that name it."""
    for c in world.contacts:
        by_name = ("find_contacts", {"query": c.name})
        yield ("person", c.email), (c.email, *by_name, (c.name,))
        entry = (f"the contact entry of {c.name}", f"{c.name}'s entry in the contacts")
        yield ("contact", c.id), (f"contact {c.id} ({c.name})", *by_name, entry)
    for e in world.events:
        words = (f'the meeting "{e.title}"', f'the "{e.title}" meeting', f'"{e.title}"')
        search = ("find_events", {"query": e.title})
        yield ("event", e.id), (f'meeting {e.id} ("{e.title}")', *search, words)
    for m in world.mails:
        words = (f'the mail with the subject "{m.subject}"', f'the mail "{m.subject}"')
        search = ("search_mails", {"query": m.subject})
        yield ("mail", m.id), (f'mail {m.id} ("{m.subject}")', *search, words)
    for f in world.files:
        name = f.path.rsplit("/", 1)[1]
        words = (f"the file {name}", f'the file "{name}"')
        yield ("file", f.path), (f.path, "find_files", {"query": name}, words)
    for t in world.tasks:
        words = (f'the task "{t.title}"', f'the "{t.title}" task')
        search = ("find_tasks", {"query": t.title})
        yield ("task", t.id), (f'task {t.id} ("{t.title}")', *search, words)
    for o in world.orders:
        words = (f"the order for the {o.project} project", f"the {o.project} order")
        search = ("find_orders", {"project": o.project})
        yield ("order", o.id), (f"order {o.id} (for {o.project})", *search, words)
    for i in world.invoices:
        words = (f"the invoice from {i.supplier}", f"the {i.supplier} invoice")
        search = ("find_invoices", {"supplier": i.supplier})
        yield ("invoice", i.id), (f"invoice {i.id} (from {i.supplier})", *search, words)
    for p in world.products:
        search = ("search_products", {"query": p.name})
        yield ("product", p.sku), (f"the {p.name} ({p.sku})", *search, (f"the {p.name}",))
    for a in world.accounts:
        direct = f"account {a.id} (the {a.name})"
        yield ("account", a.id), (direct, "list_accounts", {}, (f"the {a.name}",))

"""From what each thing of an office can be found."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from toolrl_env.data.procedural.workspace.edges import EDGES, Edge, Key
from toolrl_env.data.procedural.workspace.world import World
from toolrl_env.tools.suites.workspace.common import as_list

__all__ = ["Sources", "find_sources"]

Sources = dict[Key, list[tuple[Edge, str | int]]]
"""For each thing, how it can be found and from what."""


def find_sources(world: World) -> Sources:
    """Return, for each thing of an office, from what it can be found with one call."""
    sources: Sources = defaultdict(list)
    for kind, value, shown in _shown(world):
        for target, found in shown:
            sources[target, found].append((EDGES[target, kind], value))
    for target, kind, pairs in _groups(world):
        edge, count = EDGES[target, kind], Counter([key for key, _ in pairs])
        for key, value in pairs:
            if count[key] == 1:
                sources[target, value].append((edge, key))
    return sources


def _shown(world: World) -> Iterator[tuple[str, str | int, tuple[Key, ...]]]:
    """Yield each thing with what one call shows of it."""
    for event in world.events:
        shown: tuple[Key, ...] = (("person", event.organiser), ("date", event.date))
        yield "event", event.id, (*shown, ("file", event.agenda)) if event.agenda else shown
    for mail in world.mails:
        attached = as_list(mail.attachments)
        shown = (("person", mail.sender),)
        yield "mail", mail.id, (*shown, ("file", attached[0])) if len(attached) == 1 else shown
    for task in world.tasks:
        shown = (("person", task.assignee), ("date", task.due))
        yield "task", task.id, (*shown, ("file", task.file)) if task.file else shown
    for file in world.files:
        fact = world.facts[file.path]
        shown = (("person", file.owner), ("date", fact.deadline), ("amount", fact.budget))
        yield "file", file.path, shown
    prices = {product.sku: product.price for product in world.products}
    for order in world.orders:
        shown = (
            ("person", order.ordered_by),
            ("date", order.delivery),
            ("amount", order.quantity * prices[order.sku]),
            ("product", order.sku),
            ("account", order.account),
        )
        bill: tuple[Key, ...] = () if order.invoice is None else (("invoice", order.invoice),)
        yield "order", order.id, shown + bill
    for invoice in world.invoices:
        shown = (("person", invoice.contact), ("date", invoice.due), ("amount", invoice.amount))
        yield "invoice", invoice.id, shown
    for product in world.products:
        yield "product", product.sku, (("amount", product.price),)
    for contact in world.contacts:
        yield "person", contact.email, (("contact", contact.id),)


def _groups(world: World) -> tuple[tuple[str, str, list[tuple[str, str | int]]], ...]:
    """Return what can be found if it is the only one: kind, by what, and all pairs of these."""
    planned = [event for event in world.events if event.status == "planned"]
    open_tasks = [task for task in world.tasks if task.status == "open"]
    return (
        ("event", "person", [(event.organiser, event.id) for event in planned]),
        ("event", "date", [(event.date, event.id) for event in planned]),
        ("mail", "person", [(mail.sender, mail.id) for mail in world.mails]),
        ("file", "person", [(file.owner, file.path) for file in world.files]),
        ("task", "person", [(task.assignee, task.id) for task in open_tasks]),
        ("order", "person", [(order.ordered_by, order.id) for order in world.orders]),
        ("order", "product", [(order.sku, order.id) for order in world.orders]),
        ("invoice", "person", [(invoice.contact, invoice.id) for invoice in world.invoices]),
    )

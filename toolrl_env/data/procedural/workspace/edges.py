"""Which thing of an office leads to which other, by which call, and how one says so."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from toolrl_env.data.procedural.workspace.world import World
from toolrl_env.tools.suites.workspace.common import as_list

__all__ = ["NOUNS", "Edge", "Key", "Sources", "find_sources"]

Key = tuple[str, str | int]
"""A kind of thing (``person``, ``event``, ``date``, …) and which one: address, number, path, …"""

NOUNS = {
    "person": "person",
    "event": "meeting",
    "mail": "mail",
    "file": "file",
    "task": "task",
    "order": "order",
    "invoice": "invoice",
    "product": "product",
    "account": "account",
    "date": "day",
    "amount": "amount",
}


@dataclass(frozen=True, slots=True)
class Edge:
    """One step from a thing to another.

    Attributes:
        target: Kind of what is found.
        source: Kind of what it is found from.
        tool: The tool that shows it.
        argument: The tool's argument that takes the source.
        words: Noun phrases for the target with ``{}`` for the source.
        only: The table in which the target must be the only match, or ``""``.
    """

    target: str
    source: str
    tool: str
    argument: str
    words: tuple[str, ...]
    only: str = ""


Sources = dict[Key, list[tuple[Edge, str | int]]]
"""For each thing, how it can be found and from what."""

_EDGES = {
    (edge.target, edge.source): edge
    for edge in (
        Edge(
            "person",
            "event",
            "get_event",
            "event_id",
            ("the organiser of {}", "whoever organises {}", "the person who called {}"),
        ),
        Edge(
            "person",
            "mail",
            "read_mail",
            "mail_id",
            ("the sender of {}", "whoever sent {}", "the author of {}"),
        ),
        Edge(
            "person",
            "task",
            "get_task",
            "task_id",
            ("the person in charge of {}", "whoever is responsible for {}", "the assignee of {}"),
        ),
        Edge(
            "person",
            "file",
            "get_file_info",
            "path",
            ("the owner of {}", "whoever owns {}", "the person to whom {} belongs"),
        ),
        Edge(
            "person",
            "order",
            "get_order",
            "order_id",
            ("the person who placed {}", "whoever placed {}"),
        ),
        Edge(
            "person",
            "invoice",
            "get_invoice",
            "invoice_id",
            ("the contact person for {}", "the contact named on {}"),
        ),
        Edge(
            "contact",
            "person",
            "find_contacts",
            "query",
            ("the contact entry of {}", "the address book entry of {}"),
        ),
        Edge(
            "event",
            "person",
            "find_events",
            "organiser",
            ("the only meeting organised by {}", "the one meeting that was called by {}"),
            only="events",
        ),
        Edge("event", "date", "list_events", "date", ("the only meeting on {}",), only="events"),
        Edge(
            "mail",
            "person",
            "search_mails",
            "sender",
            ("the only mail I got from {}", "the one mail received from {}"),
            only="mails",
        ),
        Edge(
            "file",
            "mail",
            "read_mail",
            "mail_id",
            ("the file attached to {}", "the attachment of {}", "the file that came with {}"),
        ),
        Edge(
            "file",
            "event",
            "get_event",
            "event_id",
            ("the agenda file of {}", "the file that is the agenda of {}"),
        ),
        Edge(
            "file",
            "task",
            "get_task",
            "task_id",
            ("the file linked to {}", "the file that belongs to {}"),
        ),
        Edge(
            "file",
            "person",
            "find_files",
            "owner",
            ("the only file owned by {}", "the one file of which {} is the owner"),
            only="files",
        ),
        Edge(
            "task",
            "person",
            "list_tasks",
            "assignee",
            ("the only open task of {}", "the one open task assigned to {}"),
            only="tasks",
        ),
        Edge(
            "order",
            "person",
            "find_orders",
            "ordered_by",
            ("the only order placed by {}", "the one order that came from {}"),
            only="orders",
        ),
        Edge("order", "product", "find_orders", "sku", ("the only order for {}",), only="orders"),
        Edge(
            "invoice",
            "order",
            "get_order",
            "order_id",
            ("the invoice for {}", "the bill that belongs to {}"),
        ),
        Edge(
            "invoice",
            "person",
            "find_invoices",
            "contact",
            ("the only invoice whose contact person is {}",),
            only="invoices",
        ),
        Edge(
            "product",
            "order",
            "get_order",
            "order_id",
            ("the product of {}", "the product that was bought with {}"),
        ),
        Edge(
            "account",
            "order",
            "get_order",
            "order_id",
            ("the account that paid for {}", "the account charged for {}"),
        ),
        Edge("date", "event", "get_event", "event_id", ("the day of {}", "the date of {}")),
        Edge("date", "task", "get_task", "task_id", ("the due date of {}", "the deadline of {}")),
        Edge("date", "invoice", "get_invoice", "invoice_id", ("the due date of {}",)),
        Edge(
            "date",
            "order",
            "get_order",
            "order_id",
            ("the delivery date of {}", "the day of delivery of {}"),
        ),
        Edge(
            "date", "file", "read_file", "path", ("the deadline given in {}", "the deadline in {}")
        ),
        Edge(
            "amount",
            "invoice",
            "get_invoice",
            "invoice_id",
            ("the amount of {}", "the sum charged on {}"),
        ),
        Edge(
            "amount",
            "product",
            "get_product",
            "sku",
            ("the unit price of {}", "the price of one piece of {}"),
        ),
        Edge(
            "amount",
            "order",
            "get_order",
            "order_id",
            ("the total of {}", "the whole price of {}"),
        ),
        Edge("amount", "file", "read_file", "path", ("the budget given in {}", "the budget in {}")),
    )
}


def find_sources(world: World) -> Sources:
    """Return, for each thing of an office, from what it can be found with one call."""
    sources: Sources = defaultdict(list)
    for target, source in _links(world):
        edge = _EDGES[target[0], source[0]]
        sources[target].append((edge, source[1]))
    return sources


def _links(world: World) -> Iterator[tuple[Key, Key]]:
    """Yield every (target, source)."""
    for event in world.events:
        yield from _from(("event", event.id), person=event.organiser, date=event.date)
        if event.agenda:
            yield ("file", event.agenda), ("event", event.id)
    for mail in world.mails:
        yield ("person", mail.sender), ("mail", mail.id)
        attached = as_list(mail.attachments)
        if len(attached) == 1:
            yield ("file", attached[0]), ("mail", mail.id)
    for task in world.tasks:
        yield from _from(("task", task.id), person=task.assignee, date=task.due)
        if task.file:
            yield ("file", task.file), ("task", task.id)
    for file in world.files:
        fact = world.facts[file.path]
        yield from _from(
            ("file", file.path), person=file.owner, date=fact.deadline, amount=fact.budget
        )
    prices = {product.sku: product.price for product in world.products}
    for order in world.orders:
        yield from _from(
            ("order", order.id),
            person=order.ordered_by,
            date=order.delivery,
            amount=order.quantity * prices[order.sku],
            product=order.sku,
            account=order.account,
        )
        if order.invoice is not None:
            yield ("invoice", order.invoice), ("order", order.id)
    for invoice in world.invoices:
        yield from _from(
            ("invoice", invoice.id),
            person=invoice.contact,
            date=invoice.due,
            amount=invoice.amount,
        )
    for product in world.products:
        yield ("amount", product.price), ("product", product.sku)
    for contact in world.contacts:
        yield ("contact", contact.id), ("person", contact.email)
    yield from _only_links(world)


def _from(source: Key, **targets: str | int) -> Iterator[tuple[Key, Key]]:
    """Yield what one thing shows."""
    for kind, value in targets.items():
        yield (kind, value), source


def _only_links(world: World) -> Iterator[tuple[Key, Key]]:
    """Yield what can be found because it is the only one of its kind."""
    planned = [event for event in world.events if event.status == "planned"]
    open_tasks = [task for task in world.tasks if task.status == "open"]
    groups: tuple[tuple[str, str, list[tuple[str, str | int]]], ...] = (
        ("event", "person", [(event.organiser, event.id) for event in planned]),
        ("event", "date", [(event.date, event.id) for event in planned]),
        ("mail", "person", [(mail.sender, mail.id) for mail in world.mails]),
        ("file", "person", [(file.owner, file.path) for file in world.files]),
        ("task", "person", [(task.assignee, task.id) for task in open_tasks]),
        ("order", "person", [(order.ordered_by, order.id) for order in world.orders]),
        ("order", "product", [(order.sku, order.id) for order in world.orders]),
        ("invoice", "person", [(invoice.contact, invoice.id) for invoice in world.invoices]),
    )
    for kind, by, pairs in groups:
        count = Counter(key for key, _ in pairs)
        for key, value in pairs:
            if count[key] == 1:
                yield (kind, value), (by, key)

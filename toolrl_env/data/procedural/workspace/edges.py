"""Which kind of thing leads to which other, by which call, and how one says so."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["EDGES", "NOUNS", "Edge", "Key"]

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


EDGES = {
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
"""Every step, by kind of target and kind of source."""

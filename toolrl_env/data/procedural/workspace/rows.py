"""The rows of the office's tables as named tuples; the fields are the columns, in their order."""

from __future__ import annotations

from typing import NamedTuple

__all__ = [
    "Account",
    "Contact",
    "Event",
    "File",
    "Invoice",
    "Mail",
    "Order",
    "Product",
    "TaskRow",
    "Transaction",
]


class Contact(NamedTuple):
    """Somebody in the address book."""

    id: int
    name: str
    email: str
    phone: str
    company: str
    role: str


class Event(NamedTuple):
    """A meeting; ``attendees`` is a JSON list of addresses."""

    id: int
    title: str
    date: str
    start: str
    minutes: int
    location: str
    organiser: str
    attendees: str
    agenda: str
    status: str


class Mail(NamedTuple):
    """A mail; ``recipients`` and ``attachments`` are JSON lists."""

    id: int
    folder: str
    sender: str
    recipients: str
    subject: str
    body: str
    attachments: str
    date: str
    reply_to: int | None
    forward_of: int | None
    read: int


class File(NamedTuple):
    """A file; ``shares`` is a JSON object from address to permission."""

    path: str
    owner: str
    modified: str
    content: str
    shares: str


class TaskRow(NamedTuple):
    """A task of the office's list."""

    id: int
    title: str
    assignee: str
    due: str
    priority: str
    status: str
    file: str
    notes: str


class Product(NamedTuple):
    """Something in the catalogue; the price is in cents."""

    sku: str
    name: str
    price: int
    stock: int
    supplier: str


class Order(NamedTuple):
    """An order of one product."""

    id: int
    project: str
    sku: str
    quantity: int
    ordered_by: str
    account: int
    placed: str
    delivery: str
    status: str
    invoice: int | None


class Account(NamedTuple):
    """One of the office's accounts."""

    id: int
    name: str


class Transaction(NamedTuple):
    """Money that came (positive) or went (negative), in cents."""

    id: int
    account: int
    date: str
    amount: int
    counterparty: str
    note: str


class Invoice(NamedTuple):
    """A bill of a supplier, in cents."""

    id: int
    supplier: str
    contact: str
    amount: int
    due: str
    status: str
    paid_from: int | None

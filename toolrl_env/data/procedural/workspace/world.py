"""What an office is at the start of a task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from toolrl_env.data.procedural.workspace.rows import (
    Account,
    Contact,
    Event,
    File,
    Invoice,
    Mail,
    Order,
    Product,
    TaskRow,
    Transaction,
)
from toolrl_env.tools.suites.workspace import Database

__all__ = ["FileFacts", "World", "pick", "some"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What the text of a file says.

    Attributes:
        deadline: ISO date.
        budget: Cents.
    """

    deadline: str
    budget: int


@dataclass(frozen=True, slots=True)
class World:
    """An office at the start of a task. Everything that must be found exists exactly once.

    Attributes:
        today: ISO date.
        time: ``HH:MM``.
        user: Name and address of the user.
        code: The user's payment code.
        contacts: And so on: the rows of the tables.
        facts: What each file says, by path.
    """

    today: str
    time: str
    user: tuple[str, str]
    code: str
    contacts: tuple[Contact, ...]
    events: tuple[Event, ...]
    mails: tuple[Mail, ...]
    files: tuple[File, ...]
    tasks: tuple[TaskRow, ...]
    products: tuple[Product, ...]
    orders: tuple[Order, ...]
    accounts: tuple[Account, ...]
    transactions: tuple[Transaction, ...]
    invoices: tuple[Invoice, ...]
    facts: dict[str, FileFacts]

    def database(self) -> Database:
        """Return the office's database."""
        settings = {
            "authorised": "no",
            "payment_code": self.code,
            "time": self.time,
            "today": self.today,
            "user_email": self.user[1],
            "user_name": self.user[0],
            "wrong_codes": "0",
        }
        return Database.filled(
            {
                "office": settings.items(),
                "contacts": self.contacts,
                "events": self.events,
                "mails": self.mails,
                "files": self.files,
                "tasks": self.tasks,
                "products": self.products,
                "orders": self.orders,
                "accounts": self.accounts,
                "transactions": self.transactions,
                "invoices": self.invoices,
            }
        )


def pick(rng: Random, choices: Sequence[T]) -> T:
    """Return one of ``choices`` (``rng.choice``, at half its cost)."""
    return choices[int(rng.random() * len(choices))]


def some(rng: Random, choices: Sequence[T], count: int) -> list[T]:
    """Return ``count`` different ones of ``choices`` (``rng.sample``, at a third of its cost)."""
    pool = list(choices)
    for index in range(count):
        other = index + int(rng.random() * (len(pool) - index))
        pool[index], pool[other] = pool[other], pool[index]
    return pool[:count]

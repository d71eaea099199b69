"""The office's tables: SQL definitions, keys, and which columns say nothing about what was done."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["PAGE_SIZE", "TABLES", "Row", "Rows", "Table", "Value", "empty_database"]

Value = str | int | None
Row = tuple[Value, ...]
Rows = tuple[Row, ...]

PAGE_SIZE = 1024
"""Bytes; small pages keep snapshots of small offices small."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        name: Its name.
        definition: Its columns, as SQL.
        columns: Their names; the first is the key.
        private: The office's own state (are payments unlocked?), not a thing a user asks for.
        select: Reads every row, in the order of the key.
        insert: Adds a row, all columns given.
    """

    name: str
    definition: str
    columns: tuple[str, ...]
    private: bool
    select: str
    insert: str


def _table(name: str, definition: str, *, private: bool = False) -> Table:
    columns = tuple(part.split()[0] for part in definition.split(","))
    listed, marks = ", ".join(columns), ", ".join("?" * len(columns))
    return Table(
        name,
        definition,
        columns,
        private,
        f"SELECT {listed} FROM {name} ORDER BY {columns[0]}",
        f"INSERT INTO {name} ({listed}) VALUES ({marks})",
    )


_ID = "id INTEGER PRIMARY KEY"

TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (
        _table("office", "key TEXT PRIMARY KEY, value TEXT NOT NULL", private=True),
        _table("contacts", f"{_ID}, name TEXT, email TEXT, phone TEXT, company TEXT, role TEXT"),
        _table(
            "events",
            f"{_ID}, title TEXT, date TEXT, start TEXT, minutes INTEGER, location TEXT, "
            "organiser TEXT, attendees TEXT, agenda TEXT, status TEXT",
        ),
        _table(
            "mails",
            f"{_ID}, folder TEXT, sender TEXT, recipients TEXT, subject TEXT, body TEXT, "
            "attachments TEXT, date TEXT, reply_to INTEGER, forward_of INTEGER, read INTEGER",
        ),
        _table(
            "files",
            "path TEXT PRIMARY KEY, owner TEXT, modified TEXT, content TEXT, shares TEXT",
        ),
        _table(
            "tasks",
            f"{_ID}, title TEXT, assignee TEXT, due TEXT, priority TEXT, status TEXT, file TEXT, "
            "notes TEXT",
        ),
        _table(
            "products",
            "sku TEXT PRIMARY KEY, name TEXT, price INTEGER, stock INTEGER, supplier TEXT",
        ),
        _table(
            "orders",
            f"{_ID}, project TEXT, sku TEXT, quantity INTEGER, ordered_by TEXT, account INTEGER, "
            "placed TEXT, delivery TEXT, status TEXT, invoice INTEGER",
        ),
        _table("accounts", f"{_ID}, name TEXT"),
        _table(
            "transactions",
            f"{_ID}, account INTEGER, date TEXT, amount INTEGER, counterparty TEXT, note TEXT",
        ),
        _table(
            "invoices",
            f"{_ID}, supplier TEXT, contact TEXT, amount INTEGER, due TEXT, status TEXT, "
            "paid_from INTEGER",
        ),
    )
}
"""Every table by name, in a fixed order.

Money is in whole cents, dates are ISO, times ``HH:MM``; a list or an object is canonical JSON text.
"""


@functools.cache
def empty_database() -> bytes:
    """Return an office without rows, as SQLite's file format."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute(f"PRAGMA page_size={PAGE_SIZE}")
    for table in TABLES.values():
        kind = "STRICT" if table.definition.startswith(_ID) else "STRICT, WITHOUT ROWID"
        connection.execute(f"CREATE TABLE {table.name} ({table.definition}) {kind}")
    data = connection.serialize()
    connection.close()
    return data

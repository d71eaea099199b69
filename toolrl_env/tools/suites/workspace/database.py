"""``Database``: SQLite in memory, cheap snapshots, a canonical hash, bound parameters only."""

from __future__ import annotations

import functools
import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from toolrl_env.core.errors import SnapshotError
from toolrl_env.tools.suites.workspace.schema import (
    PAGE_SIZE,
    TABLES,
    Row,
    Rows,
    Value,
    empty_database,
)
from toolrl_env.tools.tool import ToolError

__all__ = ["MAX_BYTES", "Database", "Image"]

MAX_BYTES = 4 * 1024 * 1024
"""An office's size; writing more is refused, so an endless episode cannot fill the memory."""

_LIMIT = f"PRAGMA max_page_count={MAX_BYTES // PAGE_SIZE}"
_FULL = "the office's storage is full; delete something first"
_NOT_TEXT = "text holds characters that cannot be stored (half of a surrogate pair)"


@dataclass(frozen=True)
class Image:
    """A frozen office: what sessions start from, shared by all of them.

    Attributes:
        data: SQLite's file format.
        rows: The same rows as Python values, by table.
    """

    data: bytes
    rows: Mapping[str, Rows]
    _digests: dict[str, bytes] = field(default_factory=dict[str, bytes], repr=False, compare=False)

    @classmethod
    def of(cls, rows: Mapping[str, Iterable[Row]]) -> Image:
        """Return the office that holds these rows, by table; tables left out are empty."""
        return Database.filled(rows).base

    @functools.cached_property
    def key(self) -> str:
        """Which image this is: 64 hexadecimal digits."""
        return hashlib.sha256(self.data).hexdigest()

    def digest(self, table: str) -> bytes:
        """Return the hash of one table's rows."""
        if table not in self._digests:
            self._digests[table] = _digest(self.rows[table])
        return self._digests[table]


def _connect(data: bytes) -> sqlite3.Connection:
    """Return a connection to a copy of a database.

    Always a new one: replacing the database under a connection leaves its prepared statements with
    pointers into the old schema (seen with SQLite 3.40: wrong errors, then a crash).
    """
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.deserialize(data)
    connection.execute(_LIMIT)
    return connection


def _key(row: Row) -> Any:
    return row[0]


@functools.cache
def _empty() -> Image:
    return Image(empty_database(), dict.fromkeys(TABLES, ()))


def _digest(rows: Rows) -> bytes:
    return hashlib.sha256(json.dumps(rows, separators=(",", ":")).encode("ascii")).digest()


class Database:
    """One office's tables.

    Every statement is a constant of this package; values travel as bound parameters only. Tables
    that were not written since the image it began from are never read again to compare or hash.

    Args:
        image: The office to start from; ``None`` for one without rows.
    """

    __slots__ = ("_cache", "_data", "_live", "_version", "_written", "base")

    def __init__(self, image: Image | None = None) -> None:
        self.base = image or _empty()
        self._data = self.base.data  # the state, as long as there is no connection
        self._live: sqlite3.Connection | None = None
        self._cache: dict[str, Rows] = {}
        self._written: frozenset[str] = frozenset()
        self._version = 0

    def __del__(self) -> None:
        """Close the connection now instead of warning later."""
        if self._live is not None:
            self._live.close()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the image it began from and the state now."""
        return _rebuild, (self.base.data, self.base.rows, self.save())

    def __eq__(self, other: object) -> bool:
        """Return whether both hold the same rows."""
        return isinstance(other, Database) and all(
            self.rows(name) == other.rows(name) for name in TABLES
        )

    __hash__ = None  # pyright: ignore[reportAssignmentType]  # mutable

    @classmethod
    def filled(cls, rows: Mapping[str, Iterable[Row]]) -> Database:
        """Return a database that holds these rows and has them as its image."""
        database = cls()
        ordered = {name: tuple(sorted(rows.get(name, ()), key=_key)) for name in TABLES}
        database.begin()
        for name, entries in ordered.items():
            if entries:
                database._connection.executemany(TABLES[name].insert, entries)
        database.commit()
        database.base = Image(database._connection.serialize(), ordered)
        return database

    @property
    def _connection(self) -> sqlite3.Connection:
        """The connection, made when it is first needed: a fork that is never used costs little."""
        if self._live is None:
            self._live = _connect(self._data)
        return self._live

    # ------------------------------------------------------------------ reading

    def all(self, sql: str, *values: Value) -> list[dict[str, Any]]:
        """Return every row of a query, as dicts.

        Raises:
            ToolError: A value cannot be bound.
        """
        try:
            cursor = self._connection.execute(sql, values)
        except UnicodeEncodeError:
            raise ToolError(_NOT_TEXT) from None
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def one(self, sql: str, *values: Value) -> dict[str, Any] | None:
        """Return the first row of a query, or ``None``."""
        found = self.all(sql, *values)
        return found[0] if found else None

    def rows(self, table: str) -> Rows:
        """Return every row of a table, in the order of its key."""
        if table not in self._written:
            return self.base.rows[table]
        if table not in self._cache:
            cursor = self._connection.execute(TABLES[table].select)
            self._cache[table] = tuple(cast("list[Row]", cursor.fetchall()))
        return self._cache[table]

    @property
    def written(self) -> frozenset[str]:
        """Names of the tables that may differ from the image it began from."""
        return self._written

    @property
    def version(self) -> int:
        """A number that grows with every change, also with those that are undone."""
        return self._version

    def digest(self) -> str:
        """Return 64 hexadecimal digits of all rows; independent of how they came to be."""
        whole = hashlib.sha256()
        for name in TABLES:
            clean = name not in self._written
            whole.update(self.base.digest(name) if clean else _digest(self.rows(name)))
        return whole.hexdigest()

    # ------------------------------------------------------------------ writing

    def change(self, table: str, sql: str, *values: Value) -> int:
        """Run one statement that writes to ``table``; return the id of the row it added, if any.

        Raises:
            ToolError: A value cannot be stored, or the office is full. Nothing was changed.
        """
        try:
            cursor = self._connection.execute(sql, values)
        except UnicodeEncodeError:
            raise ToolError(_NOT_TEXT) from None
        except sqlite3.OperationalError as error:
            if "full" in str(error):
                raise ToolError(_FULL) from None
            raise
        self._version += 1
        self._written |= {table}
        self._cache.pop(table, None)
        return cursor.lastrowid or 0

    def begin(self) -> None:
        """Start a group of changes that is kept or undone as a whole."""
        self._connection.execute("BEGIN")

    def commit(self) -> None:
        """Keep the group."""
        self._connection.execute("COMMIT")

    def rollback(self) -> None:
        """Undo the group."""
        self._connection.execute("ROLLBACK")
        self._version += 1
        self._cache.clear()

    # ------------------------------------------------------------------ state

    def save(self) -> bytes:
        """Return the state: a line that says what may differ from which base, then SQLite's."""
        head = f"{self.base.key} {' '.join(sorted(self._written))}\n"
        return head.encode() + (self._data if self._live is None else self._live.serialize())

    def close(self) -> None:
        """Close the connection; what was written since the last ``put`` is gone."""
        if self._live is not None:
            self._live.close()
            self._live = None

    def put(self, state: bytes) -> None:
        """Put back what ``save`` returned, here or elsewhere.

        Raises:
            SnapshotError: It is not such a state.
        """
        head, _, data = state.partition(b"\n")
        key, *written = head.decode("ascii", "replace").split() or [""]
        if not data.startswith(b"SQLite format 3\0") or not TABLES.keys() >= set(written):
            raise SnapshotError("not a snapshot of an office")
        self.close()
        self._version += 1
        self._data = data
        self._written = frozenset(written if key == self.base.key else TABLES)
        self._cache.clear()


def _rebuild(data: bytes, rows: Mapping[str, Rows], state: bytes) -> Database:
    database = Database(Image(data, rows))
    database.put(state)
    return database

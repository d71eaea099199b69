"""What the office's tools share: bounded argument types, tidy values, the base class."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Sequence
from typing import Annotated, Any, Self

from toolrl_env.core.errors import SnapshotError, nearest
from toolrl_env.tools.signature import Limits
from toolrl_env.tools.suite import SuiteSnapshot, ToolSuite
from toolrl_env.tools.suites.common import read_time
from toolrl_env.tools.suites.workspace.database import Database
from toolrl_env.tools.tool import ToolError

__all__ = [
    "Body",
    "Cents",
    "Clock",
    "Day",
    "Email",
    "Emails",
    "Id",
    "Line",
    "Office",
    "Path",
    "Paths",
    "Search",
    "as_list",
    "clean_path",
    "clean_time",
    "day_of",
    "matching",
    "pack",
]

Id = Annotated[int, Limits(1, 9_999_999)]
Line = Annotated[str, Limits(1, 200)]
Search = Annotated[str, Limits(0, 200)]
Body = Annotated[str, Limits(0, 4000)]
Email = Annotated[str, Limits(3, 120)]
Emails = Annotated[list[Email], Limits(1, 20)]
Path = Annotated[str, Limits(2, 200)]
Paths = Annotated[list[Path], Limits(0, 10)]
Day = Annotated[str, Limits(10, 10)]
Clock = Annotated[str, Limits(4, 5)]
Cents = Annotated[int, Limits(1, 100_000_000)]

MAX_FOUND = 25
"""A search shows at most this many results."""

_EMAIL = re.compile(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9-]{1,40}(\.[A-Za-z0-9-]{1,20}){1,3}\Z")
_pack = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, sort_keys=True).encode
_PART = re.compile(r"[\w][\w .,()&'-]{0,79}\Z")


def pack(values: Sequence[str] | dict[str, str]) -> str:
    """Return a list or an object as the text that a column holds: sorted, without repetitions.

    >>> pack(["b", "a", "b"]), pack({"b": "edit", "a": "view"})
    ('["a","b"]', '{"a":"view","b":"edit"}')
    """
    tidy = values if isinstance(values, dict) else sorted(set(values))
    return _pack(tidy)


def as_list(text: str) -> list[str]:
    """Return the list that a column holds."""
    return json.loads(text)


def day_of(text: str) -> str:
    """Check ``YYYY-MM-DD`` and return it.

    Raises:
        ToolError: It is not such a date.
    """
    try:
        if datetime.date.fromisoformat(text).isoformat() == text:
            return text
    except ValueError:
        pass
    raise ToolError(f"not a date of the form YYYY-MM-DD: {text[:40]!r}")


def clean_time(text: str) -> str:
    """Return a time of day as ``HH:MM``.

    >>> clean_time("9:05")
    '09:05'
    """
    minutes = read_time(text)
    return f"{minutes // 60:02}:{minutes % 60:02}"


def clean_path(text: str) -> str:
    """Check a path of the office's file store and return it. No real file is ever touched.

    Raises:
        ToolError: Not absolute, or a part is empty, ``..`` or holds unusual characters.
    """
    parts = text.split("/")
    if parts[0] or len(parts) < 2 or len(parts) > 8 or not all(map(_PART.match, parts[1:])):
        raise ToolError(
            f"not a path like '/folder/name.txt': {text[:80]!r} (no '..', no empty parts)"
        )
    return text


def matching(rows: list[dict[str, Any]], query: str, *columns: str) -> list[dict[str, Any]]:
    """Return the rows whose columns together hold every word of the query, in any case."""
    words = query.casefold().split()
    found: list[dict[str, Any]] = []
    for row in rows:
        text = " ".join([str(row[column]) for column in columns]).casefold()
        if all(word in text for word in words):
            found.append(row)
    return found[:MAX_FOUND]


class Office(ToolSuite):
    """Base of the office's groups of tools: a database, and the checks that several share.

    Args:
        database: The office; ``None`` for one without rows.
    """

    def __init__(self, database: Database | None = None) -> None:
        self.database = database or Database()

    def __eq__(self, other: object) -> bool:
        """Return whether both offices hold the same rows."""
        return type(other) is type(self) and self.database == vars(other)["database"]

    __hash__ = None  # pyright: ignore[reportAssignmentType]  # mutable

    def snapshot(self) -> SuiteSnapshot:
        """Return the state; some 20 µs and 25 KB for a small office."""
        return SuiteSnapshot(type(self).__qualname__, self.database.save())

    def restore(self, snapshot: SuiteSnapshot) -> None:
        """Put a state back; nothing is shared with the office that it came from.

        Raises:
            SnapshotError: The snapshot is another class's.
        """
        if snapshot.suite != type(self).__qualname__:
            raise SnapshotError(f"a snapshot of {snapshot.suite}, not of {type(self).__qualname__}")
        self.database.put(snapshot.state)

    def fork(self) -> Self:
        """Return an office in the same state; what neither has written is shared."""
        twin = type(self)(Database(self.database.base))
        twin.restore(self.snapshot())
        return twin

    def state_hash(self) -> str:
        """Return 64 hexadecimal digits of the rows, the same in every process."""
        return self.database.digest()

    # ------------------------------------------------------------------ shared checks

    def _setting(self, key: str) -> str:
        row = self.database.one("SELECT value FROM office WHERE key = ?", key)
        return "" if row is None else str(row["value"])

    def _set(self, key: str, value: str) -> None:
        self.database.change(
            "office",
            "INSERT INTO office (key, value) VALUES (?, ?) "
            "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            key,
            value,
        )

    @property
    def _me(self) -> str:
        return self._setting("user_email")

    @property
    def _today(self) -> str:
        return self._setting("today")

    def _row(self, what: str, sql: str, key: str | int) -> dict[str, Any]:
        """Return the row that a query finds for a key, or refuse."""
        row = self.database.one(sql, key)
        if row is None:
            raise ToolError(f"there is no {what} {key!r}; search for it first")
        return row

    def _address(self, email: str) -> str:
        """Check that a text is an e-mail address and return it in lower case."""
        if not _EMAIL.match(email):
            raise ToolError(f"not an e-mail address: {email[:80]!r}; look it up in the contacts")
        return email.lower()

    def _known(self, email: str) -> str:
        """Check an address of somebody in the contacts (or the user's own) and return it."""
        address = self._address(email)
        known = {str(row["email"]) for row in self.database.all("SELECT email FROM contacts")}
        known.add(self._me)
        if address not in known:
            close = nearest(address, known)
            hint = f"; the nearest is {close!r}" if close else ""
            raise ToolError(f"nobody in the contacts has the address {address!r}{hint}")
        return address

    def _file(self, path: str) -> dict[str, Any]:
        """Return a file's row, or refuse."""
        return self._row(
            "file",
            "SELECT path, owner, modified, content, shares FROM files WHERE path = ?",
            clean_path(path),
        )

    def _ahead(self, date: str) -> str:
        """Check a date that is not past and return it."""
        day = day_of(date)
        if day < self._today:
            raise ToolError(f"{day} is in the past; today is {self._today}")
        return day

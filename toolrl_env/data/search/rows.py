"""What corpora and questions share: a file or a list, read row by row."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

from toolrl_env.core.errors import ConfigurationError, DataError
from toolrl_env.data.files import read_rows, version_of
from toolrl_env.data.source import RefusedRow

__all__ = ["columns_of", "read_all"]

Item = TypeVar("Item")
Reader = Callable[[Mapping[str, Any], int], Item]
"""Reads the row of an index. Raises ``DataError`` without the place, which is added."""


def read_all(
    given: str | Path | Sequence[object], name: str, kind: type[Item], read: Reader[Item]
) -> tuple[Item, ...]:
    """Return the items of a file or a list, in order.

    A file is read once per process for as long as it does not change on disk; the last eight are
    remembered.

    Args:
        given: A ``.jsonl``, ``.json``, ``.jsonl.gz`` or ``.parquet`` file, or a list of items and
            of mappings.
        name: What an error calls it.
        kind: The class of an item.
        read: Makes an item of a mapping.

    Raises:
        ConfigurationError: It is neither a path nor a list.
        DataError: The file cannot be read, a row is no item, or there is none.
    """
    if isinstance(given, str | Path):
        path = Path(given).absolute()
        return _from_file(path, version_of(path), kind, read)
    if not isinstance(given, Sequence):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f"{name}={given!r:.80}; allowed: a file, or a list")
    return _items(given, name, kind, read)


def columns_of(row: Mapping[str, Any]) -> str:
    """Return the names of a row's columns, for an error."""
    return ", ".join(map(str, row)) or "none"


@functools.lru_cache(maxsize=8)
def _from_file(
    path: Path, version: tuple[int, int] | None, kind: type[Item], read: Reader[Item]
) -> tuple[Item, ...]:
    del version  # part of the key alone
    return _items(read_rows(path), str(path), kind, read)


def _items(
    rows: Iterable[object], origin: str, kind: type[Item], read: Reader[Item]
) -> tuple[Item, ...]:
    found: list[Item] = []
    for index, row in enumerate(rows):
        where = f"{origin}: row {index}"
        if isinstance(row, RefusedRow):
            raise DataError(f"{where}: {row.reason}")
        if isinstance(row, kind):
            found.append(row)
        elif isinstance(row, Mapping):
            try:
                found.append(read(cast("Mapping[str, Any]", row), index))
            except DataError as error:
                raise DataError(f"{where}: {error}") from error
        else:
            raise DataError(f"{where}: not a {kind.__name__} but {type(row).__name__}")
    if not found:
        raise DataError(f"{origin}: there are no rows")
    return tuple(found)

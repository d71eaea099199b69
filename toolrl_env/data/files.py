"""Files → raw rows: ``.json``, ``.jsonl``, ``.jsonl.gz`` and ``.parquet``."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from toolrl_env.core.errors import DataError
from toolrl_env.data.dataset import Row
from toolrl_env.data.source import RefusedRow

__all__ = ["SUFFIXES", "read_rows", "version_of"]

SUFFIXES = (".json", ".jsonl", ".jsonl.gz", ".parquet")


def read_rows(path: Path) -> Iterator[Row | RefusedRow]:
    """Yield the rows of a file in order; a row that is no JSON object as a ``RefusedRow``.

    Raises:
        DataError: The file cannot be read, is empty, is not UTF-8 or is of an unknown kind.
    """
    name = path.name.lower()
    if name.endswith(".parquet"):
        yield from _parquet(path)
    elif name.endswith((".jsonl", ".jsonl.gz")):
        yield from _lines(path, _text(path))
    elif name.endswith(".json"):
        yield from _array(path, _text(path))
    else:
        raise DataError(
            f"{path}: unknown kind of file; allowed: {', '.join(SUFFIXES)}, "
            "or 'hub' for the Hugging Face hub"
        )


def version_of(path: Path) -> tuple[int, int] | None:
    """Return what changes when a file does; ``None`` if there is none, as reading it will say."""
    try:
        stat = path.stat()
    except (OSError, ValueError):  # ValueError: a null byte in the name
        return None
    return stat.st_mtime_ns, stat.st_size


def _bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if path.name.lower().endswith(".gz") else data
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: not a complete gzip file: {error}") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:  # a null byte in the name
        raise DataError(f"{str(path)!r}: cannot be read: {error}") from error


def _text(path: Path) -> str:
    try:
        text = _bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8: byte {error.start} ({error.reason})") from error
    if not text.strip():
        raise DataError(f"{path}: the file is empty")
    return text


def _lines(path: Path, text: str) -> Iterator[Row | RefusedRow]:
    index = 0
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value: Any = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield RefusedRow(index, f"{path.name}, line {number}: not JSON: {error}")
        else:
            yield _row(value, index, f"{path.name}, line {number}")
        index += 1


def _array(path: Path, text: str) -> Iterator[Row | RefusedRow]:
    try:
        values: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        hint = " If it has one row a line, name it .jsonl." if "Extra data" in str(error) else ""
        raise DataError(f"{path}: not JSON: {error}.{hint}") from error
    if not isinstance(values, list):
        raise DataError(f"{path}: not a list of rows but {type(values).__name__}")
    if not values:
        raise DataError(f"{path}: the file is empty: its list has no rows")
    for index, value in enumerate(cast("list[Any]", values)):
        yield _row(value, index, f"{path.name}, row {index}")


def _row(value: Any, index: int, where: str) -> Row | RefusedRow:
    if isinstance(value, dict):
        return cast("Row", value)
    return RefusedRow(index, f"{where}: not an object but {type(value).__name__}")


def _parquet(path: Path) -> Iterator[Row | RefusedRow]:
    try:
        import pyarrow.parquet as pq  # pyright: ignore[reportMissingTypeStubs]
    except ImportError as error:
        raise DataError(
            f"{path}: reading .parquet needs pyarrow: pip install 'toolrl-env[data]'"
        ) from error
    try:
        file: Any = pq.ParquetFile(path)
        if file.metadata.num_rows == 0:
            raise DataError(f"{path}: the file is empty: its table has no rows")
        for batch in file.iter_batches():
            yield from cast("list[Row]", batch.to_pylist())
    except (OSError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: cannot be read as Parquet: {error}") from error

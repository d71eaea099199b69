"""A user's corpus: a file or a list → documents."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from toolrl_env.core.errors import ConfigurationError, DataError, nearest
from toolrl_env.data.files import read_rows
from toolrl_env.data.search.backend import Document
from toolrl_env.data.source import RefusedRow

__all__ = ["Corpus", "load_documents", "version_of"]

Corpus = str | Path | Sequence[Document | Mapping[str, str]]
"""A file (``.jsonl``, ``.json``, ``.jsonl.gz``, ``.parquet``), or the documents themselves."""


def load_documents(corpus: Corpus) -> tuple[Document, ...]:
    """Return the documents of a corpus, in order.

    Rows have ``text`` and, if they like, ``title``. A file is read once per process for as long as
    it does not change; the last four are remembered.

    Raises:
        ConfigurationError: ``corpus`` is neither a path nor a list.
        DataError: The file cannot be read, a row is no document, or there is none.
    """
    if isinstance(corpus, str | Path):
        path = Path(corpus).absolute()
        return _from_file(path, version_of(path))
    if not isinstance(corpus, Sequence):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f"corpus={corpus!r:.80}; allowed: a file, or a list of documents")
    return _documents(corpus, "corpus")


def version_of(path: Path) -> tuple[int, int] | None:
    """Return what changes when a file does; ``None`` if there is none, as reading it will say."""
    try:
        stat = path.stat()
    except (OSError, ValueError):  # ValueError: a null byte in the name
        return None
    return stat.st_mtime_ns, stat.st_size


@functools.lru_cache(maxsize=4)
def _from_file(path: Path, version: tuple[int, int] | None) -> tuple[Document, ...]:
    del version  # part of the key alone
    return _documents(read_rows(path), str(path))


def _documents(rows: Iterable[object], origin: str) -> tuple[Document, ...]:
    found = tuple(_document(row, f"{origin}: row {i}") for i, row in enumerate(rows))
    if not found:
        raise DataError(f"{origin}: there are no documents")
    return found


def _document(row: object, where: str) -> Document:
    if isinstance(row, Document):
        return row
    if isinstance(row, RefusedRow):
        raise DataError(f"{where}: {row.reason}")
    if not isinstance(row, Mapping):
        raise DataError(f"{where}: not a document but {type(row).__name__}")
    fields = cast("Mapping[str, Any]", row)
    title, text = fields.get("title", ""), fields.get("text")
    if not isinstance(text, str) or not isinstance(title, str):
        close = nearest("text", [str(key) for key in fields if key != "title"])
        hint = f" Did you mean {close!r} by 'text'?" if text is None and close else ""
        found = ", ".join(map(str, fields)) or "none"
        raise DataError(f"{where}: 'text' and 'title' must be texts; columns: {found}.{hint}")
    if not (text.strip() or title.strip()):
        raise DataError(f"{where}: the document is empty")
    return Document(title, text)

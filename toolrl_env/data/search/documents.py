"""A user's corpus: a file or a list → documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from toolrl_env.core.errors import DataError, nearest
from toolrl_env.data.search.backend import Document
from toolrl_env.data.search.rows import columns_of, read_all

__all__ = ["Corpus", "load_documents"]

Corpus = str | Path | Sequence[Document | Mapping[str, str]]
"""A file (``.jsonl``, ``.json``, ``.jsonl.gz``, ``.parquet``), or the documents themselves."""


def load_documents(corpus: Corpus) -> tuple[Document, ...]:
    """Return the documents of a corpus, in order.

    Rows have ``text`` and, if they like, ``title``. A file is read once per process for as long as
    it does not change.

    Raises:
        ConfigurationError: ``corpus`` is neither a path nor a list.
        DataError: The file cannot be read, a row is no document, or there is none.
    """
    return read_all(corpus, "corpus", Document, _document)


def _document(row: Mapping[str, Any], index: int) -> Document:
    del index
    title, text = row.get("title", ""), row.get("text")
    if not isinstance(text, str) or not isinstance(title, str):
        close = nearest("text", [str(key) for key in row if key != "title"])
        hint = f" Did you mean {close!r} by 'text'?" if text is None and close else ""
        raise DataError(f"'text' and 'title' must be texts; columns: {columns_of(row)}.{hint}")
    if not (text.strip() or title.strip()):
        raise DataError("the document is empty")
    return Document(title, text)

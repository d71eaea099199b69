"""Search in this process: BM25 by the package ``bm25s``."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable
from typing import Any

import numpy as np

from toolrl_env.core.errors import ConfigurationError
from toolrl_env.data.search.backend import Document

__all__ = ["BM25Backend", "words_of"]

K1, B = 1.5, 0.75
_WORD = re.compile(r"\w+")
_ACCENTS = re.compile("[\u0300-\u036f]")


class BM25Backend:
    """BM25 (Robertson and Zaragoza 2009, in Lucene's variant) over title and text.

    The index of a corpus is built once per process and shared by all backends of equal documents.
    Nothing changes after that: forks and threads share it. Pickles as its documents.

    Args:
        documents: The corpus; at least one.

    Raises:
        ConfigurationError: ``bm25s`` is not installed, or no document holds a word.

    >>> backend = BM25Backend([Document("Ollan", "A river."), Document("Pellstad", "A town.")])
    >>> [hit.title for hit in backend.search("which town?", 3)]
    ['Pellstad']
    """

    waits = False

    def __init__(self, documents: Iterable[Document]) -> None:
        self.documents = tuple(documents)
        if not self.documents:
            raise ConfigurationError("BM25Backend needs at least one document")
        self._index = _index(self.documents)

    def __reduce__(self) -> tuple[type[BM25Backend], tuple[tuple[Document, ...]]]:
        """Pickle as the documents; the index is found or built again where it is loaded."""
        return type(self), (self.documents,)

    def search(self, query: str, k: int) -> list[Document]:
        """Return at most ``k`` documents that share a word with the query, best first.

        Of equally good ones the earlier in the corpus comes first.
        """
        known = self._index.vocab_dict
        words = [word for word in words_of(query) if word in known]
        if not words:
            return []
        scores: Any = self._index.get_scores(words)
        count = min(k, int(np.count_nonzero(scores > 0)))
        if count < 1:
            return []
        least = np.partition(scores, -count)[-count]
        among = np.flatnonzero(scores >= least)
        best = among[np.argsort(-scores[among], kind="stable")][:count]
        return [self.documents[i] for i in best.tolist()]


def words_of(text: str) -> list[str]:
    """Return the words of a text as they are indexed: lower case, no accents.

    >>> words_of("The Weavers' Bridge, café")
    ['the', 'weavers', 'bridge', 'cafe']
    """
    folded = text.casefold()
    if not folded.isascii():
        folded = _ACCENTS.sub("", unicodedata.normalize("NFKD", folded))
    return _WORD.findall(folded)


@functools.lru_cache(maxsize=4)
def _index(documents: tuple[Document, ...]) -> Any:
    """Return the index of a corpus; the last four are remembered."""
    try:
        import bm25s  # pyright: ignore[reportMissingTypeStubs]
    except ImportError as error:
        raise ConfigurationError(
            "searching a corpus needs the package bm25s: pip install 'toolrl-env[search]'"
        ) from error
    index: Any = bm25s.BM25(k1=K1, b=B, method="lucene", backend="numpy")
    words = [words_of(f"{each.title} {each.text}") for each in documents]
    if not any(words):
        raise ConfigurationError("BM25Backend: none of the documents holds a word")
    index.index(words, show_progress=False)
    return index

"""What a search tool asks: ``SearchBackend``, and the documents it returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

__all__ = ["Document", "SearchBackend"]


@dataclass(frozen=True, slots=True)
class Document:
    """A passage that can be found.

    Attributes:
        title: Its heading; may be empty.
        text: What it says.
    """

    title: str
    text: str


@runtime_checkable
class SearchBackend(Protocol):
    """Finds documents. Implement it to search a service of your own.

    A backend is shared by every session, may be called from several threads, and should be
    picklable if environments are to run in several processes.
    """

    @property
    def waits(self) -> bool:
        """Whether a search waits for something outside of this process, e.g. a server."""
        ...

    def search(self, query: str, k: int) -> Sequence[Document]:
        """Return at most ``k`` documents, best first; none only if nothing fits.

        Args:
            query: What the model wrote; any text.
            k: At least 1.

        Raises:
            InfrastructureError: The search failed. Never return an empty result instead.
        """
        ...

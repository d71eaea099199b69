"""What a server offers at one moment."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from toolrl_env.core.types import ToolSpec

__all__ = ["Listing"]


@dataclass(frozen=True, slots=True)
class Listing:
    """The tools that a server lists.

    Attributes:
        specs: The tools, in the server's order.
        reads: Names of the tools that say that they change nothing (``readOnlyHint``).
        may_change: Whether the server says that the list may change.
    """

    specs: tuple[ToolSpec, ...]
    reads: frozenset[str]
    may_change: bool

    def writes(self, name: str) -> bool:
        """Return whether a tool is listed and does not say that it changes nothing."""
        return name not in self.reads and any(spec.name == name for spec in self.specs)

    def without(self, names: AbstractSet[str | None]) -> Listing:
        """Return the listing without some tools."""
        specs = tuple(spec for spec in self.specs if spec.name not in names)
        return Listing(specs, self.reads - names, self.may_change)

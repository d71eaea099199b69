"""Several providers as one, with names that cannot be confused."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from toolrl_env.core.errors import (
    ConfigurationError,
    InfrastructureError,
    SnapshotError,
    UnknownName,
)
from toolrl_env.core.types import FailureKind, ToolSpec
from toolrl_env.tools.limits import CallLimits
from toolrl_env.tools.provider import OpenTools, ToolProvider

__all__ = ["CombinedProvider", "CombinedTools", "PrefixedProvider", "PrefixedTools"]


@dataclass(frozen=True, slots=True)
class PrefixedProvider:
    """A provider whose tools' names all get a prefix.

    Attributes:
        provider: The provider.
        prefix: What each name begins with, e.g. ``"shop_"``.
    """

    provider: ToolProvider
    prefix: str

    @property
    def name(self) -> str:
        """The provider's name."""
        return self.provider.name

    @property
    def waits(self) -> bool:
        """Whether the provider waits."""
        return self.provider.waits

    def open(self, limits: CallLimits) -> PrefixedTools:
        """Open the provider."""
        return PrefixedTools(self.provider.open(limits), self.prefix)


class PrefixedTools:
    """The ``OpenTools`` of a ``PrefixedProvider``: all as it is but for the names."""

    def __init__(self, inner: OpenTools, prefix: str) -> None:
        """Wrap open tools."""
        self._inner = inner
        self._prefix = prefix
        self.holds, self.snapshot, self.restore = inner.holds, inner.snapshot, inner.restore
        self.state_hash, self.close = inner.state_hash, inner.close

    def specs(self) -> tuple[ToolSpec, ...]:
        """Return the tools under their longer names."""
        return tuple(replace(s, name=self._prefix + s.name) for s in self._inner.specs())

    def writes(self, name: str) -> bool:
        """Return whether a tool may change the state."""
        return name.startswith(self._prefix) and self._inner.writes(self._short(name))

    def call(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """Run a tool."""
        return self._inner.call(self._short(name), arguments)

    def _short(self, name: str) -> str:
        return name.removeprefix(self._prefix)


@dataclass(frozen=True, slots=True)
class CombinedProvider:
    """Several providers as one.

    Attributes:
        parts: The providers, at least one; their names are unique.

    Raises:
        ConfigurationError: There is none, or two share a name.
    """

    parts: tuple[ToolProvider, ...]

    def __post_init__(self) -> None:
        """Check the providers' names."""
        names = [part.name for part in self.parts]
        twice = sorted({name for name in names if names.count(name) > 1})
        if not names:
            raise ConfigurationError("no tools were given")
        if twice:
            raise ConfigurationError(
                f"two providers are named {twice[0]!r}; give one another name, and a prefix"
            )

    @property
    def name(self) -> str:
        """The parts' names."""
        return "+".join(part.name for part in self.parts)

    @property
    def waits(self) -> bool:
        """Whether any part waits."""
        return any(part.waits for part in self.parts)

    def open(self, limits: CallLimits) -> CombinedTools:
        """Open every part; if one cannot be had, those that are open already are closed.

        Raises:
            InfrastructureError: A part cannot be had.
            ConfigurationError: Two parts have a tool of one name.
        """
        opened: dict[str, OpenTools] = {}
        try:
            for part in self.parts:
                opened[part.name] = part.open(limits)
            return CombinedTools(opened)
        except BaseException:
            for tools in opened.values():
                tools.close()
            raise


class CombinedTools:
    """The ``OpenTools`` of a ``CombinedProvider``.

    Args:
        parts: Each part's open tools by the part's name, in order.

    Raises:
        ConfigurationError: Two parts have a tool of one name.
    """

    def __init__(self, parts: Mapping[str, OpenTools]) -> None:
        self._parts = dict(parts)
        self._owners: dict[str, OpenTools] = {}
        self._gather()

    def part(self, name: str) -> OpenTools:
        """Return one part's open tools.

        Raises:
            UnknownName: There is none of that name.
        """
        if name not in self._parts:
            raise UnknownName("provider", name, self._parts)
        return self._parts[name]

    def specs(self) -> tuple[ToolSpec, ...]:
        """Return every part's tools, in the order of the parts.

        Raises:
            InfrastructureError: A part's list has changed, and two parts have a tool of one name.
        """
        try:
            return self._gather()
        except ConfigurationError as error:
            raise InfrastructureError(str(error), FailureKind.BAD_RESULT) from error

    def _gather(self) -> tuple[ToolSpec, ...]:
        found: list[ToolSpec] = []
        homes: dict[str, str] = {}
        owners: dict[str, OpenTools] = {}
        for home, part in self._parts.items():
            for spec in part.specs():
                if spec.name in homes:
                    raise ConfigurationError(
                        f"{homes[spec.name]!r} and {home!r} both have a tool {spec.name!r}; "
                        "give one of them a prefix"
                    )
                homes[spec.name] = home
                owners[spec.name] = part
                found.append(spec)
        self._owners = owners
        return tuple(found)

    def writes(self, name: str) -> bool:
        """Return whether a tool may change its part's state."""
        return name in self._owners and self._owners[name].writes(name)

    def call(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """Run a tool of the part that has it."""
        return self._owners[name].call(name, arguments)

    def holds(self, predicate: Callable[[Any], bool]) -> bool:
        """Return what the only part says.

        Raises:
            ConfigurationError: There are several: say which by ``part``.
        """
        if len(self._parts) > 1:
            raise ConfigurationError(
                f"a goal must say which of {', '.join(self._parts)} it looks at"
            )
        return next(iter(self._parts.values())).holds(predicate)

    def snapshot(self) -> dict[str, object]:
        """Return every part's state by its name."""
        return {name: part.snapshot() for name, part in self._parts.items()}

    def restore(self, snapshot: object) -> None:
        """Put every part's state back.

        Raises:
            SnapshotError: The snapshot is of other parts.
        """
        states = cast("dict[str, object]", snapshot) if isinstance(snapshot, dict) else {}
        if states.keys() != self._parts.keys():
            raise SnapshotError(f"not a snapshot of {', '.join(self._parts)}")
        for name, part in self._parts.items():
            part.restore(states[name])

    def state_hash(self) -> str:
        """Return the digest of the parts' hashes."""
        hashes: Sequence[str] = [f"{n} {part.state_hash()}" for n, part in self._parts.items()]
        return hashlib.sha256("\n".join(hashes).encode()).hexdigest()

    def close(self) -> None:
        """Close every part."""
        for part in self._parts.values():
            part.close()

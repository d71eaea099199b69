"""A simulated API's state as text: equal states give equal text, in every process.

Equality is Python's, as the official state check uses it: ``1``, ``1.0`` and ``True`` are one, the
order of a dictionary's keys does not count, files count by name and content.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable
from typing import Any, cast

from toolrl_env.core.errors import InfrastructureError

__all__ = ["attributes", "encode_instance"]

_IGNORED = frozenset({"_api_description", "_flight_cost_lookup"})
"""Private attributes without a future: a constant, and a cache that is filled before each use."""


def attributes(instance: Any) -> dict[str, Any]:
    """Return the instance's attributes by name, private ones too."""
    return cast("dict[str, Any]", vars(instance))


def encode_instance(instance: Any) -> str:
    """Return the state of an instance.

    The working directory counts by its path, the random generator by its state.

    Raises:
        InfrastructureError: It holds an object of a kind that no simulated API is known to hold.
    """
    parts: list[str] = []
    for name, value in sorted(attributes(instance).items()):
        if name == "_current_dir":
            parts.append(f"{name}={_encode(_path(value))}")
        elif name not in _IGNORED:
            parts.append(f"{name}={_encode(value)}")
    return ";".join(parts)


def _path(directory: Any) -> list[str]:
    """Return the names from the root down to ``directory``."""
    names: list[str] = []
    while directory is not None:
        names.append(directory.name)
        directory = directory.parent
    return names[::-1]


def _encode(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, str):
        return f"{len(value)}'{value}'"
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, list | tuple):
        kind = "list" if isinstance(value, list) else "tuple"
        return _group(kind, map(_encode, cast("list[Any]", value)))
    if isinstance(value, dict):
        pairs = cast("dict[Any, Any]", value).items()
        return _group("dict", sorted(f"{_encode(key)}:{_encode(item)}" for key, item in pairs))
    if isinstance(value, set):
        return _group("set", sorted(map(_encode, cast("set[Any]", value))))
    if isinstance(value, random.Random):
        return hashlib.sha256(repr(value.getstate()).encode()).hexdigest()
    return _file(value)


def _group(kind: str, parts: Iterable[str]) -> str:
    return f"{kind}({','.join(parts)})"


def _number(value: float) -> str:
    return (
        str(int(value)) if value == value and abs(value) < 1e300 and value % 1 == 0 else repr(value)
    )


def _file(value: Any) -> str:
    kind = type(value).__name__
    if kind == "File":
        return _group("file", (_encode(value.name), _encode(value.content)))
    if kind == "Directory":
        return _group("directory", (_encode(value.name), _encode(value.contents)))
    raise InfrastructureError(f"a simulated API holds a {kind}, which cannot be compared")

"""What a call may ask of the simulated APIs, so that none of them can run away.

Their methods run in this process and cannot be interrupted. Within these limits each takes well
under a second and the state stays small. None of the official trajectories comes near a limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

__all__ = ["MAX_DEPTH", "MAX_FILES", "MAX_NUMBER", "refusal"]

MAX_NUMBER = 1e18
"""Numbers are finite and no larger than this, in magnitude."""
MAX_FILES = 2_000
"""Files and directories in a file system that a call may add to. At first there are at most 127."""
MAX_DEPTH = 64
"""Depth of directories in a file system that a call may add to."""

_NUMBERS = {
    ("logarithm", "precision"): 1_000,
    ("square_root", "precision"): 1_000,
    ("round_number", "decimal_places"): 1_000,
    ("power", "exponent"): 10_000,
}
_ADDS_FILES = frozenset({"cp", "mkdir", "mv", "touch"})


def refusal(method: str, arguments: Mapping[str, Any], instance: Any) -> str | None:
    """Return why a valid call is not run, or ``None`` if it may be.

    Args:
        method: A documented method.
        arguments: Its arguments, valid by the documentation.
        instance: The simulated API it would run on.
    """
    for name, value in arguments.items():
        most = _NUMBERS.get((method, name), MAX_NUMBER)
        if not _bounded(value, most):
            return f"argument {name!r} must be finite and at most {most:g} in magnitude"
    if method in _ADDS_FILES:
        return _file_refusal(method, arguments, instance)
    return None


def _bounded(value: Any, most: float) -> bool:
    if isinstance(value, int | float):
        return -most <= value <= most
    if isinstance(value, list):
        return all(_bounded(item, most) for item in cast("list[Any]", value))
    if isinstance(value, dict):
        return all(_bounded(item, most) for item in cast("dict[str, Any]", value).values())
    return True


def _file_refusal(method: str, arguments: Mapping[str, Any], instance: Any) -> str | None:
    """Refuse what would make a directory contain itself, or a tree too large to be walked."""
    source = arguments.get("source")
    here = instance._current_dir.contents.get(source)
    if source is not None and source == arguments.get("destination") and _is_directory(here):
        return f"{method}: {source!r} cannot be put into itself"
    level = [instance.root]
    seen = depth = 0
    while level:
        seen, depth = seen + len(level), depth + 1
        if seen > MAX_FILES or depth > MAX_DEPTH:
            return f"{method}: the file system is full"
        level = [item for node in level if _is_directory(node) for item in node.contents.values()]
    return None


def _is_directory(item: Any) -> bool:
    return "contents" in vars(item) if item is not None else False

"""Exceptions of the package. Each is also a standard-library error, so plain ``except`` works.

They are for the caller's mistakes and for broken infrastructure. A model's bad answer is data and
never raises.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from toolrl_env.core.types import FailureKind

__all__ = [
    "ConfigurationError",
    "ContractViolation",
    "DataError",
    "InfrastructureError",
    "InvalidGroundTruth",
    "NetworkUnavailable",
    "ReplayMismatch",
    "SnapshotError",
    "ToolRLError",
    "UnknownName",
    "UnknownRenderMode",
    "UnknownTask",
    "WrongActionType",
    "nearest",
]


class ToolRLError(Exception):
    """Parent of every exception of this package."""


class ConfigurationError(ToolRLError, ValueError):
    """An argument has a value that is not allowed."""


class UnknownName(ConfigurationError):
    """A name is not one of a known set. The message lists the set and the nearest match."""

    def __init__(self, kind: str, value: object, allowed: Iterable[str]) -> None:
        """Say which ``kind`` of name, the ``value`` given, and what is ``allowed``."""
        names = sorted(allowed)
        self.kind, self.value, self.allowed = kind, value, names
        hint = nearest(value, names)
        close = f" Did you mean {hint!r}?" if hint else ""
        super().__init__(f"unknown {kind} {value!r:.200}; allowed: {', '.join(names)}.{close}")

    def __reduce__(self) -> tuple[type[UnknownName], tuple[str, object, list[str]]]:
        """Rebuild from the three arguments (the default would pass the message alone)."""
        return type(self), (self.kind, self.value, self.allowed)


class UnknownRenderMode(ConfigurationError, TypeError):
    """There is no such way of rendering.

    Also a ``TypeError``, as for an argument that is not taken: Stable-Baselines3's ``make_vec_env``
    asks every environment that it makes by its id for ``rgb_array``, and on a ``TypeError`` makes
    it without. Made from a message alone, because ``gym.make`` makes such errors anew with more to
    say.
    """


class UnknownTask(ConfigurationError, LookupError):
    """A task set has no task with this index or id."""


class DataError(ToolRLError, ValueError):
    """A file or a row of a dataset cannot be used. Names the file, the row and the field."""


class InvalidGroundTruth(DataError):
    """A gold answer is broken (its calls are not JSON), so nothing can be scored against it."""


class NetworkUnavailable(ToolRLError, OSError):
    """Something has to be downloaded and cannot be."""


class WrongActionType(ToolRLError, TypeError):
    """``step`` was given something that is not a string."""


class SnapshotError(ToolRLError, ValueError):
    """A snapshot does not belong to this environment."""


class ReplayMismatch(ToolRLError, AssertionError):
    """A recorded trajectory does not replay to the same observations or rewards."""


class ContractViolation(ToolRLError, AssertionError):
    """An environment, task source, tool or agent breaks a promise that ``testing`` checks."""


class InfrastructureError(ToolRLError, RuntimeError):
    """Something of ours failed (a tool raised what it does not declare). Never a reward of 0.

    Attributes:
        kind: What failed; becomes ``info["failure_kind"]``.
    """

    def __init__(self, message: str, kind: FailureKind = FailureKind.TOOL_CRASHED) -> None:
        """Say what happened and which ``kind`` of failure it is."""
        self.kind = kind
        super().__init__(message)

    def __reduce__(self) -> tuple[type[InfrastructureError], tuple[str, FailureKind]]:
        """Rebuild from both arguments (the default would pass the message alone)."""
        return type(self), (str(self), self.kind)


def nearest(value: object, names: Iterable[str]) -> str | None:
    """Return the name most like ``value``, or ``None`` if none is near.

    One that differs in upper and lower case alone is nearest of all.

    >>> nearest("tool_ace", ["toolace", "xlam"])
    'toolace'
    """
    text, known = str(value)[:200], list(names)
    same = [name for name in known if name.casefold() == text.casefold()]
    close = same or difflib.get_close_matches(text, known, n=1)
    return close[0] if close else None

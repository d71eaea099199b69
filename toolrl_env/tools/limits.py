"""What a call may take, and how its result is kept within bounds."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

from toolrl_env.core.checks import whole_number
from toolrl_env.core.errors import ConfigurationError, InfrastructureError
from toolrl_env.core.types import FailureKind

__all__ = ["MAX_RESULT_CHARS", "MEMORY_MB", "CallLimits", "bounded", "bounded_text"]

MAX_RESULT_CHARS = 16_384
"""A result whose JSON is longer is replaced by the beginning of that JSON, marked as cut."""
MEMORY_MB = 1024
"""MiB that a worker process may map beyond what it begins with, unless said otherwise."""
MAX_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class CallLimits:
    """What one call may take.

    Attributes:
        seconds: Time; a call that takes longer ends as ``InfrastructureError`` (``TIMEOUT``). How
            it is stopped is the provider's matter.
        result_chars: Characters of the result's JSON; what is longer is cut and marked.

    Raises:
        ConfigurationError: A limit is out of range.
    """

    seconds: float = 30.0
    result_chars: int = MAX_RESULT_CHARS

    def __post_init__(self) -> None:
        """Refuse limits that nothing can keep."""
        if not _is_duration(self.seconds):
            raise ConfigurationError(
                f"seconds={self.seconds!r:.80}; allowed: a number above 0, at most {MAX_SECONDS:g}"
            )
        whole_number("result_chars", self.result_chars, 1)


def _is_duration(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and 0 < value <= MAX_SECONDS


def bounded(tool: str, value: Any, limits: CallLimits) -> Any:
    """Return a tool's result as JSON of its own, no longer than ``limits.result_chars``.

    What is longer becomes text: the beginning of its JSON, and a mark that says how much is
    missing.

    Args:
        tool: The tool's name, for the error's text.
        value: What the tool returned. Tuples become lists, keys become strings.
        limits: The limits.

    Raises:
        InfrastructureError: JSON cannot hold it (``BAD_RESULT``).

    >>> bounded("f", (1, 2), CallLimits()), bounded("f", [1] * 9, CallLimits(result_chars=5))
    ([1, 2], '[1, 1 … [cut: 22 more characters]')
    """
    if value is None or type(value) is bool:
        return value
    if type(value) is str and len(value) < limits.result_chars // 6:  # however it is escaped
        return value
    return json.loads(bounded_text(tool, value, limits))


def bounded_text(tool: str, value: Any, limits: CallLimits) -> str:
    """Return the JSON text of what ``bounded`` returns; raises as it does."""
    most = limits.result_chars
    missing = 0
    if isinstance(value, str) and len(value) > most:  # gigabytes are not encoded to be thrown away
        missing = len(value) - most
        value = value[:most]
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InfrastructureError(
            f"tool {tool!r} returned what JSON cannot hold: {error}", FailureKind.BAD_RESULT
        ) from error
    missing += len(text) - most
    if missing <= 0:
        return text
    return json.dumps(f"{text[:most]} … [cut: {missing} more characters]")

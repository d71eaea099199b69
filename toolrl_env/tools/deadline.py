"""The deadline of the call that is running, for tools that ask.

In this process nothing can stop Python code from outside, so the limit is cooperative: a tool that
may take long calls ``check()`` in its loop, or hands ``remaining()`` on as a timeout. A tool that
does not ask runs to its end, and the call then counts as timed out. Threads that a tool
starts have no deadline.
"""

from __future__ import annotations

import math
import time
from contextvars import ContextVar

from toolrl_env.core.errors import InfrastructureError
from toolrl_env.core.types import FailureKind

__all__ = ["check", "remaining", "within"]

_DEADLINE: ContextVar[float] = ContextVar("toolrl_env_deadline", default=math.inf)


def remaining() -> float:
    """Return the seconds that are left to the running call: negative if they are used up.

    Infinite outside of a call.
    """
    return _DEADLINE.get() - time.monotonic()


def check() -> None:
    """Stop the running call if its time is used up.

    Raises:
        InfrastructureError: It is (``TIMEOUT``). Let it pass.
    """
    if remaining() < 0:
        raise InfrastructureError("the call ran over its time limit", FailureKind.TIMEOUT)


class within:  # noqa: N801  # reads as a statement: with deadline.within(2)
    """Give what runs inside ``seconds``, or less if a deadline around it comes first.

    Args:
        seconds: How long.
    """

    __slots__ = ("_seconds", "_token")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        """Start the clock."""
        end = time.monotonic() + self._seconds
        self._token = _DEADLINE.set(min(_DEADLINE.get(), end))

    def __exit__(self, *_: object) -> None:
        """Go back to the deadline around."""
        _DEADLINE.reset(self._token)

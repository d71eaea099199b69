"""Failures of infrastructure in the one thing that OpenEnv's wire carries of an error: its text."""

from __future__ import annotations

import re

from toolrl_env.core.errors import InfrastructureError
from toolrl_env.core.types import FailureKind

__all__ = ["failure_kind", "marked"]

_MARK = re.compile(rf"infrastructure failure \(({'|'.join(FailureKind)})\): ")


def marked(error: InfrastructureError) -> InfrastructureError:
    """Return the error with its kind in its text, so that the other end can read it.

    >>> str(marked(InfrastructureError("gone", FailureKind.SERVER_DOWN)))
    'infrastructure failure (server_down): gone'
    """
    return InfrastructureError(f"infrastructure failure ({error.kind}): {error}", error.kind)


def failure_kind(text: str) -> FailureKind:
    """Return the kind that ``marked`` wrote into an error's text, else ``TOOL_CRASHED``.

    >>> failure_kind("Server error: infrastructure failure (timeout): 3 s")
    <FailureKind.TIMEOUT: 'timeout'>
    >>> failure_kind("division by zero")
    <FailureKind.TOOL_CRASHED: 'tool_crashed'>
    """
    found = _MARK.search(text)
    return FailureKind(found[1]) if found else FailureKind.TOOL_CRASHED

"""Text to ``ParsedAction``, and back. Total: a model's answer never raises."""

from __future__ import annotations

from toolrl_env.core.errors import UnknownName
from toolrl_env.parsing.base import MAX_CHARS, AnswerProtocol
from toolrl_env.parsing.decoding import MAX_DEPTH
from toolrl_env.parsing.gold import parse_ground_truth
from toolrl_env.parsing.native import NativeProtocol
from toolrl_env.parsing.python_calls import PythonProtocol
from toolrl_env.parsing.toolrl import ToolRLProtocol

__all__ = [
    "MAX_CHARS",
    "MAX_DEPTH",
    "PROTOCOLS",
    "AnswerProtocol",
    "NativeProtocol",
    "PythonProtocol",
    "ToolRLProtocol",
    "get_protocol",
    "parse_ground_truth",
]

PROTOCOLS: dict[str, AnswerProtocol] = {
    protocol.name: protocol for protocol in (ToolRLProtocol(), NativeProtocol(), PythonProtocol())
}
"""The shared instances by name."""


def get_protocol(name: str) -> AnswerProtocol:
    """Return the answer protocol ``"toolrl"``, ``"native"`` or ``"python"``.

    Raises:
        UnknownName: ``name`` is none of these.
    """
    if not isinstance(name, str) or name not in PROTOCOLS:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise UnknownName("protocol", name, PROTOCOLS)
    return PROTOCOLS[name]

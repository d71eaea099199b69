"""JSON text to values: as ``json.loads`` reads it, faster, and with a fixed limit on nesting."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, cast

from toolrl_env.core.types import ErrorCode

__all__ = [
    "BROKEN",
    "MAX_DEPTH",
    "NestedTooDeep",
    "decode_json",
    "explain",
    "read_name",
    "scan",
]

MAX_DEPTH = 200
"""Deepest nesting that is decoded. ``json.loads`` would go as deep as the caller's stack lets it;
a fixed limit makes the verdict the same wherever the parser is called from."""

BROKEN: Any = object()
"""What ``scan`` returns for text that is not JSON."""

_SPACE = " \t\n\r"
_scan: Callable[[str, int], tuple[Any, int]] = cast("Any", json.JSONDecoder()).scan_once
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")
_NAME = re.compile(r'"name"\s*:\s*("[^"\\]*+(?:\\.[^"\\]*+)*+")', re.DOTALL)


class NestedTooDeep(ValueError):
    """JSON nested deeper than ``MAX_DEPTH``. Stays inside the parsers."""


def decode_json(text: str) -> Any:
    """Return what ``json.loads(text)`` returns.

    Duplicate keys: the last one wins. ``1e400`` is infinity. ``NaN`` and ``Infinity`` are read.

    Raises:
        NestedTooDeep: Nested deeper than ``MAX_DEPTH``.
        ValueError: Not JSON, or an integer with more digits than Python converts (4,300).

    >>> decode_json(' {"a": [1, true]} ')
    {'a': [1, True]}
    """
    value = scan(text)
    return json.loads(text) if value is BROKEN else value  # for the words of the error


def scan(text: str) -> Any:
    """Return what ``decode_json`` returns, and ``BROKEN`` where it finds that it is not JSON.

    Raises:
        NestedTooDeep: Nested deeper than ``MAX_DEPTH``.
    """
    if len(text) > MAX_DEPTH and _is_too_deep(text):
        raise NestedTooDeep
    try:
        value, end = _scan(text, 0)
        if end == len(text) or not text[end:].strip(_SPACE):
            return value
        return BROKEN
    except StopIteration:  # no value begins at the first character
        stripped = text.lstrip(_SPACE)
        return BROKEN if stripped == text else scan(stripped)
    except RecursionError as error:  # the caller's own stack is nearly full
        raise NestedTooDeep from error
    except ValueError:
        return BROKEN


def _is_too_deep(text: str) -> bool:
    """Count brackets outside strings; at once false where there are too few of them."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > MAX_DEPTH:
            return True
    return False


def explain(error: ValueError) -> tuple[ErrorCode, str]:
    """Return the code and the words for what ``decode_json`` raised."""
    if isinstance(error, NestedTooDeep):
        return ErrorCode.TOO_DEEP, f"nested deeper than {MAX_DEPTH} levels"
    if isinstance(error, json.JSONDecodeError):
        return ErrorCode.BAD_JSON, f"not JSON: {error.msg} at character {error.pos + 1}"
    return ErrorCode.BAD_JSON, "not JSON: an integer with too many digits"


def read_name(raw: str) -> str | None:
    """Return the value of ``"name"`` in a text that is not JSON as a whole, if it is there.

    >>> read_name('{"name": "f", "parameters": {')
    'f'
    """
    found = _NAME.search(raw)
    if found is None:
        return None
    try:
        return str(json.loads(found.group(1)))
    except ValueError:
        return None

"""What the paper's reward alone asks of an answer, without saying what is wrong and where.

``ToolRLProtocol.parse`` answers the same questions and explains; the tests hold the two equal.
"""

from __future__ import annotations

from typing import Any

from toolrl_env.parsing.decoding import decode_json
from toolrl_env.parsing.layout import (
    CALL_CLOSE,
    CALL_OPEN,
    RESPONSE_OPEN,
    THINK_CLOSE,
    THINK_OPEN,
    call_block,
    matches_layout,
)

__all__ = ["glance"]

_AFTER_OPEN = len(THINK_OPEN)
_BEFORE_CALLS = THINK_CLOSE + "\n" + CALL_OPEN + "\n"
_BEFORE_RESPONSE = THINK_CLOSE + "\n" + RESPONSE_OPEN
_AFTER_CALLS = "\n" + CALL_CLOSE
_BROKEN: Any = object()
_UNSEEN: Any = object()
_LINES: dict[str, Any] = {}
_MAX_LINES, _MAX_LINE_CHARS = 8_192, 2_000


def glance(text: str, has_call: bool, has_response: bool) -> tuple[bool, tuple[Any, ...] | None]:
    """Return whether the layout is right, and the values of the calls.

    **The values are shared**: do not change them and do not hand them out. Lines that were decoded
    lately are not decoded again, because the answers of a group repeat each other.

    Args:
        text: An answer in the paper's protocol, within the limit on its length.
        has_call: Whether the gold answer has calls; without any the values are not worked out.
        has_response: Whether the gold answer has a response.
    """
    if not has_call:
        return matches_layout(text, False, has_response), None
    if not has_response and text.startswith(THINK_OPEN):
        first = text.find("<", _AFTER_OPEN)
        if text.startswith(_BEFORE_CALLS, first):
            start = first + len(_BEFORE_CALLS)
            end = text.find("<", start) - 1
            if (
                end + len(_AFTER_CALLS) == len(text)
                and text.endswith(_AFTER_CALLS)
                and end >= start
            ):
                return True, _decode(text[start:end])
    right = matches_layout(text, True, has_response)
    block = call_block(text)
    if block is None or not (text.startswith(CALL_CLOSE, block[1]) or CALL_CLOSE in text):
        return right, None
    return right, _decode(text[block[0] : block[1]])


def _decode(block: str) -> tuple[Any, ...] | None:
    """Decode a block, one value a line; ``None`` if any line cannot be decoded."""
    values: list[Any] = []
    for line in block.strip().split("\n"):
        value = _LINES.get(line, _UNSEEN)
        if value is _UNSEEN:
            value = _remember(line)
        if value is _BROKEN:
            return None
        values.append(value)
    return tuple(values)


def _remember(line: str) -> Any:
    try:
        value = decode_json(line)
    except ValueError:
        value = _BROKEN
    if len(line) <= _MAX_LINE_CHARS:
        if len(_LINES) >= _MAX_LINES:
            _LINES.clear()
        _LINES[line] = value
    return value

"""What the paper's reward alone asks of an answer, without saying what is wrong and where.

``ToolRLProtocol.parse`` answers the same questions and explains; the tests hold the two equal.
"""

from __future__ import annotations

from typing import Any

from toolrl_env.parsing.decoding import BROKEN, NestedTooDeep, scan
from toolrl_env.parsing.layout import (
    CALL_CLOSE,
    CALL_OPEN,
    THINK_CLOSE,
    THINK_OPEN,
    call_block,
    matches_layout,
)

__all__ = ["decode_block", "glance"]

_AFTER_OPEN = len(THINK_OPEN)
_BEFORE_CALLS = THINK_CLOSE + "\n" + CALL_OPEN + "\n"
_AFTER_CALLS = "\n" + CALL_CLOSE


def glance(text: str, has_call: bool, has_response: bool) -> tuple[bool, str | None]:
    """Return whether the layout is right, and the content of the call block.

    The block is stripped, and ``None`` if gold has no calls or if the answer lacks one of the tags.

    Args:
        text: An answer in the paper's protocol, within the limit on its length.
        has_call: Whether the gold answer has calls.
        has_response: Whether the gold answer has a response.
    """
    if not has_call:
        return matches_layout(text, False, has_response), None
    if not has_response and text.startswith(THINK_OPEN):
        first = text.find("<", _AFTER_OPEN)
        if text.startswith(_BEFORE_CALLS, first):
            start = first + len(_BEFORE_CALLS)
            end = text.find("<", start) - 1
            if start <= end == len(text) - len(_AFTER_CALLS) and text.endswith(_AFTER_CALLS):
                return True, text[start:end].strip()
    right = matches_layout(text, True, has_response)
    block = call_block(text)
    if block is None or not (text.startswith(CALL_CLOSE, block[1]) or CALL_CLOSE in text):
        return right, None
    return right, text[block[0] : block[1]].strip()


def decode_block(block: str) -> tuple[Any, ...] | None:
    r"""Decode the stripped content of a call block; ``None`` if any line cannot be decoded.

    >>> decode_block('{"name": "f"}\n{"name": "g"}')
    ({'name': 'f'}, {'name': 'g'})
    """
    try:
        values = tuple([scan(line) for line in block.split("\n")])
    except NestedTooDeep:
        return None
    return None if BROKEN in values else values

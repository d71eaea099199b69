r"""The layouts of the paper's answers, checked by string search in linear time.

Which layout is asked for depends on what the gold answer contains. As regular expressions over
the whole text (``DOTALL``; ``$`` admits one newline at the very end), ``T`` being
``^<think>.*?</think>``:

=========  ==============================================================================
gold has   layout
=========  ==============================================================================
call       ``T\n<tool_call>\n.*?\n</tool_call>$``
response   ``T\n<response>.*?</response>$``
both       ``T\n<tool_call>\n.*?\n</tool_call>\n<response>.*?</response>$``
neither    ``T$``
=========  ==============================================================================

and each tag of the call and of the response that is asked for must stand in the text exactly once.
The ``<think>`` tags are not counted.
"""

from __future__ import annotations

__all__ = [
    "CALL_CLOSE",
    "CALL_OPEN",
    "RESPONSE_CLOSE",
    "RESPONSE_OPEN",
    "THINK_CLOSE",
    "THINK_OPEN",
    "call_block",
    "describe_layout",
    "matches_layout",
]

THINK_OPEN, THINK_CLOSE = "<think>", "</think>"
CALL_OPEN, CALL_CLOSE = "<tool_call>", "</tool_call>"
RESPONSE_OPEN, RESPONSE_CLOSE = "<response>", "</response>"

_THOUGHT_STARTS = len(THINK_OPEN)


def matches_layout(text: str, has_call: bool, has_response: bool) -> bool:
    r"""Whether the whole ``text`` has the layout asked for. Linear in its length.

    >>> matches_layout("<think> a </think>\n<response> b </response>", False, True)
    True
    >>> matches_layout("<think> a </think> <response> b </response>", False, True)
    False
    """
    if not text.startswith(THINK_OPEN):
        return False
    end = len(text) - text.endswith("\n")
    if not has_call and not has_response:
        return text.endswith(THINK_CLOSE, _THOUGHT_STARTS, end)
    first = text.find("<", _THOUGHT_STARTS)  # no tag stands between the opening one and this
    if not has_call:
        return _response_follows(text, first, end, THINK_CLOSE, _THOUGHT_STARTS)
    opened = text.find(CALL_OPEN, first)
    closed = text.find(CALL_CLOSE, first)
    body = opened + len(CALL_OPEN)
    after = closed + len(CALL_CLOSE)
    if opened < 0 or closed <= body or CALL_OPEN in text[body:] or CALL_CLOSE in text[after:]:
        return False
    if not text.endswith(THINK_CLOSE + "\n", _THOUGHT_STARTS, opened):
        return False
    if text[body] != "\n" or not text.endswith("\n", body + 1, closed):
        return False
    if not has_response:
        return after == end
    return _response_follows(text, first, end, CALL_CLOSE, closed)


def _response_follows(text: str, first: int, end: int, tag: str, start: int) -> bool:
    """Whether the only response starts after ``tag`` and a newline and ends the text.

    ``tag`` must begin at ``start`` or later.
    """
    opened = text.find(RESPONSE_OPEN, first)
    closed = text.find(RESPONSE_CLOSE, first)
    body = opened + len(RESPONSE_OPEN)
    return (
        first >= 0
        and opened >= 0
        and closed >= body
        and closed + len(RESPONSE_CLOSE) == end
        and RESPONSE_OPEN not in text[body:]
        and text.endswith(tag + "\n", start, opened)
    )


def call_block(text: str) -> tuple[int, int] | None:
    """Return where the content of the call block starts and ends, ``None`` without ``<tool_call>``.

    It ends at the next ``<tool_call>`` or ``</tool_call>``, or else at the end of the text.
    """
    opened = text.find(CALL_OPEN)
    if opened < 0:
        return None
    start = opened + len(CALL_OPEN)
    end = text.find(CALL_CLOSE, start)
    if end < 0:
        end = len(text)
    again = text.find(CALL_OPEN, start, end)
    return start, end if again < 0 else again


def describe_layout(has_call: bool, has_response: bool) -> str:
    r"""Return the layout in words for a person or a model, newlines shown as ``\n``."""
    parts = ["<think> … </think>"]
    if has_call:
        parts.append(r"<tool_call>\n…\n</tool_call>")
    if has_response:
        parts.append("<response> … </response>")
    return r"\n".join(parts)

"""Gold answers for rows that have calls or a reply, but no text in the paper's layout.

Raw ToolACE, xLAM and API-Bank have no thoughts. The paper filled them in with a language model; a
short neutral thought of ours stands there instead, one of the sentences below. The reward never
looks at it.
"""

from __future__ import annotations

from collections.abc import Sequence

from toolrl_env.core.errors import DataError
from toolrl_env.core.types import GroundTruth, ToolCall
from toolrl_env.parsing import get_protocol, parse_ground_truth

__all__ = ["category_of", "make_gold", "thought_for"]

_ONE_CALL = "One call to a tool supplies what the user asks for."
_MORE_CALLS = "Several calls are needed and none waits for another, so they go together."
_REPLY = "No call is needed at this point; a reply in words will do."
_AFTER_TOOL = "The result is there; now it can be put into words."
_IRRELEVANT = "None of the tools on offer fits what the user asks for."

IRRELEVANT_REPLY = "None of the tools I was given can do this, so I cannot look it up or act on it."
"""The reply to a request that no offered tool fits."""


def thought_for(calls: int, *, after_tool: bool = False, irrelevant: bool = False) -> str:
    """Return our neutral thought for an answer with that many calls."""
    if calls:
        return _ONE_CALL if calls == 1 else _MORE_CALLS
    if irrelevant:
        return _IRRELEVANT
    return _AFTER_TOOL if after_tool else _REPLY


def category_of(calls: int) -> str:
    """Return ``"single"``, ``"parallel"`` or, without calls, ``"response"``."""
    if calls == 0:
        return "response"
    return "single" if calls == 1 else "parallel"


def make_gold(calls: Sequence[ToolCall], response: str | None, thought: str) -> GroundTruth:
    """Return the gold answer with these parts, written in the paper's layout.

    Raises:
        DataError: It could not be read back: a text holds a tag of the layout, or a value is not
            JSON.
    """
    protocol = get_protocol("toolrl")
    try:
        text = protocol.render(calls, think=thought, response=response)
    except (TypeError, ValueError) as error:
        raise DataError(f"the gold answer cannot be written: {error}") from error
    if not protocol.layout_ok(protocol.parse(text), bool(calls), response is not None):
        raise DataError("the gold answer cannot be written: a text holds a tag of the layout")
    return parse_ground_truth(text)

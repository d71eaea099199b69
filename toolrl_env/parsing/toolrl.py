"""The paper's protocol: ``<think>``, ``<tool_call>`` with one JSON object a line, ``<response>``.

Reading is strict where the paper's reward is strict and total elsewhere. The call block runs from
the first ``<tool_call>`` to the nearest tag of a call after it; both tags must occur, though the
paper's reward (hence ``values``) does not ask in which order.
"""

from __future__ import annotations

import json
from typing import Any, cast

from toolrl_env.core.types import (
    ErrorCode,
    GroundTruth,
    ParsedAction,
    ParsedCall,
    ParseIssue,
    ParseStatus,
)
from toolrl_env.parsing.base import MAX_CHARS, AnswerProtocol
from toolrl_env.parsing.build import new_action, new_call
from toolrl_env.parsing.calls import UNDECODABLE, read_lines
from toolrl_env.parsing.decoding import NestedTooDeep, scan
from toolrl_env.parsing.layout import (
    CALL_CLOSE,
    CALL_OPEN,
    RESPONSE_CLOSE,
    RESPONSE_OPEN,
    THINK_CLOSE,
    THINK_OPEN,
    call_block,
    describe_layout,
    matches_layout,
)

__all__ = ["ToolRLProtocol", "write_json"]

_CALLS, _NO_CALLS = ParseStatus.CALLS, ParseStatus.NO_CALLS
_BEFORE_CALLS = THINK_CLOSE + "\n" + CALL_OPEN + "\n"
_BEFORE_RESPONSE = THINK_CLOSE + "\n" + RESPONSE_OPEN
_BETWEEN = "\n" + RESPONSE_OPEN


class ToolRLProtocol(AnswerProtocol):
    """The paper's answer layout (section 3.3 of arXiv 2504.13958 rewards it).

    ``values`` holds the decoded lines as they stand, whatever keys they have, because that is what
    the paper's reward compares; a line that decodes but is no proper call has an issue besides.
    """

    name = "toolrl"

    def parse(self, text: str, max_chars: int = MAX_CHARS) -> ParsedAction:
        """Read an answer; see the base class. A flawless one takes a short way."""
        if len(text) <= max_chars and text.startswith(THINK_OPEN):
            flawless = _read_flawless(text)
            if flawless is not None:
                return flawless
        return super().parse(text, max_chars)

    def layout_ok(self, action: ParsedAction, has_call: bool, has_response: bool) -> bool:
        """Whether the text has the paper's layout for these parts; see ``parsing.layout``."""
        if not action.issues:  # then the text has the layout of exactly the parts that it holds
            return (action.values is not None) is has_call and (
                action.response is not None
            ) is has_response
        if action.status is ParseStatus.TOO_LONG:
            return False
        return matches_layout(action.text, has_call, has_response)

    def render_gold(self, gold: GroundTruth) -> str:
        """Return the gold answer as it stands."""
        return gold.text

    def _read(self, text: str) -> ParsedAction:
        issues: list[ParseIssue] = []
        think, position = _read_think(text, issues)
        block = call_block(text)
        calls: list[ParsedCall] = []
        status, values = _NO_CALLS, None
        if block is not None:
            calls = read_lines(text[block[0] : block[1]], block[0])
            issues.extend(call.issue for call in calls if call.issue is not None)
            broken = any(call.issue and call.issue.code in UNDECODABLE for call in calls)
            if broken or CALL_CLOSE not in text:
                status = ParseStatus.MALFORMED
            else:
                status, values = _CALLS, tuple(call.value for call in calls)
            position = block[1]
        response = _read_response(text, position)
        issues.extend(_tag_issues(text))
        _judge_layout(text, issues)
        issues.sort(key=lambda issue: issue.span or (0, 0))
        return new_action(
            text, self.name, status, think, response, tuple(calls), values, tuple(issues)
        )

    def _write(self, calls: list[dict[str, Any]], think: str | None, response: str | None) -> str:
        parts: list[str] = []
        if think is not None:
            parts.append(f"{THINK_OPEN} {think.strip()} {THINK_CLOSE}")
        if calls:
            parts.append("\n".join([CALL_OPEN, *map(write_json, calls), CALL_CLOSE]))
        if response is not None:
            parts.append(f"{RESPONSE_OPEN} {response.strip()} {RESPONSE_CLOSE}")
        return "\n".join(parts)


def write_json(value: Any) -> str:
    """Encode on one line, so that no tag can occur in it (``<`` is escaped before a tag's name)."""
    text = json.dumps(value, ensure_ascii=False)
    for tag in ("think>", "tool_call>", "response>"):
        if tag in text:
            text = text.replace("<" + tag, "\\u003c" + tag).replace("</" + tag, "\\u003c/" + tag)
    return text


def _read_flawless(text: str) -> ParsedAction | None:
    """Read a text in the layout of the parts it holds, without stray ``<``; else ``None``."""
    think_end = text.find("<", len(THINK_OPEN))
    response = values = None
    calls: tuple[ParsedCall, ...] = ()
    if text.startswith(_BEFORE_CALLS, think_end):
        start = think_end + len(_BEFORE_CALLS)
        end = text.find("<", start) - 1
        if end < start or not text.startswith("\n" + CALL_CLOSE, end):
            return None
        read = _read_clean_lines(text[start:end], start)
        if read is None:
            return None
        calls, values = read
        opening, position = _BETWEEN, end + 1 + len(CALL_CLOSE)
        if position == len(text):
            think = text[len(THINK_OPEN) : think_end].strip()
            return new_action(text, "toolrl", _CALLS, think, None, calls, values, ())
    else:
        opening, position = _BEFORE_RESPONSE, think_end
    if text.startswith(opening, position):
        start = position + len(opening)
        end = text.find("<", start)
        if end + len(RESPONSE_CLOSE) == len(text) and text.startswith(RESPONSE_CLOSE, end):
            response = text[start:end].strip()
            think = text[len(THINK_OPEN) : think_end].strip()
            status = _NO_CALLS if values is None else _CALLS
            return new_action(text, "toolrl", status, think, response, calls, values, ())
    return None


def _read_clean_lines(
    block: str, start: int
) -> tuple[tuple[ParsedCall, ...], tuple[Any, ...]] | None:
    """Decode lines that are all proper calls; ``None`` if any is not."""
    calls: list[ParsedCall] = []
    values: list[Any] = []
    for line in block.split("\n"):
        try:
            value = scan(line)
        except NestedTooDeep:
            return None
        if not isinstance(value, dict):  # nor is BROKEN
            return None
        fields = cast("dict[str, Any]", value)
        name, arguments = fields.get("name"), fields.get("parameters")
        if not isinstance(name, str) or not isinstance(arguments, dict):
            return None
        end = start + len(line)
        arguments = cast("dict[str, Any]", arguments)
        calls.append(new_call(line, (start, end), fields, name, arguments, None))
        values.append(fields)
        start = end + 1
    return tuple(calls), tuple(values)


def _read_think(text: str, issues: list[ParseIssue]) -> tuple[str | None, int]:
    """Return the thought that the text starts with and where it ends; else say what is missing."""
    if not text.startswith(THINK_OPEN):
        message = f"the answer must start with {THINK_OPEN}"
        issues.append(ParseIssue(ErrorCode.MISSING_THINK, message, (0, 0)))
        return None, 0
    end = text.find(THINK_CLOSE, len(THINK_OPEN))
    if end < 0:
        message = f"{THINK_OPEN} is never closed by {THINK_CLOSE}"
        issues.append(ParseIssue(ErrorCode.MISSING_TAG, message, (0, len(THINK_OPEN))))
        return None, len(THINK_OPEN)
    return text[len(THINK_OPEN) : end].strip(), end


def _read_response(text: str, position: int) -> str | None:
    opened = text.find(RESPONSE_OPEN, position)
    closed = text.find(RESPONSE_CLOSE, opened)
    if opened < 0 or closed < 0:
        return None
    return text[opened + len(RESPONSE_OPEN) : closed].strip()


def _tag_issues(text: str) -> list[ParseIssue]:
    """Name the tags of calls and response that lack their partner or occur again."""
    issues: list[ParseIssue] = []
    for tag, partner in ((CALL_OPEN, CALL_CLOSE), (RESPONSE_OPEN, RESPONSE_CLOSE)):
        for this, other in ((tag, partner), (partner, tag)):
            first = text.find(this)
            if first < 0:
                continue
            if other not in text:
                message = f"{this} stands without {other}"
                span = (first, first + len(this))
                issues.append(ParseIssue(ErrorCode.MISSING_TAG, message, span))
            again = text.find(this, first + len(this))
            if again >= 0:
                message = f"{this} must stand once, not {text.count(this)} times"
                span = (again, again + len(this))
                issues.append(ParseIssue(ErrorCode.DUPLICATE_TAG, message, span))
    return issues


_LAYOUT_CODES = frozenset({ErrorCode.MISSING_THINK, ErrorCode.MISSING_TAG, ErrorCode.DUPLICATE_TAG})


def _judge_layout(text: str, issues: list[ParseIssue]) -> None:
    """Make sure that a text without its own layout has at least one issue that says so."""
    has_call = CALL_OPEN in text or CALL_CLOSE in text
    has_response = RESPONSE_OPEN in text or RESPONSE_CLOSE in text
    if any(issue.code in _LAYOUT_CODES for issue in issues):
        return
    if not matches_layout(text, has_call, has_response):
        expected = describe_layout(has_call, has_response)
        message = f"the whole answer must have the layout {expected}"
        issues.append(ParseIssue(ErrorCode.BAD_LAYOUT, message, (0, len(text))))

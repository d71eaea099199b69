"""The Hermes and Qwen protocol: ``<tool_call>`` blocks, each one JSON object with ``arguments``."""

from __future__ import annotations

from typing import Any, cast

from toolrl_env.core.types import ErrorCode, ParsedAction, ParsedCall, ParseIssue, ParseStatus
from toolrl_env.parsing.base import AnswerProtocol
from toolrl_env.parsing.build import new_action, new_call
from toolrl_env.parsing.calls import UNDECODABLE, failed_call, read_call
from toolrl_env.parsing.decoding import read_name
from toolrl_env.parsing.layout import CALL_CLOSE, CALL_OPEN, THINK_CLOSE, THINK_OPEN
from toolrl_env.parsing.toolrl import write_json

__all__ = ["NativeProtocol", "leading_think"]


class NativeProtocol(AnswerProtocol):
    """What models trained on chat templates with ``tools=`` write.

    An optional ``<think> … </think>`` first; then any number of
    ``<tool_call>{"name": …, "arguments": {…}}</tool_call>``, white space free; whatever text stands
    outside them is the response. ``values`` are normalised to ``{"name", "parameters"}``; a call
    whose ``arguments`` are missing normalises to ``{"name"}``.
    """

    name = "native"

    def _read(self, text: str) -> ParsedAction:
        think, position, issues = leading_think(text)
        calls: list[ParsedCall] = []
        outside: list[str] = []
        while (opened := text.find(CALL_OPEN, position)) >= 0:
            outside.append(text[position:opened])
            closed = text.find(CALL_CLOSE, opened)
            if closed < 0:
                calls.append(_unclosed(text, opened))
                position = len(text)
                break
            calls.append(_read_block(text, opened + len(CALL_OPEN), closed))
            position = closed + len(CALL_CLOSE)
        outside.append(text[position:])
        response = "\n".join(filter(None, map(str.strip, outside))) or None
        issues.extend(call.issue for call in calls if call.issue is not None)
        if response is not None and CALL_CLOSE in response:
            message = f"{CALL_CLOSE} stands without {CALL_OPEN}"
            issues.append(ParseIssue(ErrorCode.MISSING_TAG, message))
        status, values = ParseStatus.NO_CALLS, None
        if any(call.issue and call.issue.code in UNDECODABLE for call in calls):
            status = ParseStatus.MALFORMED
        elif calls:
            status, values = ParseStatus.CALLS, tuple(call.value for call in calls)
        return new_action(
            text, self.name, status, think, response, tuple(calls), values, tuple(issues)
        )

    def _write(self, calls: list[dict[str, Any]], think: str | None, response: str | None) -> str:
        parts: list[str] = []
        if think is not None:
            parts.append(f"{THINK_OPEN} {think.strip()} {THINK_CLOSE}")
        for call in calls:
            body = write_json({"name": call["name"], "arguments": call["parameters"]})
            parts.append(f"{CALL_OPEN}\n{body}\n{CALL_CLOSE}")
        if response is not None:
            parts.append(response.strip())
        return "\n".join(parts)


def leading_think(text: str) -> tuple[str | None, int, list[ParseIssue]]:
    """Return the thought that the text starts with, where what follows it starts, and issues.

    White space may stand before ``<think>``. A thought that is never closed is an issue, and the
    text is then read as if it were not one.
    """
    start = len(text) - len(text.lstrip())
    if not text.startswith(THINK_OPEN, start):
        return None, 0, []
    body = start + len(THINK_OPEN)
    end = text.find(THINK_CLOSE, body)
    if end < 0:
        message = f"{THINK_OPEN} is never closed by {THINK_CLOSE}"
        return None, 0, [ParseIssue(ErrorCode.MISSING_TAG, message, (start, body))]
    return text[body:end].strip(), end + len(THINK_CLOSE), []


def _read_block(text: str, start: int, end: int) -> ParsedCall:
    block = text[start:end]
    start += len(block) - len(block.lstrip())
    call = read_call(block.strip(), start, "arguments")
    if not isinstance(call.value, dict):
        return call
    fields = cast("dict[str, Any]", call.value)
    value: dict[str, Any] = {}
    if "name" in fields:
        value["name"] = fields["name"]
    if "arguments" in fields:
        value["parameters"] = fields["arguments"]
    return new_call(call.raw, call.span, value, call.name, call.arguments, call.issue)


def _unclosed(text: str, opened: int) -> ParsedCall:
    raw = text[opened:]
    message = f"{CALL_OPEN} is never closed by {CALL_CLOSE}"
    span = (opened, len(text))
    return failed_call(raw, span, ErrorCode.MISSING_TAG, message, read_name(raw))

"""One decoded call value to one ``ParsedCall``; shared by the protocols that write JSON."""

from __future__ import annotations

from typing import Any, cast

from toolrl_env.core.types import ErrorCode, ParsedCall, ParseIssue, Span
from toolrl_env.parsing.build import new_call
from toolrl_env.parsing.decoding import decode_json, explain, read_name

__all__ = ["UNDECODABLE", "call_from_value", "failed_call", "read_lines"]

UNDECODABLE = frozenset(
    {ErrorCode.BAD_JSON, ErrorCode.TOO_DEEP, ErrorCode.BAD_SYNTAX, ErrorCode.MISSING_TAG}
)
"""Codes of calls that have no value."""

_OTHER_KEY = {"parameters": "arguments", "arguments": "parameters"}


def call_from_value(raw: str, span: Span, value: Any, key: str) -> ParsedCall:
    """Judge a decoded call, keeping ``value`` as it stands.

    Args:
        raw: The call's text.
        span: Where it stands in the answer.
        value: What the text decodes to.
        key: Where the arguments belong: ``"parameters"`` or ``"arguments"``.
    """
    if not isinstance(value, dict):
        message = f"a call must be a JSON object, not {_kind(value)}"
        return failed_call(raw, span, ErrorCode.NOT_AN_OBJECT, message, value=value)
    fields = cast("dict[str, Any]", value)
    name, arguments = fields.get("name"), fields.get(key)
    if isinstance(name, str) and isinstance(arguments, dict):
        return new_call(raw, span, fields, name, cast("dict[str, Any]", arguments), None)
    if not isinstance(name, str):
        code = ErrorCode.BAD_NAME if "name" in fields else ErrorCode.MISSING_NAME
        message = f'"name" must be a string, not {_kind(name)}'
        if code is ErrorCode.MISSING_NAME:
            message = 'the call has no "name"'
        return failed_call(raw, span, code, message, value=fields)
    if key in fields:
        message = f'"{key}" of {name[:80]!r} must be a JSON object, not {_kind(arguments)}'
        return failed_call(raw, span, ErrorCode.BAD_PARAMETERS, message, name, fields)
    other = _OTHER_KEY[key]
    hint = f'; rename its "{other}" to "{key}"' if other in fields else ""
    message = f'the call of {name[:80]!r} has no "{key}"{hint}'
    return failed_call(raw, span, ErrorCode.MISSING_PARAMETERS, message, name, fields)


def failed_call(
    raw: str,
    span: Span,
    code: ErrorCode,
    message: str,
    name: str | None = None,
    value: Any = None,
) -> ParsedCall:
    """Return a call with something wrong with it."""
    return new_call(raw, span, value, name, None, ParseIssue(code, message, span))


def read_call(raw: str, start: int, key: str) -> ParsedCall:
    """Decode and judge one call whose text begins at ``start``."""
    span = (start, start + len(raw))
    try:
        value = decode_json(raw)
    except ValueError as error:
        code, message = explain(error)
        return failed_call(raw, span, code, message, read_name(raw))
    return call_from_value(raw, span, value, key)


def read_lines(block: str, start: int) -> list[ParsedCall]:
    """Decode the content of one call block of the paper's layout: one JSON value a line.

    Args:
        block: The text between the tags.
        start: Where it begins in the answer.
    """
    start += len(block) - len(block.lstrip())
    calls: list[ParsedCall] = []
    for line in block.strip().split("\n"):
        calls.append(read_call(line, start, "parameters"))
        start += len(line) + 1
    return calls


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean"}
    names |= {int: "a number", float: "a number", type(None): "null"}
    return names[type(value)]

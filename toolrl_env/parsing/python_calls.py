"""The protocol of raw ToolACE: ``[f(a=1, b="x"), g()]``, Python call syntax with literals only."""

from __future__ import annotations

import re
from typing import Any, cast

from toolrl_env.core.types import ErrorCode, ParsedAction, ParsedCall, ParseIssue, ParseStatus
from toolrl_env.parsing.base import AnswerProtocol
from toolrl_env.parsing.build import new_action, new_call
from toolrl_env.parsing.calls import failed_call
from toolrl_env.parsing.decoding import decode_json, explain
from toolrl_env.parsing.layout import THINK_CLOSE, THINK_OPEN
from toolrl_env.parsing.native import leading_think
from toolrl_env.parsing.python_literals import BadSyntax, read_literal, skip_space, write_literal

__all__ = ["PythonProtocol"]

_NAME = re.compile(r"""\s*+((?:[^()\[\]{},='"\r\n]|(?<=\w)'(?=\w))++)\(""")
_KEY = re.compile(r"""([^()\[\]{},='":*\r\n]++)=(?!=)""")
_EMPTY_LIST = re.compile(r"\s*+\[\s*+\]")


class PythonProtocol(AnswerProtocol):
    """A list of calls in Python syntax, with keyword arguments that are literals.

    An optional ``<think> … </think>`` first; then, if what follows starts like ``[name(``, a list
    of calls, and whatever text follows the list is the response; otherwise all of it is the
    response. ``[]`` is a list without calls: no call block.

    Names are those of the tools, so they may hold spaces, dots, slashes and dashes; they cannot
    hold brackets, commas, ``=``, line breaks or quotes (but for an apostrophe within a word), nor
    start or end with white space, and ``render`` refuses those. Argument names that are more than
    letters, digits and underscores are written ``**{"odd name": 1}`` and read both so and bare.
    Literals are Python's or JSON's (``True`` or ``true``, ``None`` or ``null``); tuples become
    lists; of duplicate arguments the last wins. Nothing is ever evaluated.
    """

    name = "python"

    def _read(self, text: str) -> ParsedAction:
        think, position, issues = leading_think(text)
        start = skip_space(text, position)
        calls: list[ParsedCall] = []
        if text.startswith("[", start) and _NAME.match(text, start + 1):
            position = _read_list(text, start + 1, calls)
        elif empty := _EMPTY_LIST.match(text, start):
            position = empty.end()
        response = text[position:].strip() or None
        issues.extend(call.issue for call in calls if call.issue is not None)
        status, values = ParseStatus.NO_CALLS, None
        if any(call.value is None for call in calls):
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
        if calls:
            parts.append("[" + ", ".join(map(_write_call, calls)) + "]")
        if response is not None:
            parts.append(response.strip())
        return "\n".join(parts)


def _read_list(text: str, position: int, calls: list[ParsedCall]) -> int:
    """Read calls up to and with the closing bracket; stop at the first that cannot be read."""
    while True:
        start = skip_space(text, position)
        if calls and text.startswith("]", start):  # also after a trailing comma
            return start + 1
        opening = _NAME.match(text, start)
        if opening is None:
            error = BadSyntax("expected a call: name(argument=value, …)", start)
            calls.append(_failed(text, start, None, error))
            return len(text)
        name = opening.group(1).strip()
        try:
            fields, position = _read_arguments(text, opening.end())
        except BadSyntax as error:
            calls.append(_failed(text, start, name, error))
            return len(text)
        calls.append(_finish(text[start:position], (start, position), name, fields))
        position = skip_space(text, position)
        if text.startswith(",", position):
            position += 1
        elif not text.startswith("]", position):
            error = BadSyntax("expected ',' or ']' after a call", position)
            calls.append(_failed(text, position, None, error))
            return len(text)


def _read_arguments(text: str, position: int) -> tuple[list[tuple[str | None, str]], int]:
    """Read up to and with the closing parenthesis.

    Returns:
        ``(name, JSON text)`` of each argument, the name ``None`` for ``**{…}``; and the position
        after the parenthesis.
    """
    fields: list[tuple[str | None, str]] = []
    while True:
        position = skip_space(text, position)
        if text.startswith(")", position):
            return fields, position + 1
        if text.startswith("**", position):
            key, position = None, position + 2
        elif (found := _KEY.match(text, position)) is not None:
            key, position = found.group(1).strip(), found.end()
        else:
            raise BadSyntax("expected name=value (arguments must be named)", position)
        value, position = read_literal(text, position)
        fields.append((key, value))
        if text.startswith(",", position):
            position += 1


def _finish(
    raw: str, span: tuple[int, int], name: str, fields: list[tuple[str | None, str]]
) -> ParsedCall:
    """Decode the arguments of one call."""
    arguments: dict[str, Any] = {}
    for key, value in fields:
        try:
            decoded = decode_json(value)
        except ValueError as error:
            code, _ = explain(error)
            code = ErrorCode.BAD_SYNTAX if code is ErrorCode.BAD_JSON else code
            message = f"the value of {key or '**'!r:.80} of {name[:80]!r} is not a literal"
            if code is ErrorCode.TOO_DEEP:
                message = f"the value of {key or '**'!r:.80} of {name[:80]!r} is nested too deeply"
            return failed_call(raw, span, code, message, name)
        if key is not None:
            arguments[key] = decoded
        elif isinstance(decoded, dict):
            arguments.update(cast("dict[str, Any]", decoded))
        else:
            message = f"** of {name[:80]!r} must be followed by a dictionary"
            return failed_call(raw, span, ErrorCode.BAD_SYNTAX, message, name)
    return new_call(raw, span, {"name": name, "parameters": arguments}, name, arguments, None)


def _failed(text: str, start: int, name: str | None, error: BadSyntax) -> ParsedCall:
    issue = ParseIssue(ErrorCode.BAD_SYNTAX, str(error), (error.position, len(text)))
    return new_call(text[start:], (start, len(text)), None, name, None, issue)


def _write_call(call: dict[str, Any]) -> str:
    plain: list[str] = []
    odd: dict[str, Any] = {}
    for key, value in call["parameters"].items():
        if isinstance(key, str) and key.isidentifier() and not odd:
            plain.append(f"{key}={write_literal(value)}")
        else:
            odd[key] = value
    if odd:
        plain.append("**" + write_literal(odd))
    return f"{call['name']}({', '.join(plain)})"

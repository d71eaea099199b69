"""The short way to type an answer: ``tool key=value``, ``tool(key=value)``, or plain words."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, cast

from toolrl_env.core.errors import ConfigurationError, nearest
from toolrl_env.core.types import ParseStatus, ToolCall, ToolSpec
from toolrl_env.parsing import AnswerProtocol, get_protocol

__all__ = ["BadTypingError", "short_call", "typed_answer"]

SAY = ">"
THOUGHT = "Typed by a person."
_KEY = re.compile(r"([^\s=]+)=(.*)", re.DOTALL)
_LOOKS_LIKE_A_CALL = re.compile(r"[\w.-]+(\s+[^\s=]+=\S|\()|[a-z]+_\w+(\s|$)")


class BadTypingError(ConfigurationError):
    """What was typed is meant as a call but cannot be read as one; says how to write it."""


def typed_answer(line: str, tools: Sequence[ToolSpec], protocol: AnswerProtocol) -> str:
    """Return the answer in the protocol's layout that a short line stands for.

    A line that begins with the name of a tool is a call, its values typed as the tool's schema asks
    for; several calls are separated by `` ; ``. Any other line, and any that begins with ``>``, is
    said to the user, unless its first word looks like a tool's name.

    Raises:
        BadTypingError: The line looks like a call but is none.

    >>> tool = ToolSpec("add", parameters={"properties": {"a": {"type": "integer"}, "b": {}}})
    >>> print(typed_answer("add 1 b=x", [tool], get_protocol("python")))
    [add(a=1, b="x")]
    """
    line, by_name = line.strip(), {tool.name: tool for tool in tools}
    calls = None if line.startswith(SAY) else _calls(line, by_name)
    if calls is None:
        words = line.removeprefix(SAY).strip()
        return protocol.render((), think=_thought(protocol), response=words)
    return protocol.render(calls, think=_thought(protocol))


def short_call(call: ToolCall, tool: ToolSpec | None) -> str:
    """Return a call as a line that can be typed.

    >>> short_call(ToolCall("send", {"to": ["a", "b c"], "copy": True}), None)
    "send to='a,b c' copy=true"
    """
    schema: Mapping[str, Any] = {} if tool is None else tool.parameters.get("properties", {})
    words = [call.name]
    for key, value in call.arguments.items():
        flat = isinstance(value, list) and all(
            isinstance(item, str) and "," not in item for item in cast("list[Any]", value)
        )
        if isinstance(value, str):
            text = value if _reads_back(value, schema.get(key, {})) else json.dumps(value)
        else:
            text = ",".join(cast("list[str]", value)) if flat and value else json.dumps(value)
        words.append(f"{key}={shlex.quote(text)}")
    return " ".join(words)


def _thought(protocol: AnswerProtocol) -> str | None:
    return THOUGHT if protocol.name == "toolrl" else None


def _calls(line: str, tools: Mapping[str, ToolSpec]) -> list[ToolCall] | None:
    """Return the calls that a line holds; ``None`` if it is a response."""
    name = _name_of(line, tools)
    if name is None:
        wanted = re.split(r"[\s(]", line, maxsplit=1)[0]
        if _LOOKS_LIKE_A_CALL.match(line):
            close = nearest(wanted, list(tools))
            hint = f"; did you mean {close!r}?" if close else ""
            raise BadTypingError(
                f"there is no tool {wanted!r} now{hint} (:tools lists them; {SAY!r} says the words)"
            )
        return None
    if line[len(name) :].startswith("("):
        return _python_calls(line)
    return [_call(part, tools) for part in _parts(line)]


def _parts(line: str) -> list[str]:
    """Cut a line at `` ; ``, but not within quotation marks."""
    parts: list[str] = []
    open_part = ""
    for part in line.split(" ; "):
        open_part = f"{open_part} ; {part}" if open_part else part
        if _words(open_part) is not None:
            parts.append(open_part.strip())
            open_part = ""
    if open_part:
        raise BadTypingError(f"cannot read {open_part!r:.200}: a quotation mark is not closed")
    return parts


def _call(part: str, tools: Mapping[str, ToolSpec]) -> ToolCall:
    name = _name_of(part, tools)
    words = None if name is None else _words(part[len(name) :])
    if name is None or words is None:
        raise BadTypingError(
            f"{part!r:.200} is no call of a tool that is there (:tools lists them)"
        )
    return ToolCall(name, _arguments(tools[name], words))


def _words(text: str) -> list[str] | None:
    """Split at white space outside of quotation marks; ``None`` if one is not closed."""
    try:
        return shlex.split(text)
    except ValueError:
        return None


def _name_of(line: str, tools: Mapping[str, ToolSpec]) -> str | None:
    """Return the longest name of a tool that the line begins with, as a whole."""
    found = [name for name in tools if re.match(re.escape(name) + r"(?=[\s(]|$)", line)]
    name = max(found, key=len, default=None)
    if name is None or line == name or line[len(name)] == "(":
        return name
    if "_" in name:
        return name
    words = _words(line[len(name) :])  # a name that is a word may begin a sentence: "post", "find"
    if words is None:
        return None
    fits = len(words) <= len(tools[name].parameters.get("properties", {}))
    return name if fits or ";" in words or any(_KEY.match(word) for word in words) else None


def _python_calls(line: str) -> list[ToolCall]:
    action = get_protocol("python").parse(f"[{line}]")
    if action.status is not ParseStatus.CALLS:
        why = "; ".join(issue.message for issue in action.issues) or "it is no call"
        raise BadTypingError(f"cannot read {line!r:.200}: {why}")
    return [ToolCall(call.name or "", call.arguments or {}) for call in action.calls]


def _arguments(tool: ToolSpec, words: Sequence[str]) -> dict[str, Any]:
    """Return the arguments that words stand for: ``key=value``, or values in the schema's order."""
    properties: Mapping[str, Mapping[str, Any]] = tool.parameters.get("properties", {})
    found: dict[str, Any] = {}
    for word in words:
        match = _KEY.match(word)
        if match is not None and (match[1] in properties or len(words) > 1):
            key, text = match[1], match[2]
        else:
            key, text = next((k for k in properties if k not in found), ""), word
            if not key:
                raise BadTypingError(
                    f"{tool.name} takes no further argument, but got {word!r:.200}"
                )
        found[key] = _value(text, properties.get(key, {}))
    return found


def _reads_back(text: str, schema: Mapping[str, Any]) -> bool:
    return _value(text, schema) == text


def _value(text: str, schema: Mapping[str, Any]) -> Any:
    """Return a typed word as the schema wants it; text stays text where text is allowed."""
    kind = schema.get("type")
    if kind == "string":
        return text
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError):
        if kind == "array":
            items: Mapping[str, Any] = schema.get("items", {})
            parts = text.strip("[]").split(",")
            return [_value(part.strip().strip("'\""), items) for part in parts if part.strip()]
        return text
    if kind == "array" and not isinstance(value, list):
        return [value]
    return cast("Any", value)

"""The paper's layout, read: system text → tools, user text → messages. Inverse of ``toolrl``."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from toolrl_env.core.errors import DataError
from toolrl_env.core.frozen import freeze
from toolrl_env.core.types import Message, ToolCall, ToolSpec
from toolrl_env.prompts.specs import documented_tool

__all__ = ["ReadDialogue", "ReadSystem", "read_dialogue", "read_parameters", "read_system"]

_FIRST_TOOL = re.compile(r"^1\. Name: ", re.MULTILINE)
_TOOL = re.compile(
    r"(?P<number>\d+)\. Name: (?P<name>[^\n]*)\n"
    r"Description: (?P<description>.*?)\n"
    r"Parameters: (?P<parameters>[^\n]*)",
    re.DOTALL,
)
_TAGS = ("user", "think", "tool_call", "obs", "response")
_OPENING = re.compile(rf"<({'|'.join(_TAGS)})>")
_FIRST_TAG = re.compile(rf"^<({'|'.join(_TAGS)})>", re.MULTILINE)
_CLOSING = {tag: re.compile(rf"</{tag}>\s*+(?=<(?:{'|'.join(_TAGS)})>|\Z)") for tag in _TAGS}


class ReadSystem(NamedTuple):
    """A system text, taken apart: ``head`` + the tool entries + ``tail``."""

    head: str
    tools: tuple[ToolSpec, ...]
    tail: str


class ReadDialogue(NamedTuple):
    """A user text, taken apart: what stands before the first tag, and the messages.

    ``starts`` holds, for each message, the character at which it begins.
    """

    head: str
    messages: tuple[Message, ...]
    starts: tuple[int, ...]


def read_system(text: str) -> ReadSystem:
    """Take apart a system text of the paper's layout.

    Raises:
        DataError: There is no list of tools, or an entry of it cannot be read.
    """
    first = _FIRST_TOOL.search(text)
    if first is None:
        raise DataError("the system text has no numbered list of tools ('1. Name: …')")
    tools: list[ToolSpec] = []
    start = end = first.start()
    while text.startswith(f"{len(tools) + 1}. Name: ", start):
        entry = _TOOL.match(text, start)
        if entry is None:
            raise DataError(f"tool {len(tools) + 1} of the system text lacks a field")
        tools.append(_tool(entry))
        end = entry.end()
        start = end + 1
    return ReadSystem(text[: first.start()], tuple(tools), text[end:])


def _tool(entry: re.Match[str]) -> ToolSpec:
    try:
        documented = read_parameters(entry["parameters"])
    except DataError as error:
        raise DataError(f"tool {entry['number']} ({entry['name']!r}): {error}") from None
    return documented_tool(entry["name"], entry["description"], documented)


def read_parameters(text: str) -> dict[str, Any]:
    """Read a tool's parameters: JSON, or a Python dict display as in API-Bank.

    Raises:
        DataError: It is neither, or not an object.
    """
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError):
        try:
            value = ast.literal_eval(text.strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            raise DataError(f"parameters are neither JSON nor Python: {text[:80]!r}") from None
    if not isinstance(value, dict):
        raise DataError(f"parameters are not an object but {text[:80]!r}")
    return cast("dict[str, Any]", value)


@dataclass(slots=True)
class _Step:
    """The assistant's step that is being read."""

    thought: str | None = None
    calls: tuple[ToolCall, ...] = ()
    response: str | None = None

    def takes(self, tag: str) -> bool:
        """Whether ``tag`` still belongs to this step, given the order of the layout."""
        if tag == "think":
            return self.thought is None and not self.calls and self.response is None
        return self.response is None and (tag == "response" or not self.calls)

    def message(self) -> Message:
        return Message("assistant", self.response or "", self.thought, self.calls)


def read_dialogue(text: str) -> ReadDialogue:
    """Take apart a user text of the paper's layout.

    A tag inside a message counts as text unless what follows it has the layout of the next block.
    Of the white space inside a pair of tags, one space on either side is layout, the rest content.

    Raises:
        DataError: A tag is not closed, text stands outside of tags, or a call is not JSON.
    """
    first = _FIRST_TAG.search(text)
    if first is None:
        raise DataError("the user text has no <user> turn")
    messages: list[Message] = []
    starts: list[int] = []
    step: _Step | None = None
    position = first.start()
    while position < len(text):
        part = _next_part(text, position)
        if step is not None and (part.tag in {"user", "obs"} or not step.takes(part.tag)):
            messages.append(step.message())
            step = None
        if step is None:
            starts.append(position)
        if part.tag == "user":
            messages.append(Message("user", part.inner))
        elif part.tag == "obs":
            messages.append(Message("tool", part.inner))
        else:
            step = step or _Step()
            _fill(step, part)
        if step is not None and part.ends_block:
            messages.append(step.message())
            step = None
        position = part.end
    if step is not None:
        messages.append(step.message())
    return ReadDialogue(text[: first.start()], tuple(messages), tuple(starts))


class _Part(NamedTuple):
    """One pair of tags: which, what is inside, whether an empty line follows, where it ends."""

    tag: str
    inner: str
    ends_block: bool
    end: int


def _next_part(text: str, position: int) -> _Part:
    opening = _OPENING.match(text, position)
    if opening is None:
        raise DataError(f"text outside of tags: {text[position : position + 60]!r}")
    tag = opening[1]
    closing = _CLOSING[tag].search(text, opening.end())
    if closing is None:
        raise DataError(f"<{tag}> is not closed: {text[position : position + 60]!r}")
    inner = text[opening.end() : closing.start()].removeprefix(" ").removesuffix(" ")
    return _Part(tag, inner, closing[0].count("\n") > 1, closing.end())


def _fill(step: _Step, part: _Part) -> None:
    if part.tag == "think":
        step.thought = part.inner
    elif part.tag == "response":
        step.response = part.inner
    else:
        lines = [line for line in part.inner.split("\n") if line.strip()]
        step.calls = tuple(_call(line) for line in lines)


def _call(line: str) -> ToolCall:
    try:
        value: Any = json.loads(line)
    except (ValueError, RecursionError):
        raise DataError(f"an earlier call is not JSON: {line[:80]!r}") from None
    if not isinstance(value, dict):
        raise DataError(f"an earlier call is not an object: {line[:80]!r}")
    call = cast("dict[str, Any]", value)
    name, arguments = call.get("name"), call.get("parameters")
    if not isinstance(name, str) or not isinstance(arguments, dict):
        raise DataError(f"an earlier call lacks a name or parameters: {line[:80]!r}")
    return ToolCall(name, freeze(arguments))

"""What a model may see of a task, and nothing else: the one door into the numeric wrappers.

Everything that the wrappers compute (candidates, their order, masks, features) is a function of
the ``Visible`` made here, which reads ``info["messages"]`` and ``info["tools"]`` alone. The gold
answer, the task's id and its category never come through.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from toolrl_env.wrappers.numeric.words import stems

__all__ = ["OfferedTool", "Slot", "Visible", "look"]

_SAID = re.compile(r"<(user|obs|tool_call)>(.*?)</\1>", re.DOTALL)
_THOUGHT = re.compile(r"<think>.*?</think>", re.DOTALL)
_TOOL_NEWS = ("These tools can be used from now on", "These tools can no longer be used")
_RECENT_USER_TURNS = 3
_MAX_SAID = 4000


@dataclass(frozen=True, slots=True)
class Slot:
    """A parameter of an offered tool.

    Attributes:
        name: Its name.
        schema: Its JSON Schema; empty if it says nothing.
        required: Whether a call must have it.
        words: Stems of its name and description.
    """

    name: str
    schema: Mapping[str, Any]
    required: bool
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class OfferedTool:
    """A tool as it is offered.

    Attributes:
        name: Its name.
        description: Its description.
        slots: Its parameters, in the schema's order.
        name_words: Stems of its name.
        words: Stems of its description.
    """

    name: str
    description: str
    slots: tuple[Slot, ...]
    name_words: frozenset[str]
    words: frozenset[str]

    @property
    def text(self) -> str:
        """Name, description and parameter names, to be encoded."""
        return " ".join((self.name, self.description, *(slot.name for slot in self.slots)))


@dataclass(frozen=True, slots=True)
class Visible:
    """A task as the model sees it.

    Attributes:
        request: The user's last three turns, oldest first.
        said: What users and tools said, oldest first; of a long conversation its last 4000
            characters.
        tools: The tools on offer.
        called: Names of those that were called since the user's last turn.
        results_at: Where in ``said`` begins what tools returned since the user's last turn; its
            length if nothing was returned.
        seed: A number that depends on all that is visible and on nothing else.
    """

    request: str
    said: str
    tools: tuple[OfferedTool, ...]
    called: frozenset[str]
    results_at: int
    seed: int


def look(info: Mapping[str, Any]) -> Visible:
    """Return what is visible of the task that an environment's ``info`` is about.

    Args:
        info: As ``reset`` and ``step`` return it; only ``messages`` and ``tools`` are read.

    >>> shown = look({"messages": [{"role": "user", "content": "<user> Add 2 and 3. </user>"}],
    ...               "tools": [{"type": "function", "function": {"name": "add"}}]})
    >>> shown.request, [tool.name for tool in shown.tools]
    ('Add 2 and 3.', ['add'])
    """
    users: list[str] = []
    pieces: list[str] = []
    last_user, calls = 0, ""
    for message in cast("Sequence[Mapping[str, Any]]", info["messages"]):
        for speaker, text in _spoken(str(message["role"]), str(message["content"])):
            if speaker == "tool_call":
                calls += text
                continue
            pieces.append(text if speaker == "user" else _plain(text))
            if speaker == "user":
                users.append(text)
                last_user, calls = len(pieces), ""
    tools = tuple(_offered(entry["function"]) for entry in info["tools"])
    said = "\n".join(pieces)
    seed = zlib.crc32(
        "\x00".join((said, *(tool.text for tool in tools))).encode("utf-8", "replace")
    )
    kept = said[-_MAX_SAID:]
    returned = sum(len(piece) + 1 for piece in pieces[last_user:])
    called = frozenset(tool.name for tool in tools if calls and _names(tool.name, calls))
    request = "\n".join(users[-_RECENT_USER_TURNS:])
    return Visible(request, kept, tools, called, max(0, len(kept) - returned), seed)


def _spoken(role: str, content: str) -> list[tuple[str, str]]:
    """Split a message, which may hold a whole dialogue in tags, into who said what.

    Of what the assistant wrote there are the calls alone.
    """
    if role == "system":
        return []
    parts = [(match[1], match[2].strip()) for match in _SAID.finditer(content)]
    if role == "assistant":
        calls = [part for part in parts if part[0] == "tool_call"]
        return calls or [("tool_call", _THOUGHT.sub("", content))]
    return parts or [("user" if role == "user" else "obs", content.strip())]


def _names(name: str, calls: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", calls) is not None


def _plain(text: str) -> str:
    """Return what tools returned, JSON or not, with its strings in quotes and without its syntax.

    The announcement of tools is left out: they are on offer, so they are seen as tools.
    """
    if text.startswith(_TOOL_NEWS):
        return ""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    lines: list[str] = []
    _leaves("", value, lines)
    return ". ".join(lines)


def _leaves(key: str, value: Any, lines: list[str]) -> None:
    if isinstance(value, Mapping):
        for name, inner in cast("Mapping[str, Any]", value).items():
            _leaves(name, inner, lines)
    elif isinstance(value, list):
        items = cast("list[Any]", value)
        if all(isinstance(item, str | int | float) for item in items):
            lines.append(f"{key} {json.dumps(items, ensure_ascii=False)}")
        else:
            for inner in items:
                _leaves(key, inner, lines)
    elif isinstance(value, str):
        lines.append(f'{key} "{value}"')
    elif isinstance(value, int | float):
        lines.append(f"{key} {value}")


def _offered(function: Mapping[str, Any]) -> OfferedTool:
    name = str(function["name"])
    description = str(function.get("description", ""))
    schema = function.get("parameters", {})
    properties = cast("Mapping[str, Any]", schema.get("properties", {}))
    required = frozenset(map(str, schema.get("required", ())))
    slots = tuple(_slot(key, value, key in required) for key, value in properties.items())
    return OfferedTool(name, description, slots, stems(name), stems(description))


def _slot(name: str, schema: Any, required: bool) -> Slot:
    known: Mapping[str, Any] = (
        cast("Mapping[str, Any]", schema) if isinstance(schema, Mapping) else {}
    )
    words = stems(f"{name} {known.get('description', '')}")
    return Slot(name, known, required, words)

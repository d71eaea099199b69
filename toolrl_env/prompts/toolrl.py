"""The paper's layout, written: tools and dialogue as text. ``toolrl_reader`` is its inverse.

Tools are numbered entries::

    1. Name: add
    Description: Add two numbers
    Parameters: {"a": {"description": "First", "type": "int", "default": ""}}

and a dialogue is blocks between empty lines: ``<user> … </user>``, or one step of the assistant,
``<think>``, ``<tool_call>``, ``<response>`` and the ``<obs>`` that came back, one under the other.
No tag is escaped in a prompt: its rows are reproduced to the character, and answers are never read
from a prompt. Special tokens are, and all that follows in an episode: see ``guard``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from toolrl_env.core.types import Message, ToolSpec
from toolrl_env.prompts.signature import type_words

__all__ = ["paper_parameters", "render_dialogue", "render_signatures", "render_tools"]

_FIELDS = ("description", "type", "default")


def render_tools(tools: Sequence[ToolSpec]) -> str:
    """Return the numbered entries of ``tools``, without a final newline.

    >>> print(render_tools([ToolSpec("now", "The time", documented={})]))
    1. Name: now
    Description: The time
    Parameters: {}
    """
    return "\n".join(
        f"{number}. Name: {tool.name}\nDescription: {tool.description}\n"
        f"Parameters: {json.dumps(paper_parameters(tool))}"
        for number, tool in enumerate(tools, 1)
    )


def render_signatures(tools: Sequence[ToolSpec]) -> str:
    """Return one line per tool, for prompts that must be short.

    >>> tool = ToolSpec("add", "Sum", documented={"a": {"description": "", "type": "int"}})
    >>> print(render_signatures([tool]))
    add(a: int): Sum
    """
    lines: list[str] = []
    for tool in tools:
        parts: list[str] = []
        for name, doc in paper_parameters(tool).items():
            default = "" if doc["default"] == "" else f" = {json.dumps(doc['default'])}"
            parts.append(f"{name}: {doc['type']}{default}")
        lines.append(f"{tool.name}({', '.join(parts)}): {tool.description}")
    return "\n".join(lines)


def paper_parameters(tool: ToolSpec) -> dict[str, dict[str, Any]]:
    """Return ``{parameter: {description, type, default}}``, the paper's documentation of a tool.

    A tool documented that way is given back as it is, with ``""`` for a default that is missing.
    Any other is described from its schema: types in Python's words (``List[int]``, with
    ``, optional`` where it may be left out), allowed values in the description.
    """
    documented = tool.documented
    if documented is not None and _is_paper_style(documented):
        return {
            name: {field: doc.get(field, "") for field in _FIELDS}
            for name, doc in cast("Mapping[str, Mapping[str, Any]]", documented).items()
        }
    properties: Mapping[str, Mapping[str, Any]] = tool.parameters.get("properties") or {}
    required: Sequence[str] = tool.parameters.get("required") or ()
    return {
        name: _from_schema(schema, optional=name not in required)
        for name, schema in properties.items()
    }


def _is_paper_style(documented: Mapping[str, Any]) -> bool:
    if isinstance(documented.get("type"), str):  # a schema of its own, as in raw ToolACE
        return False
    return all(isinstance(doc, Mapping) and "type" in doc for doc in documented.values())


def _from_schema(schema: Mapping[str, Any], *, optional: bool) -> dict[str, Any]:
    description = str(schema.get("description", ""))
    if "enum" in schema:
        allowed = ", ".join(json.dumps(value) for value in schema["enum"])
        description = f"{description} One of: {allowed}.".strip()
    words = type_words(schema)
    if optional and "default" not in schema:
        words += ", optional"
    return {"description": description, "type": words, "default": schema.get("default", "")}


def render_dialogue(messages: Sequence[Message]) -> str:
    """Return a dialogue (user, assistant and tool messages) in the paper's layout.

    >>> print(render_dialogue([Message("user", "Hi"), Message("assistant", "Hello", "Greet.")]))
    <user> Hi </user>
    <BLANKLINE>
    <think> Greet. </think>
    <response> Hello </response>
    """
    blocks: list[str] = []
    for message in messages:
        if message.role == "tool" and blocks:
            blocks[-1] += f"\n<obs> {message.content} </obs>"
        elif message.role == "tool":
            blocks.append(f"<obs> {message.content} </obs>")
        elif message.role == "assistant":
            blocks.append(_assistant_step(message))
        else:
            blocks.append(f"<user> {message.content} </user>")
    return "\n\n".join(blocks)


def _assistant_step(message: Message) -> str:
    lines: list[str] = []
    if message.thought is not None:
        lines.append(f"<think> {message.thought} </think>")
    if message.tool_calls:
        calls = [
            json.dumps({"name": call.name, "parameters": call.arguments})
            for call in message.tool_calls
        ]
        lines.append("\n".join(["<tool_call>", *calls, "</tool_call>"]))
    if message.content or not lines:
        lines.append(f"<response> {message.content} </response>")
    return "\n".join(lines)

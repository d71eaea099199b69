"""What the model reads between two of its answers: results, the user's words, new tools."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from toolrl_env.core.types import (
    GroundTruth,
    Message,
    ParsedCall,
    ToolCall,
    ToolResult,
    ToolSpec,
)
from toolrl_env.parsing import get_protocol
from toolrl_env.prompts.python import answer_content
from toolrl_env.prompts.toolrl import render_dialogue, render_tools

__all__ = [
    "correction_message",
    "recorded_answer",
    "recorded_messages",
    "result_messages",
    "tools_message",
    "user_message",
]


def result_messages(
    protocol: str, calls: Sequence[ParsedCall], results: Sequence[ToolResult]
) -> list[dict[str, Any]]:
    """Return the messages that carry the results of one answer's calls, in the calls' order.

    ``toolrl`` has one user message with an ``<obs>`` block that holds a JSON list; the others have
    one ``tool`` message a call.
    """
    contents = [_content(result) for result in results]
    names = [call.name or "" for call in calls]
    if protocol == "toolrl":
        named = [{"name": n, "results": c} for n, c in zip(names, contents, strict=True)]
        text = json.dumps(named, ensure_ascii=False)
        return [{"role": "user", "content": f"<obs> {text} </obs>"}]
    return [
        {"role": "tool", "name": name, "content": json.dumps(content, ensure_ascii=False)}
        for name, content in zip(names, contents, strict=True)
    ]


def _content(result: ToolResult) -> Any:
    if result.ok:
        return result.value
    return {"error": " ".join(error.for_model for error in result.errors)}


def recorded_answer(protocol: str, gold: GroundTruth) -> str:
    """Return a recorded answer as it stands in a conversation: as a model would have given it.

    In ``python`` without the thought, and with calls whose names that syntax cannot carry written
    all the same, as in its prompts.

    Args:
        protocol: The protocol.
        gold: The recorded answer; its values are proper calls.
    """
    if protocol != "python":
        return get_protocol(protocol).render_gold(gold)
    calls = tuple(ToolCall(value["name"], value["parameters"]) for value in gold.values)
    words = get_protocol("toolrl").parse(gold.text).response
    return answer_content(Message("assistant", words or "", None, calls))


def recorded_messages(protocol: str, recorded: Sequence[Message]) -> list[dict[str, Any]]:
    """Return what a dataset recorded between two answers, word for word.

    ``toolrl`` has one user message in the paper's layout, ``<obs>`` and ``<user>`` blocks with an
    empty line between them; the others have one ``tool`` or ``user`` message each.
    """
    if protocol == "toolrl":
        blocks = [render_dialogue([message]) for message in recorded]
        return [{"role": "user", "content": "\n\n".join(blocks)}]
    return [
        {"role": message.role, "content": message.content}
        | ({} if message.name is None else {"name": message.name})
        for message in recorded
    ]


def user_message(protocol: str, text: str) -> dict[str, Any]:
    """Return the user's next words as a message."""
    return {"role": "user", "content": f"<user> {text} </user>" if protocol == "toolrl" else text}


def correction_message(protocol: str, reasons: Sequence[str]) -> dict[str, Any]:
    """Return the message for an answer that could not be read: nothing was run, and why."""
    text = "The answer could not be read, so nothing was run: " + "; ".join(reasons)
    return {"role": "user", "content": f"<obs> {text} </obs>" if protocol == "toolrl" else text}


def tools_message(protocol: str, tools: Sequence[ToolSpec], gone: Sequence[str]) -> dict[str, Any]:
    """Return the message that says which tools have appeared or gone.

    Args:
        protocol: The protocol.
        tools: Tools that have appeared.
        gone: Names of tools that are no longer there.
    """
    parts: list[str] = []
    if tools:
        parts.append(f"These tools can be used from now on:\n{render_tools(tools)}")
    if gone:
        parts.append(f"These tools can no longer be used: {', '.join(gone)}")
    text = "\n".join(parts)
    return {"role": "user", "content": f"<obs> {text} </obs>" if protocol == "toolrl" else text}

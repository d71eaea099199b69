"""What the model reads between two of its answers: results, the user's words, new tools.

Whatever is in them, they cannot end their message or begin another: see ``guard``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from toolrl_env.core.types import ParsedCall, ToolResult, ToolSpec
from toolrl_env.prompts.guard import guarded_json, guarded_words
from toolrl_env.prompts.toolrl import render_tools

__all__ = ["correction_message", "result_messages", "tools_message", "user_message"]


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
        return [{"role": "user", "content": f"<obs> {guarded_json(named)} </obs>"}]
    return [
        {"role": "tool", "name": guarded_words(name), "content": guarded_json(content)}
        for name, content in zip(names, contents, strict=True)
    ]


def _content(result: ToolResult) -> Any:
    if result.ok:
        return result.value
    return {"error": " ".join(error.for_model for error in result.errors)}


def user_message(protocol: str, text: str) -> dict[str, Any]:
    """Return the user's next words as a message."""
    text = guarded_words(text)
    return {"role": "user", "content": f"<user> {text} </user>" if protocol == "toolrl" else text}


def correction_message(protocol: str, reasons: Sequence[str]) -> dict[str, Any]:
    """Return the message for an answer that could not be read: nothing was run, and why."""
    text = "The answer could not be read, so nothing was run: "
    text += guarded_words("; ".join(reasons))
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
    text = guarded_words("\n".join(parts))
    return {"role": "user", "content": f"<obs> {text} </obs>" if protocol == "toolrl" else text}

"""Between the chat API as verifiers' harnesses speak it and our messages and answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from toolrl_env.core.types import ParsedCall, ParseStatus
from toolrl_env.parsing import get_protocol
from toolrl_env.parsing.layout import CALL_CLOSE, CALL_OPEN

__all__ = ["assistant_message", "sendable", "shown_messages"]


def sendable(text: str) -> str:
    """Return text that UTF-8 can carry: lone surrogates become question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")


def assistant_message(text: str, number: int, *, offered: bool) -> dict[str, Any]:
    """Return an answer as the chat API has it.

    Where tools are offered, calls in the ``native`` protocol become ``tool_calls``. An answer whose
    calls cannot be read stays text, as it is with an endpoint that parses calls.

    Args:
        text: The answer.
        number: Of the answer in the episode; call ids are made of it.
        offered: Whether the request offered tools.
    """
    message: dict[str, Any] = {"role": "assistant", "content": text}
    action = get_protocol("native").parse(text, max(len(text), 1))
    if not offered or action.status is not ParseStatus.CALLS:
        return message
    thought = None if action.think is None else f"<think> {action.think} </think>"
    message["content"] = "\n".join(filter(None, (thought, action.response)))
    message["tool_calls"] = [
        {"id": f"call_{number}_{index}", "type": "function", "function": _function(call)}
        for index, call in enumerate(action.calls)
    ]
    return message


def _function(call: ParsedCall) -> dict[str, str]:
    value = cast("dict[str, Any]", call.value) if isinstance(call.value, dict) else {}
    return {
        "name": str(value.get("name", "")),
        "arguments": json.dumps(value.get("parameters", {}), ensure_ascii=False),
    }


def shown_messages(
    sent: Sequence[Mapping[str, Any]], said: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return the messages of a request as ours: text alone, results under their tools' names.

    Args:
        sent: The messages of a request.
        said: Answers of ours with calls, as they were written, by the id of their first call.
    """
    names: dict[str, str] = {}
    shown: list[dict[str, Any]] = []
    for message in sent:
        role, content = message["role"], _text(message.get("content"))
        calls = message.get("tool_calls") or ()
        if role == "tool":
            name = names.get(message.get("tool_call_id", ""), "")
            shown.append({"role": role, "name": message.get("name") or name, "content": content})
            continue
        if calls:
            names.update((call["id"], call["function"]["name"]) for call in calls)
            written = [content, *(_written(call["function"]) for call in calls)]
            content = said.get(calls[0]["id"], "\n".join(filter(None, written)))
        shown.append({"role": role, "content": content})
    return shown


def _written(function: Mapping[str, str]) -> str:
    name, arguments = json.dumps(function["name"]), function["arguments"] or "{}"
    return f'{CALL_OPEN}\n{{"name": {name}, "arguments": {arguments}}}\n{CALL_CLOSE}'


def _text(content: Any) -> str:
    """Return content as text; what is no text is named."""
    if content is None or isinstance(content, str):
        return content or ""
    kinds = ((part.get("text"), part.get("type")) for part in content)
    return "\n".join(text if text is not None else f"[{kind}]" for text, kind in kinds)

"""The ``native`` protocol: chat messages for a model's own chat template, and ours to stand in.

Messages are what ``tokenizer.apply_chat_template(messages, tools=tools)`` takes: roles ``system``,
``user``, ``assistant``, ``tool``; an assistant's calls under ``tool_calls`` in the OpenAI form with
``arguments`` as an object. Thoughts of earlier turns are left out, as reasoning models' templates
do. A template without support for tools (SmolLM2's) drops earlier calls: use ours there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from toolrl_env.core.frozen import freeze
from toolrl_env.core.types import Task

__all__ = ["chatml", "chatml_after", "native_messages"]

_END = "<|im_end|>\n"
_ANSWER = "<|im_start|>assistant\n"
NATIVE_SYSTEM = (
    "Help the user. Use functions when they can supply what is needed; if none fits, or a value "
    "that one must have was never given, say so instead."
)


def native_messages(task: Task) -> tuple[dict[str, Any], ...]:
    """Return the chat messages of ``task``; nested values are frozen."""
    chat: list[dict[str, Any]] = [{"role": "system", "content": NATIVE_SYSTEM}]
    for message in task.messages:
        entry: dict[str, Any] = {"role": message.role, "content": message.content}
        if message.tool_calls:
            entry["tool_calls"] = freeze(
                [
                    {"type": "function", "function": {"name": c.name, "arguments": c.arguments}}
                    for c in message.tool_calls
                ]
            )
        if message.name is not None:
            entry["name"] = message.name
        chat.append(entry)
    return tuple(chat)


def chatml(messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]] | None) -> str:
    """Return a conversation as text in ChatML, tools in the first system message, Hermes calls.

    The text ends where the assistant's answer begins. What is not the assistant's own cannot end
    its message: ``<|im_`` in it becomes ``< |im_``.

    >>> print(chatml([{"role": "user", "content": "Hi"}], None))
    <|im_start|>user
    Hi<|im_end|>
    <|im_start|>assistant
    <BLANKLINE>
    """
    offer = _offer(tools) if tools else ""
    if offer and (not messages or messages[0]["role"] != "system"):
        messages = [{"role": "system", "content": ""}, *messages]
    parts: list[str] = []
    for message in messages:
        body = str(message["content"])
        if message["role"] == "system" and offer:
            body, offer = f"{body}\n\n{offer}".lstrip("\n"), ""
        parts.append(_chatml_message(message, body))
    return "".join([*parts, _ANSWER])


def chatml_after(text: str, answer: str, messages: Sequence[Mapping[str, Any]]) -> str:
    """Return a conversation as ``chatml`` would, given what it returned before the last answer.

    Args:
        text: What ``chatml`` returned for everything before the answer.
        answer: The assistant's answer, as it wrote it.
        messages: What followed it; none is a system message.

    >>> chatml_after(chatml([], None), "Hi", []) == chatml(
    ...     [{"role": "assistant", "content": "Hi"}], None
    ... )
    True
    """
    said = [_chatml_message(message, str(message["content"])) for message in messages]
    return "".join([text, answer, _END, *said, _ANSWER])


def _chatml_message(message: Mapping[str, Any], body: str) -> str:
    calls = [_hermes_call(call["function"]) for call in message.get("tool_calls", ())]
    body = "\n".join([body, *calls] if body or not calls else calls)
    if "<|im_" in body and message["role"] != "assistant":
        body = body.replace("<|im_", "< |im_")
    return f"<|im_start|>{message['role']}\n{body}{_END}"


def _offer(tools: Sequence[Mapping[str, Any]]) -> str:
    listed = "\n".join(json.dumps(tool, ensure_ascii=False) for tool in tools)
    return (
        "Functions, one JSON description a line:\n"
        f"<tools>\n{listed}\n</tools>\n"
        "To call a function, write the following, once for each call:\n"
        '<tool_call>\n{"name": "its name", "arguments": {"parameter": "value"}}\n</tool_call>'
    )


def _hermes_call(function: Mapping[str, Any]) -> str:
    call = {"name": function["name"], "arguments": function["arguments"]}
    return f"<tool_call>\n{json.dumps(call, ensure_ascii=False)}\n</tool_call>"

"""From an environment's conversation to a request's messages, and from a reply to an answer.

Under the protocol ``native`` calls travel as the API's own ``tool_calls`` and tools as ``tools=``;
under the others everything is text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from agents.chat.reply import Reply
from toolrl_env.core.types import ParseStatus
from toolrl_env.parsing import get_protocol
from toolrl_env.parsing.layout import CALL_CLOSE, CALL_OPEN
from toolrl_env.parsing.toolrl import write_json

__all__ = ["ToolNames", "answer_text", "request_messages", "request_tools"]

_LONGEST = 64
_NOT_ALLOWED = re.compile(r"[^A-Za-z0-9_-]")


class ToolNames:
    """Names that the API takes (letters, digits, ``_`` and ``-``; 64 at most) for tools of any.

    Args:
        names: The tools' own names.

    >>> names = ToolNames(["get weather", "get.weather", "ok"])
    >>> [names.sent(name) for name in ("get weather", "get.weather", "ok")]
    ['get_weather', 'get_weather_2', 'ok']
    >>> names.own("get_weather_2")
    'get.weather'
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._sent: dict[str, str] = {}
        own = list(dict.fromkeys(names))
        taken = {name for name in own if name == _allowed(name)}
        for name in own:
            sent = _allowed(name)
            number = 1
            while sent != name and sent in taken:
                number += 1
                tail = f"_{number}"
                sent = _allowed(name)[: _LONGEST - len(tail)] + tail
            taken.add(sent)
            self._sent[name] = sent
        self._own = {sent: name for name, sent in self._sent.items()}

    def sent(self, name: str) -> str:
        """Return the name to send for a tool's own."""
        return self._sent.get(name) or _allowed(name)

    def own(self, sent: str) -> str:
        """Return the tool's own name for one in a reply; one that was never sent stays itself."""
        return self._own.get(sent, sent)


def _allowed(name: str) -> str:
    return _NOT_ALLOWED.sub("_", name)[:_LONGEST] or "_"


def request_tools(tools: Sequence[Mapping[str, Any]], names: ToolNames) -> list[dict[str, Any]]:
    """Return the ``tools=`` of a request."""
    return [
        _sendable(
            {
                "type": "function",
                "function": {**tool["function"], "name": names.sent(tool["function"]["name"])},
            }
        )
        for tool in tools
    ]


def request_messages(
    messages: Sequence[Mapping[str, Any]], protocol: str, names: ToolNames
) -> list[dict[str, Any]]:
    """Return the messages of a request.

    An assistant's calls become ``tool_calls`` if a result follows for each: the API refuses others.
    Else they stay text, and results become words of the user. Thoughts are left out of structured
    messages, as reasoning models' templates do.

    Args:
        messages: ``info["messages"]``.
        protocol: The environment's protocol.
        names: Names for the tools.
    """
    sent: list[dict[str, Any]] = []
    index = numbered = 0
    while index < len(messages):
        message = messages[index]
        index += 1
        results = index
        while results < len(messages) and messages[results]["role"] == "tool":
            results += 1
        calls = _calls(message, names) if protocol == "native" else []
        if message["role"] == "assistant" and calls and len(calls) == results - index:
            ids = [f"call_{numbered + number}" for number in range(len(calls))]
            numbered += len(calls)
            sent.append(_with_calls(message, calls, ids))
            for call_id in ids:
                content = messages[index]["content"]
                sent.append({"role": "tool", "tool_call_id": call_id, "content": content})
                index += 1
        elif message["role"] == "tool":
            said = f"Result of {message.get('name') or 'the call'}: {message['content']}"
            sent.append({"role": "user", "content": said})
        else:
            sent.append({"role": message["role"], "content": _as_text(message)})
    return [_sendable(message) for message in sent]


def answer_text(reply: Reply, protocol: str, names: ToolNames) -> str:
    """Return a reply as an answer in the environment's protocol.

    Calls are written in the native protocol, after the text. Arguments that are not JSON stay what
    they are, a string where an object belongs: the environment says so to the model.

    >>> from agents.chat.reply import WrittenCall
    >>> reply = Reply("Let me see.", (WrittenCall("f", '{"a": 1}'),))
    >>> print(answer_text(reply, "native", ToolNames(["f"])))
    Let me see.
    <tool_call>
    {"name": "f", "arguments": {"a": 1}}
    </tool_call>
    """
    parts = [reply.content] if reply.content else []
    if protocol == "native":
        for call in reply.calls:
            body = write_json({"name": names.own(call.name), "arguments": _decoded(call.arguments)})
            parts.append(f"{CALL_OPEN}\n{body}\n{CALL_CLOSE}")
    return "\n".join(parts)


def _decoded(arguments: str) -> Any:
    try:
        value = json.loads(arguments, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return arguments
    return value


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _calls(message: Mapping[str, Any], names: ToolNames) -> list[dict[str, Any]]:
    """Return an assistant's calls in the API's form; none if they cannot be read."""
    if message["role"] != "assistant":
        return []
    if "tool_calls" in message:
        calls = [call["function"] for call in message["tool_calls"]]
        return [_function(names, call["name"], call["arguments"]) for call in calls]
    text = message["content"]
    action = get_protocol("native").parse(text, max(len(text), 1))
    if action.status is not ParseStatus.CALLS:
        return []
    return [_function(names, call.name or "unnamed", call.arguments or {}) for call in action.calls]


def _function(names: ToolNames, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    written = json.dumps(arguments, ensure_ascii=False)
    return {"name": names.sent(name), "arguments": written}


def _with_calls(
    message: Mapping[str, Any], calls: Sequence[dict[str, Any]], ids: Sequence[str]
) -> dict[str, Any]:
    content = message["content"]
    if "tool_calls" not in message:
        content = get_protocol("native").parse(content, max(len(content), 1)).response or ""
    return {
        "role": "assistant",
        "content": content,
        "tool_calls": [
            {"id": call_id, "type": "function", "function": call}
            for call_id, call in zip(ids, calls, strict=True)
        ],
    }


def _as_text(message: Mapping[str, Any]) -> str:
    calls = [call["function"] for call in message.get("tool_calls", ())]
    written = [
        f"{CALL_OPEN}\n{write_json({'name': c['name'], 'arguments': c['arguments']})}\n{CALL_CLOSE}"
        for c in calls
    ]
    return "\n".join(filter(None, (message["content"], *written)))


def _sendable(value: Any) -> Any:
    """Return JSON-like values as plain ones that UTF-8 can carry: no lone surrogates."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, Mapping):
        return {_sendable(key): _sendable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_sendable(item) for item in value]
    return value

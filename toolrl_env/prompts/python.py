"""The ``python`` protocol: functions as JSON, calls as ``[f(a=1), g()]``, as in raw ToolACE."""

from __future__ import annotations

import json
from typing import Any

from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.types import Message, Task, ToolCall, ToolSpec
from toolrl_env.parsing import get_protocol

__all__ = ["answer_content", "python_messages"]

PYTHON_SYSTEM = """\
Help the user. You can call the functions described in the JSON list at the end.
To call them, answer with one bracketed list in Python syntax and nothing else, every argument by \
name: [function_name(parameter="value", other=1), other_function()]
If no function fits, or a value that one must have was never given, answer in plain words instead.
Functions:
"""


def python_messages(task: Task) -> tuple[dict[str, Any], ...]:
    """Return the chat messages of ``task``. Thoughts of earlier turns are left out."""
    listed = json.dumps([_function(tool) for tool in task.tools], ensure_ascii=False)
    chat = [{"role": "system", "content": PYTHON_SYSTEM + listed}]
    chat.extend({"role": m.role, "content": answer_content(m)} for m in task.messages)
    return tuple(chat)


def _function(tool: ToolSpec) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "parameters": tool.parameters}


def answer_content(message: Message) -> str:
    """Return a message's text with its calls, written even if they could not be read back."""
    if not message.tool_calls:
        return message.content
    try:
        calls = get_protocol("python").render(message.tool_calls)
    except ConfigurationError:  # a name that the syntax cannot carry; a prompt need not be read
        calls = f"[{', '.join(_odd_call(call) for call in message.tool_calls)}]"
    return f"{message.content}\n{calls}" if message.content else calls


def _odd_call(call: ToolCall) -> str:
    return f"{call.name}({', '.join(f'{key}={value!r}' for key, value in call.arguments.items())})"

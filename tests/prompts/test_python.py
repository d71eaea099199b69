from __future__ import annotations

import json

from toolrl_env.core.types import GroundTruth, Message, Task, ToolCall, ToolSpec
from toolrl_env.parsing import get_protocol
from toolrl_env.prompts.python import PYTHON_SYSTEM, python_messages

TOOLS = (ToolSpec("f", "Does ü"), ToolSpec("Get It / v2", "", {"type": "object", "x": "[1]"}))


def make_task(*messages: Message) -> Task:
    return Task("t", "made", TOOLS, messages, GroundTruth("", False, False))


def test_the_functions_are_a_json_list_at_the_end() -> None:
    (system,) = python_messages(make_task())
    assert system["role"] == "system"
    assert json.loads(system["content"].removeprefix(PYTHON_SYSTEM)) == [
        {"name": "f", "description": "Does ü", "parameters": {"type": "object"}},
        {"name": "Get It / v2", "description": "", "parameters": {"type": "object", "x": "[1]"}},
    ]


def test_earlier_calls_are_written_as_answers_must_be() -> None:
    calls = (ToolCall("f", {"a": [1, None], "b": "x"}), ToolCall("Get It / v2", {}))
    messages = python_messages(
        make_task(
            Message("user", "Hi"),
            Message("assistant", "", "hidden", calls),
            Message("tool", "[1]"),
            Message("assistant", "Done."),
            Message("assistant", "Both.", None, calls[:1]),
        )
    )
    assert [message["role"] for message in messages[1:]] == [
        "user",
        "assistant",
        "tool",
        "assistant",
        "assistant",
    ]
    action = get_protocol("python").parse(messages[2]["content"])
    assert [(call.name, call.arguments) for call in action.calls] == [
        (call.name, call.arguments) for call in calls
    ]
    assert messages[3]["content"] == "[1]"
    assert messages[4]["content"] == "Done."
    assert messages[5]["content"].startswith("Both.\n[f(")
    assert "hidden" not in json.dumps(messages)


def test_a_name_that_the_syntax_cannot_carry_is_shown_all_the_same() -> None:
    call = ToolCall("Songs of the '90s", {"n": 3})
    messages = python_messages(
        make_task(Message("user", "x"), Message("assistant", "", None, (call,)))
    )
    assert messages[2]["content"] == "[Songs of the '90s(n=3)]"


def test_the_shown_form_is_one_that_can_be_read() -> None:
    start = PYTHON_SYSTEM.index("[function_name")
    shown = PYTHON_SYSTEM[start : PYTHON_SYSTEM.index("\n", start)]
    action = get_protocol("python").parse(shown)
    assert [call.name for call in action.calls] == ["function_name", "other_function"]
    assert action.calls[0].arguments == {"parameter": "value", "other": 1}

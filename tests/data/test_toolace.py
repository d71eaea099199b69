from __future__ import annotations

import json
from typing import Any

import pytest

from toolrl_env.core.errors import DataError
from toolrl_env.core.types import ToolCall
from toolrl_env.data.toolace import ToolACE, read_functions

Rows = list[dict[str, Any]]


def with_turns(row: dict[str, Any], *turns: tuple[str, str]) -> dict[str, Any]:
    return {**row, "conversations": [{"from": who, "value": what} for who, what in turns]}


def test_a_row_becomes_one_task_per_assistant_turn(toolace_rows: Rows) -> None:
    one, two, three = ToolACE().tasks(toolace_rows[1], "toolace-1")
    assert [t.id for t in (one, two, three)] == ["toolace-1", "toolace-1-step2", "toolace-1-step3"]
    assert [t.category for t in (one, two, three)] == ["parallel", "response", "single"]
    assert [m.role for m in one.messages] == ["user"]
    assert [m.role for m in two.messages] == ["user", "assistant", "tool"]
    assert [m.role for m in three.messages] == ["user", "assistant", "tool", "assistant", "user"]
    assert one.gold.values == (
        {"name": "kelp/price.v2", "parameters": {"grade": "A"}},
        {"name": "kelp/price.v2", "parameters": {"grade": "B"}},
    )
    assert "Grade A costs 310" in two.gold.text
    assert two.gold.has_response
    assert not two.gold.has_call
    assert three.gold.values[0]["parameters"]["target"] == "Rùm"


def test_earlier_steps_are_history_with_thoughts(toolace_rows: Rows) -> None:
    three = ToolACE().tasks(toolace_rows[1], "t")[2]
    called, observed, replied = three.messages[1:4]
    assert called.tool_calls[0] == ToolCall("kelp/price.v2", {"grade": "A"})
    assert called.content == ""
    assert called.thought
    assert observed.content == toolace_rows[1]["conversations"][2]["value"]
    assert replied.content == "Grade A costs 310 a tonne and grade B 255."
    assert replied.thought != called.thought


def test_the_functions_are_read_out_of_the_system_text(toolace_rows: Rows) -> None:
    tools = read_functions(toolace_rows[0]["system"])
    assert [tool.name for tool in tools] == ["Find Ferry Crossings", "kelp/price.v2"]
    assert tools[0].parameters["required"] == ["origin", "target"]
    assert tools[1].parameters["properties"]["grade"]["enum"] == ["A", "B"]
    assert tools[0].documented is not None
    assert tools[0].documented["type"] == "dict"


def test_other_brackets_in_the_system_text_do_not_matter() -> None:
    text = 'Use [f(x)] or [1, 2] or []. Here: [{"name": "f", "parameters": {}}] and [{"a": 1}].'
    (tool,) = read_functions(text)
    assert tool.name == "f"


@pytest.mark.parametrize(
    "text",
    ["", "none", "[]", "[1]", '[{"description": "x"}]', "[[[[", '[{"name": "f", "parameters": 3}]'],
)
def test_a_system_text_without_functions_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="no JSON list of functions"):
        read_functions(text)


def test_functions_are_found_after_other_brackets() -> None:
    text = 'Answer like [f(a=1)] or [] or [1]. Tools: [ {"name": "f", "description": "F"} ]'
    assert [tool.name for tool in read_functions(text)] == ["f"]


@pytest.mark.parametrize("text", ["[" * 100_000, "[{" * 50_000, '[{"a":' * 30_000, "[ " * 50_000])
def test_hostile_system_texts_are_given_up_soon(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[int] = []

    class Counting(json.JSONDecoder):
        def raw_decode(self, s: str, idx: int = 0) -> tuple[object, int]:
            decoded.append(idx)
            return super().raw_decode(s, idx)

    monkeypatch.setattr(json, "JSONDecoder", Counting)
    with pytest.raises(DataError, match="no JSON list of functions"):
        read_functions(text)
    assert len(decoded) <= 64


@pytest.mark.parametrize(
    ("turns", "message"),
    [
        ((), "no assistant turn"),
        ((("user", "Hi"),), "no assistant turn"),
        ((("assistant", "Hi"),), "begins with the assistant"),
        ((("human", "Hi"), ("assistant", "Hi")), "turn 0 needs a 'from' of user, assistant, tool"),
        ((("user", "Hi"), ("assistant", "[f(1)]")), "turn 1: the answer cannot be read: expected"),
        ((("user", "Hi"), ("assistant", "[f(a=open('x'))]")), "turn 1: the answer cannot be read"),
        ((("user", "Hi"), ("assistant", "[f(a=1)")), "turn 1: the answer cannot be read"),
        (
            (("user", "Hi"), ("assistant", " ")),
            "turn 1: the answer cannot be read: the answer is empty",
        ),
        ((("user", "Hi"), ("assistant", "[]")), "turn 1: the answer cannot be read"),
        ((("user", "Hi"), ("assistant", "Say <tool_call>")), "the gold answer cannot be written"),
    ],
)
def test_broken_conversations_say_why(
    toolace_rows: Rows, turns: tuple[tuple[str, str], ...], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        ToolACE().tasks(with_turns(toolace_rows[0], *turns), "t")


@pytest.mark.parametrize("value", [None, "text", [3], [{"from": "user"}], [{"value": "x"}]])
def test_conversations_of_a_wrong_shape(toolace_rows: Rows, value: object) -> None:
    with pytest.raises(DataError, match=r"conversations is not a list|turn 0 needs"):
        ToolACE().tasks({**toolace_rows[0], "conversations": value}, "t")


def test_a_reply_that_speaks_of_brackets_stays_a_reply(toolace_rows: Rows) -> None:
    row = with_turns(toolace_rows[0], ("user", "Hi"), ("assistant", "[Note] I need a port."))
    (task,) = ToolACE().tasks(row, "t")
    assert task.category == "response"
    assert "[Note] I need a port." in task.gold.text

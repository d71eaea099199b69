from __future__ import annotations

from typing import Any

import pytest

from toolrl_env.core.errors import DataError, InvalidGroundTruth
from toolrl_env.core.types import Message, ToolCall
from toolrl_env.data.rlla import RLLA

Rows = list[dict[str, Any]]


def test_a_row_keeps_its_prompt_and_is_taken_apart(rlla_rows: Rows) -> None:
    row = rlla_rows[0]
    (task,) = RLLA().tasks(row, "rlla-0")
    assert (task.system, task.user) == (row["instruction"], row["input"])
    assert task.gold.text == row["output"]
    assert [tool.name for tool in task.tools] == ["water the beds", "soil.probe"]
    assert task.tools[0].description == "Opens a valve. Runs ± 5 %."
    assert task.tools[0].parameters["required"] == ["bed"]
    assert task.messages == (Message("user", "Give bed 4 a quarter of an hour."),)


def test_history_is_read(rlla_rows: Rows) -> None:
    (task,) = RLLA().tasks(rlla_rows[1], "t")
    call = ToolCall("soil.probe", {"depth": 20.0, "beds": ["a", "b"]})
    assert task.messages[1] == Message("assistant", "", "Probe it.", (call,))
    assert task.messages[2].role == "tool"
    assert task.messages[2].content.startswith('[{"name": "soil.probe"')
    assert task.category == "response"


def test_both_calls_and_a_reply(rlla_rows: Rows) -> None:
    (task,) = RLLA().tasks(rlla_rows[3], "t")
    assert (task.gold.has_call, task.gold.has_response, task.category) == (True, True, "single")


def test_a_gold_answer_whose_calls_are_not_json_is_refused(rlla_rows: Rows) -> None:
    with pytest.raises(InvalidGroundTruth):
        RLLA().tasks(rlla_rows[4], "t")


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("instruction", "No tools here.", "no numbered list of tools"),
        ("instruction", "1. Name: f\nParameters: {}", "tool 1 of the system text lacks a field"),
        ("instruction", "1. Name: f\nDescription: d\nParameters: {x", "neither JSON nor Python"),
        ("instruction", "1. Name: f\nDescription: d\nParameters: [1]", "not an object but"),
        ("instruction", 7, "instruction is not text but int"),
        ("input", "Hello", "no <user> turn"),
        ("input", "<user> Hello", "<user> is not closed"),
        ("input", "<user> a </user> b <user> c </user> d", "<user> is not closed"),
        ("output", None, "output is not text"),
        ("output", "", "output, the gold answer, is empty"),
        ("output", " \n", "output, the gold answer, is empty"),
    ],
)
def test_broken_rows_say_why(rlla_rows: Rows, column: str, value: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        RLLA().tasks({**rlla_rows[0], column: value}, "t")

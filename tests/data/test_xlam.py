from __future__ import annotations

import json
from typing import Any

import pytest

from toolrl_env.core.errors import DataError
from toolrl_env.core.types import Message
from toolrl_env.data.gold import IRRELEVANT_REPLY
from toolrl_env.data.xlam import XLAM, json_list, read_xlam

Rows = list[dict[str, Any]]


def test_a_row_becomes_a_task(xlam_rows: Rows) -> None:
    (task,) = XLAM().tasks(xlam_rows[0], "xlam-0")
    assert (task.id, task.source, task.category) == ("xlam-0", "xlam", "single")
    assert task.messages == (Message("user", xlam_rows[0]["query"]),)
    assert (task.system, task.user) == (None, None)
    assert [tool.name for tool in task.tools] == ["hive_weight", "tide_table"]
    assert task.tools[1].documented == json.loads(xlam_rows[0]["tools"])[1]["parameters"]
    schema = task.tools[1].parameters
    assert schema["required"] == ["harbour"]
    assert schema["properties"]["days"]["type"] == "integer"
    assert task.gold.values == (
        {"name": "tide_table", "parameters": {"harbour": "Oban", "days": 3}},
    )


def test_categories_follow_the_number_of_calls(xlam_rows: Rows) -> None:
    tasks = [task for row in xlam_rows for task in XLAM().tasks(row, "x")]
    assert [task.category for task in tasks] == [
        "single",
        "parallel",
        "single",
        "parallel",
        "irrelevant",
    ]


def test_a_row_without_answers_asks_for_a_reply(xlam_rows: Rows) -> None:
    (task,) = XLAM().tasks(xlam_rows[4], "x")
    assert task.gold.has_response
    assert not task.gold.has_call
    assert IRRELEVANT_REPLY in task.gold.text


def test_columns_that_are_decoded_already_are_taken(xlam_rows: Rows) -> None:
    row = {**xlam_rows[0], "tools": json.loads(xlam_rows[0]["tools"])}
    assert XLAM().tasks(row, "x") == XLAM().tasks(xlam_rows[0], "x")


def test_what_tasks_share_cannot_be_changed(xlam_rows: Rows) -> None:
    (task,) = XLAM().tasks(xlam_rows[0], "x")
    with pytest.raises(TypeError):
        task.tools[0].parameters["properties"]["hive_id"]["type"] = "integer"  # type: ignore[index]
    with pytest.raises(TypeError):
        task.tools[0].documented["hive_id"] = {}  # type: ignore[index]


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("query", 3, "query is not text but int"),
        ("answers", "{", "answers is not JSON"),
        ("answers", '{"name": "f"}', "answers is not a list but dict"),
        ("answers", "[3]", "an item that is not an object: 3"),
        ("answers", '[{"arguments": {}}]', "an answer has no name"),
        ("answers", '[{"name": "f", "arguments": []}]', "arguments of answer 'f' are not"),
        ("tools", None, "tools is not a list but NoneType"),
        ("tools", '[{"description": "d"}]', "a tool has no name"),
        ("tools", '[{"name": "f", "parameters": 1}]', "parameters of tool 'f' are not an object"),
        ("tools", "[" * 100_000, "tools is not JSON"),
    ],
)
def test_broken_rows_say_why(xlam_rows: Rows, column: str, value: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        XLAM().tasks({**xlam_rows[0], column: value}, "x")


def test_reading_leaves_the_row_alone(xlam_rows: Rows) -> None:
    before = json.dumps(xlam_rows)
    for row in xlam_rows:
        read_xlam(row)
    assert json.dumps(xlam_rows) == before
    assert json_list("[{}]", "x") == [{}]

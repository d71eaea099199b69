from __future__ import annotations

from typing import Any

import pytest

from toolrl_env.core.errors import ConfigurationError, DataError
from toolrl_env.data import gold_errors
from toolrl_env.data.api_bank import APIBank

Rows = list[dict[str, Any]]


def test_a_row_keeps_its_prompt_and_is_taken_apart(api_bank_rows: Rows) -> None:
    (task,) = APIBank(level=3).tasks(api_bank_rows[0], "a-0")
    assert (task.system, task.user) == (api_bank_rows[0]["system"], api_bank_rows[0]["user"])
    assert task.user is not None
    assert task.user.startswith("***Conversation\n")
    assert [tool.name for tool in task.tools] == ["LendUmbrella", "RingBell"]
    assert [message.content for message in task.messages] == [
        "Mrs Lund needs an umbrella.",
        "Until when?",
        "2024-03-01.",
        "Certainly.",
        "Given all that, fill in one form.",
    ]
    assert task.difficulty == 3
    assert task.metadata == {"other": {"file": "umbrella-1", "id": 0}}


def test_schemas_are_python_or_json(api_bank_rows: Rows) -> None:
    python, json_ = APIBank().tasks(api_bank_rows[0], "a")[0].tools
    assert python.parameters["required"] == ["guest", "until"]
    assert json_.parameters["properties"]["floor"]["type"] == "integer"


def test_answers_in_every_form(api_bank_rows: Rows) -> None:
    values = [APIBank().tasks(row, "a")[0].gold.values for row in api_bank_rows]
    assert values[1] == ({"name": "RingBell", "parameters": {"floor": 3}},)
    assert values[2] == ({"name": "SeatGuests", "parameters": {"names": ["Ann", "Bo"]}},)
    assert [value["parameters"]["floor"] for value in values[4]] == [1, 2]


def test_history_with_a_call_between_replies(api_bank_rows: Rows) -> None:
    (task,) = APIBank().tasks(api_bank_rows[2], "a")
    roles = [message.role for message in task.messages]
    assert roles == ["user", "assistant", "assistant", "tool", "assistant", "user"]
    assert task.messages[2].tool_calls[0].name == "RingBell"
    assert task.messages[3].content == "{'ok': True}"


def test_a_gold_tool_that_is_not_offered_loads_and_is_reported(api_bank_rows: Rows) -> None:
    (task,) = APIBank().tasks(api_bank_rows[3], "a")
    assert "no tool 'RingBell'" in gold_errors(task)[0].message


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([], "answer is an empty list"),
        (None, "lacks a name or parameters: None"),
        ("RingBell", "lacks a name or parameters"),
        ([{"name": "RingBell"}], "lacks a name or parameters"),
        ([{"parameters": {}}], "lacks a name or parameters"),
        ({"name": 3, "parameters": {}}, "lacks a name or parameters"),
        ({"name": "f", "parameters": "{'a': __import__('os')}"}, "neither JSON nor Python"),
        ({"name": "f", "parameters": "[1]"}, "not an object"),
        ({"name": "f", "parameters": "(" * 10_000}, "neither JSON nor Python"),
    ],
)
def test_broken_answers_say_why(api_bank_rows: Rows, answer: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        APIBank().tasks({**api_bank_rows[0], "answer": answer}, "a")


@pytest.mark.parametrize("level", [0, 4, "1", "one", None, True, 1.0, [1]])
def test_an_unknown_level_says_what_is_allowed(level: object) -> None:
    with pytest.raises(ConfigurationError, match=r"level=.*; allowed: an integer from 1 to 3"):
        APIBank(level=level)  # type: ignore[arg-type]


def test_levels_have_their_own_ids_and_samples() -> None:
    assert [APIBank(n).prefix for n in (1, 2)] == ["api_bank-level1", "api_bank-level2"]
    assert APIBank(3).sample_files() == ("api_bank_level3.jsonl.gz",)

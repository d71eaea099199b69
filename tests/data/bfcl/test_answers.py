from __future__ import annotations

from typing import Any

import pytest

from toolrl_env.core.types import ToolCall
from toolrl_env.data.bfcl.answers import first_answer

FUNCTION = {
    "name": "f",
    "parameters": {
        "type": "dict",
        "properties": {"a": {"type": "integer"}, "b": {"type": "string"}, "c": {"type": "dict"}},
        "required": ["a"],
    },
}


def arguments(possible: dict[str, Any], language: str = "python") -> Any:
    (call,) = first_answer([FUNCTION], [{"f": possible}], language)
    assert call.name == "f"
    return call.arguments


@pytest.mark.parametrize(
    ("possible", "expected"),
    [
        ({"a": [1, 2]}, {"a": 1}),
        ({"a": [1], "b": ["x", "y", ""]}, {"a": 1, "b": "x"}),
        ({"a": [1], "b": ["", "y"]}, {"a": 1}),
        ({"a": [1], "b": [""]}, {"a": 1}),
        ({"a": ["", 2]}, {"a": 2}),
        ({"a": [""]}, {"a": ""}),
        ({"a": [1], "unknown": ["v", ""]}, {"a": 1}),
        ({"a": [1], "unknown": ["v"]}, {"a": 1, "unknown": "v"}),
        ({"a": [0], "b": [False]}, {"a": 0, "b": False}),
        ({"a": [[1, 2], [2, 1]]}, {"a": [1, 2]}),
        ({"a": [1], "c": [{"k": ["v", "w"], "o": ["", 3]}]}, {"a": 1, "c": {"k": "v"}}),
        ({"a": [[{"k": [1, 2]}, {"k": [3]}]]}, {"a": [{"k": 1}, {"k": 3}]}),
    ],
)
def test_the_first_possible_value_of_each_argument(
    possible: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert arguments(possible) == expected


def test_several_calls_keep_their_order() -> None:
    calls = first_answer([FUNCTION], [{"f": {"a": [2]}}, {"g": {}}, {"f": {"a": [1]}}], "python")
    assert calls == (ToolCall("f", {"a": 2}), ToolCall("g", {}), ToolCall("f", {"a": 1}))


def test_other_languages_are_written_as_text() -> None:
    assert arguments({"a": [1], "b": ["v"]}, "java") == {"a": "1", "b": "v"}
    assert arguments({"a": [True]}, "javascript") == {"a": "true"}


def test_nothing_of_the_possible_answers_is_changed() -> None:
    possible = {"a": [[{"k": [1]}]]}
    arguments(possible)["a"][0]["k"] = 9
    assert possible == {"a": [[{"k": [1]}]]}

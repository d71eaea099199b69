"""Words for values, paths, schemas and violations."""

from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator

from toolrl_env.core.types import ErrorCode
from toolrl_env.tools.describe import describe_schema, describe_violation, json_path, show


@pytest.mark.parametrize(
    ("value", "text"),
    [("a", "'a'"), (1, "1"), (None, "None"), ([1, 2], "[1, 2]"), ({"a": True}, "{'a': True}")],
)
def test_small_values_are_shown_whole(value: object, text: str) -> None:
    assert show(value) == text


def test_shown_values_are_bounded() -> None:
    deep: list = []
    for _ in range(10_000):
        deep = [deep]
    for huge in ("x" * 100_000, list(range(100_000)), {str(i): "y" * 99 for i in range(999)}, deep):
        assert len(show(huge)) <= 80
    assert len(show(10**4000)) <= 80


def test_json_paths() -> None:
    assert json_path([]) == "$"
    assert json_path(["a", 0, "b_1", "c d", "ü.x"]) == '$.a[0].b_1["c d"]["\\u00fc.x"]'
    assert len(json_path(["x y" * 1000])) < 120


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string"}, "a string"),
        ({"type": "integer"}, "an integer"),
        ({"type": ["string", "null"]}, "a string or null"),
        ({"type": "array", "items": {"type": "number"}}, "an array of a number"),
        ({"anyOf": [{"type": "boolean"}, {"type": "object"}]}, "a boolean or an object"),
        ({"type": "string", "enum": ["a", "b"]}, "one of 'a', 'b'"),
        ({"enum": list(range(20))}, "one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, …"),
        ({}, "any value"),
        (None, "any value"),
        (True, "any value"),
        (
            {"type": "array", "prefixItems": [{"type": "number"}, {"type": "string"}]},
            "an array of exactly a number, a string",
        ),
    ],
)
def test_schemas_in_words(schema: object, words: str) -> None:
    assert describe_schema(schema) == words


def violations(schema: dict, value: object) -> list[tuple[ErrorCode, str | None]]:
    found = []
    for error in Draft202012Validator(schema).iter_errors(value):
        found += [(e.code, e.path) for e in describe_violation(error, 0, "f")]
    return found


def test_each_kind_of_violation_has_its_code_and_path() -> None:
    inner = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    schema = {
        "type": "object",
        "properties": {
            "a": {"type": "array", "items": inner},
            "low": {"type": "number", "minimum": 3},
            "pick": {"enum": ["x", "y"]},
            "either": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
            "ranged": {"anyOf": [{"type": "integer", "minimum": 3}, {"type": "string"}]},
        },
        "required": ["low", "gone", "lost"],
        "additionalProperties": False,
    }
    value = {
        "a": [{"n": 1}, {"n": "1"}, {}],
        "low": 1,
        "pick": "z",
        "either": None,
        "ranged": 2,
        "odd": 1,
    }
    assert sorted(violations(schema, value)) == sorted(
        [
            (ErrorCode.WRONG_TYPE, "$.a[1].n"),
            (ErrorCode.MISSING_ARGUMENT, "$.a[2].n"),
            (ErrorCode.INVALID_VALUE, "$.low"),
            (ErrorCode.INVALID_VALUE, "$.pick"),
            (ErrorCode.WRONG_TYPE, "$.either"),
            (ErrorCode.INVALID_VALUE, "$.ranged"),
            (ErrorCode.MISSING_ARGUMENT, "$.gone"),
            (ErrorCode.MISSING_ARGUMENT, "$.lost"),
            (ErrorCode.UNEXPECTED_ARGUMENT, "$.odd"),
        ]
    )

"""The quick accept, case by case; its agreement with jsonschema is a property test."""

from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator

from toolrl_env.core.frozen import freeze
from toolrl_env.tools.quick import compile_quick

FLAT = {
    "type": "object",
    "properties": {
        "s": {"type": "string", "description": "d", "default": 3},
        "i": {"type": "integer", "minimum": 0, "maximum": 9},
        "e": {"enum": ["x", 1, None]},
        "l": {"type": "array", "items": {"type": "number"}, "minItems": 1, "maxItems": 3},
    },
    "required": ["s"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("value", "accepted"),
    [
        ({"s": ""}, True),
        ({"s": "a", "i": 9, "e": None, "l": [1, 2.5]}, True),
        ({"s": "a", "e": "x"}, True),
        ({"s": "a", "e": 1}, True),
        ({}, False),
        ({"s": 1}, False),
        ({"s": "a", "i": True}, False),
        ({"s": "a", "i": -1}, False),
        ({"s": "a", "i": 10}, False),
        ({"s": "a", "e": True}, False),
        ({"s": "a", "e": "y"}, False),
        ({"s": "a", "e": []}, False),
        ({"s": "a", "l": []}, False),
        ({"s": "a", "l": [1, 2, 3, 4]}, False),
        ({"s": "a", "l": [True]}, False),
        ({"s": "a", "l": (1,)}, False),
        ({"s": "a", "z": 1}, False),
        ([], False),
        (None, False),
    ],
)
def test_a_flat_schema(value: object, accepted: bool) -> None:
    accept = compile_quick(FLAT)
    assert accept is not None
    assert accept(value) is accepted
    assert Draft202012Validator(FLAT).is_valid(value) is accepted


def test_what_is_valid_but_left_to_jsonschema() -> None:
    for schema, value in (
        ({"type": "integer"}, 3.0),
        ({"enum": [1]}, 1.0),
        ({"enum": [[1]]}, [1]),
        ({"minimum": 3}, float("nan")),
    ):
        accept = compile_quick(schema)
        assert accept is not None
        assert Draft202012Validator(schema).is_valid(value)
        assert not accept(value)


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({}, [None, 1, "a", [], {}], []),
        ({"type": ["string", "null"]}, ["a", None], [1, True]),
        ({"anyOf": [{"type": "string"}, {"type": "array"}]}, ["a", []], [1, {}]),
        ({"type": "object", "anyOf": [{"type": "array"}, {"required": ["a"]}]}, [{"a": 1}], [[]]),
        ({"type": "object"}, [{}, {"a": 1}], [[]]),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, [{"a": 1}], [{"a": "b"}]),
        ({"required": ["a"]}, [{"a": 1}, 3, []], [{}]),
        ({"type": "string", "minLength": 1, "maxLength": 2}, ["a", "ab"], ["", "abc"]),
        ({"items": {"type": "string"}}, [["a"], 3, {}], [[1]]),
        ({"type": "array", "items": {"enum": ["a"]}}, [["a", "a"], []], [["b"], {}]),
        (
            {"type": "array", "prefixItems": [{"type": "integer"}], "items": False, "minItems": 1},
            [[1]],
            [[], ["a"], [1, 2], {}],
        ),
        (
            {"type": "array", "prefixItems": [{"type": "integer"}], "items": {"type": "string"}},
            [[], [1], [1, "a"]],
            [["a"], [1, 2]],
        ),
        (
            {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "null"}}}},
            [[], [{}], [{"a": None}]],
            [[{"a": 1}], [[]]],
        ),
    ],
)
def test_structures(schema: dict, good: list, bad: list) -> None:
    validator, accept = Draft202012Validator(schema), compile_quick(schema)
    assert accept is not None
    for value in good:
        assert validator.is_valid(value)
        assert accept(value), value
    for value in bad:
        assert not validator.is_valid(value)
        assert not accept(value), value


@pytest.mark.parametrize(
    "schema",
    [
        {"pattern": "a"},
        {"$ref": "#"},
        {"not": {}},
        {"oneOf": [{}]},
        {"uniqueItems": True},
        {"type": "text"},
        {"type": []},
        {"type": ["string", "string"]},
        {"type": 3},
        {"type": [["string"]]},
        {"description": 3},
        {"enum": "abc"},
        {"anyOf": []},
        {"anyOf": {}},
        {"minItems": -1},
        {"minLength": 1.5},
        {"maxItems": True},
        {"minimum": "3"},
        {"maximum": float("nan")},
        {"properties": []},
        {"properties": {"a": 3}},
        {"required": "a"},
        {"required": ["a", "a"]},
        {"required": [1]},
        {"additionalProperties": 3},
        {"items": []},
        {"prefixItems": []},
        {"prefixItems": {}},
        False,
        [],
    ],
)
def test_what_is_not_known_is_left_to_jsonschema(schema: object) -> None:
    assert compile_quick(schema) is None  # type: ignore[arg-type]


def test_a_schema_nested_too_deeply_is_not_compiled() -> None:
    for word in ("items", "additionalProperties"):
        schema: dict = {}
        for _ in range(5_000):
            schema = {word: schema}
        assert compile_quick(schema) is None
    schema = {}
    for _ in range(5_000):
        schema = {"properties": {"a": schema}}
    assert compile_quick(schema) is None


def test_frozen_schemas_compile() -> None:
    accept = compile_quick(freeze(FLAT))
    assert accept is not None
    assert accept({"s": "a"})

"""Documented parameters to JSON Schema: rules, odd input, and every real tool."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from toolrl_env.tools import documented_to_schema
from toolrl_env.tools.quick import compile_quick


def described(kind: object, default: object = "") -> dict[str, Any]:
    return {"x": {"description": "d", "type": kind, "default": default}}


def properties(documented: dict[str, Any]) -> dict[str, Any]:
    schema = documented_to_schema(documented)
    Draft202012Validator.check_schema(schema)
    return schema["properties"]


def test_the_papers_dialect() -> None:
    schema = documented_to_schema(
        {
            "city": {"description": "Where", "type": "str", "default": ""},
            "days": {"description": "How long", "type": "int, optional", "default": ""},
            "unit": {"description": "Scale", "type": "string", "default": "C"},
        }
    )
    assert schema == {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "Where"},
            "days": {"type": "integer", "description": "How long"},
            "unit": {"type": "string", "description": "Scale", "default": "C"},
        },
        "required": ["city"],
        "additionalProperties": False,
    }


@pytest.mark.parametrize(
    ("doc", "required"),
    [
        ({"type": "int", "default": ""}, True),
        ({"type": "int"}, True),
        ({}, True),
        ({"type": "int", "default": 3}, False),
        ({"type": "int", "default": 0}, False),
        ({"type": "bool", "default": False}, False),
        ({"type": "int", "default": None}, False),
        ({"type": "int, optional", "default": ""}, False),
        ({"type": "Optional[int]", "default": ""}, False),
        ({"type": "int", "default": "", "required": False}, False),
        ({"type": "int", "default": 3, "required": True}, True),
    ],
)
def test_the_rule_of_what_is_required(doc: dict[str, Any], required: bool) -> None:
    assert documented_to_schema({"x": doc}).get("required", []) == (["x"] if required else [])


def test_raw_toolace_functions() -> None:
    schema = documented_to_schema(
        {
            "type": "dict",
            "properties": {
                "name": {"type": "string", "description": "Name", "enum": ["a", "b"]},
                "when": {
                    "type": "dict",
                    "properties": {"day": {"type": "int"}, "hour": {"type": "float"}},
                    "required": ["day"],
                },
                "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 3},
                "own": {"type": "string", "required": True},
            },
            "required": ["name", "absent"],
        }
    )
    Draft202012Validator.check_schema(schema)
    assert schema["required"] == ["name", "own"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["name"]["enum"] == ["a", "b"]
    assert schema["properties"]["when"] == {
        "type": "object",
        "properties": {"day": {"type": "integer"}, "hour": {"type": "number"}},
        "required": ["day"],
    }
    assert schema["properties"]["tags"] == {
        "type": "array",
        "items": {"type": "string"},
        "maxItems": 3,
    }


@pytest.mark.parametrize(
    "documented",
    [
        {"type": "dict", "properties": {}, "required": []},
        {"type": "object"},
        {"type": "dict", "properties": None, "required": None},
        {"properties": {}},
        {},
    ],
)
def test_tools_without_parameters(documented: dict[str, Any]) -> None:
    schema = documented_to_schema(documented)
    assert schema == {"type": "object", "properties": {}, "additionalProperties": False}


def test_a_parameter_called_type_or_properties_is_a_parameter() -> None:
    docs = {
        "type": {"description": "Kind", "type": "str", "default": ""},
        "properties": {"description": "More", "type": "list", "default": ""},
    }
    assert documented_to_schema(docs)["required"] == ["type", "properties"]
    assert properties(docs)["properties"] == {"type": "array", "description": "More"}
    assert documented_to_schema({"properties": docs["properties"]})["required"] == ["properties"]


def test_nested_fragments() -> None:
    field = properties(
        {
            "x": {
                "type": "array",
                "items": {"type": "object", "properties": {"a": {"type": "int"}}},
                "minItems": 1,
            }
        }
    )["x"]
    assert field == {
        "type": "array",
        "items": {"type": "object", "properties": {"a": {"type": "integer"}}},
        "minItems": 1,
    }
    assert properties({"x": {"type": {"type": "int"}}})["x"] == {"type": "integer"}
    assert properties({"x": {"type": ["string", "null"]}})["x"] == {"type": ["string", "null"]}
    assert properties({"x": "List[int]"})["x"] == {"type": "array", "items": {"type": "integer"}}
    assert properties({"x": {"anyOf": [{"type": "int"}, {"type": "str"}]}})["x"] == {
        "anyOf": [{"type": "integer"}, {"type": "string"}]
    }
    assert properties({"x": {"type": "list", "items": [{"type": "int"}]}})["x"] == {
        "type": "array",
        "prefixItems": [{"type": "integer"}],
    }
    assert properties({"x": {"type": "dict", "additionalProperties": {"type": "int"}}})["x"] == {
        "type": "object",
        "additionalProperties": {"type": "integer"},
    }


def test_a_default_of_none_admits_null() -> None:
    validator = Draft202012Validator(documented_to_schema(described("str", None)))
    assert validator.is_valid({"x": None})
    assert validator.is_valid({"x": "a"})
    assert not validator.is_valid({"x": 1})
    listed = {"x": {"type": "string", "enum": ["a"], "default": None}}
    assert Draft202012Validator(documented_to_schema(listed)).is_valid({"x": None})
    choice = described("Union[str, List[str]]", None)
    assert Draft202012Validator(documented_to_schema(choice)).is_valid({"x": None})


@pytest.mark.parametrize(
    ("word", "value", "kept"),
    [
        ("minimum", -3, True),
        ("maximum", 1.5, True),
        ("minLength", 2, True),
        ("minLength", -2, False),
        ("minItems", True, False),
        ("maxItems", "3", False),
        ("uniqueItems", True, True),
        ("uniqueItems", 1, False),
        ("pattern", "^a+$", True),
        ("pattern", "(", False),
        ("pattern", 3, False),
        ("format", "date", True),
        ("format", 3, False),
        ("enum", [], False),
        ("enum", "abc", False),
        ("enum", [{1, 2}], False),
        ("$ref", "#/nowhere", False),
    ],
)
def test_limits_are_kept_when_they_are_valid(word: str, value: object, kept: bool) -> None:
    assert (word in properties({"x": {"type": "any", word: value}})["x"]) is kept


@pytest.mark.parametrize(
    "documented",
    [
        None,
        [],
        "str",
        3,
        {"x": None},
        {"x": 5},
        {"x": []},
        {"x": {"type": 5}},
        {"x": {"type": []}},
        {"x": {"type": {}}},
        {"x": {"type": "int", "default": {1, 2}}},
        {"x": {"description": 7}},
        {"x": {"items": 3, "properties": [], "anyOf": {}, "required": 5}},
        {1: {"type": "int"}, "1": {"type": "str"}},
        {"type": ["object"], "properties": {"a": 1}, "required": [["a"]]},
        {"type": "dict", "properties": [1, 2]},
    ],
)
def test_odd_documentation_never_raises(documented: Any) -> None:
    Draft202012Validator.check_schema(documented_to_schema(documented))


def test_deep_documentation_ends() -> None:
    doc: dict[str, Any] = {"type": "int"}
    for _ in range(400):
        doc = {"type": "array", "items": doc}
    schema = documented_to_schema({"x": doc})
    Draft202012Validator.check_schema(schema)
    assert "nested too deeply" in json.dumps(schema)


def _rlla(shared: Path) -> Iterator[dict[str, Any]]:
    for row in json.loads((shared / "rlla_sft.json").read_text()):
        for line in row["instruction"].splitlines():
            if line.startswith("Parameters:"):
                yield json.loads(line.removeprefix("Parameters:"))


def _api_bank(shared: Path) -> Iterator[dict[str, Any]]:
    for level in (1, 2):
        path = shared / "api_bank" / f"level-{level}-api_processed.json"
        for row in json.loads(path.read_text()):
            for line in row["system"].splitlines():
                if line.startswith("Parameters:"):
                    text = line.removeprefix("Parameters:").strip()
                    try:
                        yield json.loads(text)
                    except ValueError:
                        yield ast.literal_eval(text)


@pytest.mark.shared_data
def test_every_real_tool_becomes_a_valid_schema(shared_data: Path) -> None:
    tools = [*_rlla(shared_data), *_api_bank(shared_data)]
    assert len(tools) == 1215 + 981
    unknown: list[str] = []
    for documented in tools:
        schema = documented_to_schema(documented)
        Draft202012Validator.check_schema(schema)
        assert schema["properties"].keys() == documented.keys()
        assert compile_quick(schema) is not None
        fields = schema["properties"].values()
        unknown += [field["$comment"] for field in fields if "$comment" in field]
    assert unknown == ["type not understood: 'Callable[[float], float]'"]


@pytest.mark.shared_data
def test_api_bank_parameters_are_all_required(shared_data: Path) -> None:
    for documented in _api_bank(shared_data):
        assert documented_to_schema(documented).get("required", []) == list(documented)

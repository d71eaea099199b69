"""CallValidator: what is named, what is bounded, what is cached."""

from __future__ import annotations

import json
import pickle

import pytest

from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.frozen import freeze
from toolrl_env.core.types import ErrorCode, ParsedCall, ParseIssue, ToolCall, ToolSpec
from toolrl_env.tools import CallValidator, as_parsed, documented_to_schema
from toolrl_env.tools.validation import (
    MAX_CALLS,
    MAX_DESCRIBED,
    MAX_ERRORS_PER_CALL,
    SchemaCheck,
    _schema_check,
)

WEATHER = ToolSpec(
    "get weather",
    parameters=documented_to_schema(
        {
            "city": {"description": "", "type": "str", "default": ""},
            "days": {"description": "", "type": "int, optional", "default": ""},
            "unit": {"description": "", "type": "string", "enum": ["C", "F"], "default": "C"},
        }
    ),
)
SUM = ToolSpec("sum", parameters=documented_to_schema({"terms": {"type": "List[float]"}}))
VALIDATOR = CallValidator([WEATHER, SUM])


def check(name: str, arguments: dict) -> tuple:
    (result,) = VALIDATOR.check([as_parsed(ToolCall(name, arguments))])
    assert result.ok is not bool(result.errors)
    assert not result.executed
    return result.errors


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("get weather", {"city": "Oslo"}),
        ("get weather", {"city": "", "days": 3, "unit": "F"}),
        ("get weather", {"city": "Oslo", "days": 3.0}),  # 3.0 is an integer in JSON Schema
        ("sum", {"terms": []}),
        ("sum", {"terms": [1, 2.5, -3]}),
    ],
)
def test_valid_calls(name: str, arguments: dict) -> None:
    assert check(name, arguments) == ()


@pytest.mark.parametrize(
    ("arguments", "code", "path", "parts"),
    [
        ({"city": 3}, ErrorCode.WRONG_TYPE, "$.city", ["3", "integer", "a string"]),
        ({"city": "a", "days": "3"}, ErrorCode.WRONG_TYPE, "$.days", ["'3'", "an integer"]),
        ({"city": "a", "days": True}, ErrorCode.WRONG_TYPE, "$.days", ["True", "boolean"]),
        ({"city": "a", "days": 2.5}, ErrorCode.WRONG_TYPE, "$.days", ["2.5", "an integer"]),
        ({"city": None}, ErrorCode.WRONG_TYPE, "$.city", ["None", "null", "a string"]),
        ({}, ErrorCode.MISSING_ARGUMENT, "$.city", ["equired argument", "a string"]),
        ({"city": "a", "unit": "K"}, ErrorCode.INVALID_VALUE, "$.unit", ["'K'", "'C', 'F'"]),
        ({"city": "a", "dayz": 3}, ErrorCode.UNEXPECTED_ARGUMENT, "$.dayz", ["mean 'days'?"]),
    ],
)
def test_a_violation_is_named(arguments: dict, code: ErrorCode, path: str, parts: list) -> None:
    (error,) = check("get weather", arguments)
    assert (error.code, error.path, error.call) == (code, path, 0)
    for part in parts:
        assert part in error.message
        assert part in error.for_model
    assert "get weather" in error.message


def test_several_violations_are_all_named() -> None:
    errors = check("get weather", {"days": "x", "unit": 3, "extra": 1})
    assert {error.path for error in errors} == {"$.city", "$.days", "$.unit", "$.extra"}


def test_items_of_arrays_are_named_by_index() -> None:
    (error,) = check("sum", {"terms": [1, "2", 3]})
    assert error.path == "$.terms[1]"


def test_an_unknown_tool_is_named_with_the_nearest() -> None:
    (error,) = check("get_weather", {})
    assert error.code is ErrorCode.UNKNOWN_TOOL
    assert "Did you mean 'get weather'?" in error.for_model
    assert "sum" in error.message
    (error,) = CallValidator([]).check([as_parsed(ToolCall("f", {}))])[0].errors
    assert "offered: none" in error.message


def test_calls_that_could_not_be_parsed_are_results_too() -> None:
    issue = ParseIssue(ErrorCode.BAD_JSON, "expected a comma", (3, 4))
    broken = ParsedCall("{", (0, 1), name="sum", issue=issue)
    nameless = ParsedCall("{}", (0, 2), value={})
    bare = ParsedCall("{}", (0, 2), value={"name": "sum"}, name="sum")
    good = as_parsed(ToolCall("sum", {"terms": []}))
    results = VALIDATOR.check([broken, nameless, good, bare])
    assert [result.ok for result in results] == [False, False, True, False]
    assert [result.call for result in results] == [0, 1, 2, 3]
    codes = [result.errors[0].code for result in results if not result.ok]
    assert codes == [ErrorCode.BAD_JSON, ErrorCode.MISSING_NAME, ErrorCode.MISSING_PARAMETERS]


def test_no_calls_give_no_results() -> None:
    assert VALIDATOR.check([]) == ()


def test_more_than_a_handful_of_valid_calls() -> None:
    results = VALIDATOR.check([as_parsed(ToolCall("sum", {"terms": [1]}))] * 40)
    assert [r.call for r in results] == list(range(40))
    assert all(r.ok for r in results)


def test_accepted_results_are_shared() -> None:
    call = [as_parsed(ToolCall("sum", {"terms": []}))]
    assert VALIDATOR.check(call)[0] is VALIDATOR.check(call)[0]


def test_the_first_of_two_tools_with_one_name_counts() -> None:
    first = ToolSpec("f", parameters=documented_to_schema({"a": {"type": "int"}}))
    second = ToolSpec("f", parameters=documented_to_schema({"b": {"type": "int"}}))
    validator = CallValidator([first, second])
    assert validator.check([as_parsed(ToolCall("f", {"a": 1}))])[0].ok
    assert not validator.check([as_parsed(ToolCall("f", {"b": 1}))])[0].ok


def test_a_flood_of_calls_is_bounded() -> None:
    bad = as_parsed(ToolCall("get weather", {f"k{i}": i for i in range(50)}))
    results = VALIDATOR.check([bad] * (MAX_CALLS + 500))
    assert len(results) == MAX_CALLS + 500
    assert not any(result.ok for result in results)
    assert len(results[0].errors) == MAX_ERRORS_PER_CALL
    assert len(results[MAX_DESCRIBED].errors) == 1
    assert results[-1].call == MAX_CALLS + 499
    assert results[-1].errors is results[-2].errors
    assert f"first {MAX_CALLS} of {MAX_CALLS + 500}" in results[-1].errors[0].message


def test_valid_calls_beyond_the_limit_are_refused() -> None:
    results = VALIDATOR.check([as_parsed(ToolCall("sum", {"terms": []}))] * (MAX_CALLS + 1))
    assert [result.ok for result in results[-2:]] == [True, False]


def test_a_huge_argument_gives_a_short_message() -> None:
    for value in ("x" * 60_000, [0] * 60_000, {"a" * 30_000: "b" * 30_000}):
        (error,) = check("get weather", {"city": "a", "days": value})
        assert len(error.message) < 400
    errors = check("a" * 60_000, {})
    assert len(errors[0].message) < 400


def test_deeply_nested_arguments_end() -> None:
    deep: object = 1
    for _ in range(100_000):
        deep = [deep]
    call = ParsedCall("", (0, 0), {}, "get weather", {"city": deep})
    (error, *_) = VALIDATOR.check([call])[0].errors
    assert error.code in {ErrorCode.WRONG_TYPE, ErrorCode.TOO_DEEP}
    recursive = {"type": "object", "additionalProperties": {"$ref": "#"}}
    nested: dict = {}
    for _ in range(100_000):
        nested = {"a": nested}
    call = ParsedCall("", (0, 0), {}, "tree", nested)
    (result,) = CallValidator([ToolSpec("tree", parameters=recursive)]).check([call])
    assert [error.code for error in result.errors] == [ErrorCode.TOO_DEEP]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "text"},
        {"type": "object", "required": "a"},
        {"type": "object", "properties": {"a": {"minItems": -1}}},
        {"type": "object", "properties": {"a": 3}},
        {"type": "object", "properties": {"a": {1, 2}}},
        {"description": 3},
    ],
)
def test_a_broken_schema_raises_at_construction(schema: dict) -> None:
    with pytest.raises(ConfigurationError, match="tool 'f'"):
        CallValidator([ToolSpec("f", parameters=schema)])


@pytest.mark.parametrize(
    "part", [{"$ref": "https://example.invalid/schema.json"}, {"type": "string", "pattern": "("}]
)
def test_a_schema_that_cannot_be_used_is_the_tools_fault(part: dict) -> None:
    spec = ToolSpec("f", parameters={"type": "object", "properties": {"a": part}})
    with pytest.raises(ConfigurationError, match="'f'"):
        CallValidator([spec]).check([as_parsed(ToolCall("f", {"a": "x"}))])


def test_schemas_beyond_the_quick_accept_go_to_jsonschema() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string", "pattern": "^x"}, "b": {"not": {"type": "null"}}},
    }
    validator = CallValidator([ToolSpec("f", parameters=schema)])
    assert validator.check([as_parsed(ToolCall("f", {"a": "xy", "b": 1}))])[0].ok
    errors = validator.check([as_parsed(ToolCall("f", {"a": "y", "b": None}))])[0].errors
    assert {(error.code, error.path) for error in errors} == {
        (ErrorCode.INVALID_VALUE, "$.a"),
        (ErrorCode.INVALID_VALUE, "$.b"),
    }


def test_checks_are_cached_by_content_and_never_go_stale() -> None:
    schema = documented_to_schema({"a": {"type": "int"}})
    same = json.loads(json.dumps(schema))
    assert _schema_check(schema) is _schema_check(same)
    frozen = freeze(schema)
    assert _schema_check(frozen) is _schema_check(frozen) is _schema_check(schema)
    schema["properties"]["a"]["type"] = "string"
    assert _schema_check(schema).accept({"a": "x"})
    assert not _schema_check(frozen).accept({"a": "x"})


def test_a_schema_check_explains_lazily() -> None:
    errors = SchemaCheck(WEATHER.parameters).errors({"city": 1, "days": "x"}, 4, "t")
    assert next(errors).call == 4


def test_a_validator_pickles_and_says_the_same() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    validator = CallValidator([ToolSpec("f", "", schema)])
    twin = pickle.loads(pickle.dumps(validator))
    calls = [
        ParsedCall("", (0, 0), None, name, arguments)
        for name, arguments in (("f", {"n": 1}), ("f", {"n": "1"}), ("f", {}), ("g", {}))
    ]
    assert twin.check(calls) == validator.check(calls)
    assert [result.ok for result in twin.check(calls)] == [True, False, False, False]

"""execute_calls: validate, run, bound; whose fault is whose."""

from __future__ import annotations

from typing import Any

import pytest

from toolrl_env.core.errors import InfrastructureError
from toolrl_env.core.types import ErrorCode, ParsedCall, ParseIssue, ToolCall
from toolrl_env.tools import (
    CallValidator,
    Tool,
    ToolError,
    agreement,
    as_parsed,
    execute_calls,
    results_agree,
    tool_from_function,
    values_agree,
)
from toolrl_env.tools.execution import MAX_NUMBER
from toolrl_env.tools.limits import MAX_RESULT_CHARS


def repeat(text: str, times: int = 2) -> str:
    """Repeat a text.

    Args:
        text: The text.
        times: How often.
    """
    if times < 0:
        raise ToolError("times must not be negative")
    return text * times


def echo(value: Any) -> Any:
    """Return the value.

    Args:
        value: Anything.
    """
    return value


def crash(kind: str) -> int:
    """Fail.

    Args:
        kind: How.
    """
    raise {"key": KeyError("k"), "zero": ZeroDivisionError("z")}[kind]


TOOLS = [tool_from_function(fn) for fn in (repeat, echo, crash)]


def run(name: str, **arguments: Any) -> Any:
    (result,) = execute_calls(TOOLS, [ToolCall(name, arguments)])
    return result


def test_a_valid_call_is_run() -> None:
    result = run("repeat", text="ab", times=3)
    assert (result.ok, result.executed, result.value, result.errors) == (True, True, "ababab", ())


def test_defaults_come_from_the_function() -> None:
    assert run("repeat", text="ab").value == "abab"


def test_an_invalid_call_is_not_run() -> None:
    result = run("repeat", text=3)
    assert (result.ok, result.executed) == (False, False)
    assert result.errors[0].code is ErrorCode.WRONG_TYPE


def test_a_declared_refusal_is_a_result() -> None:
    result = run("repeat", text="a", times=-1)
    assert (result.ok, result.executed, result.value) == (False, True, None)
    (error,) = result.errors
    assert error.code is ErrorCode.EXECUTION
    assert error.for_model == "Times must not be negative."


@pytest.mark.parametrize("kind", ["key", "zero"])
def test_an_undeclared_exception_is_infrastructure(kind: str) -> None:
    with pytest.raises(InfrastructureError, match="'crash' raised"):
        run("crash", kind=kind)


def test_results_keep_the_order_and_index_of_the_calls() -> None:
    issue = ParseIssue(ErrorCode.BAD_JSON, "no")
    calls = [
        as_parsed(ToolCall("echo", {"value": 1})),
        ParsedCall("{", (0, 1), issue=issue),
        ToolCall("nothing", {}),
        ToolCall("echo", {"value": 2}),
    ]
    results = execute_calls(TOOLS, calls)
    assert [r.call for r in results] == [0, 1, 2, 3]
    assert [r.ok for r in results] == [True, False, False, True]
    assert [r.value for r in results] == [1, None, None, 2]


def test_a_given_validator_is_used() -> None:
    validator = CallValidator([TOOLS[1].spec])
    results = execute_calls(TOOLS, [ToolCall("repeat", {"text": "a"})], validator)
    assert results[0].errors[0].code is ErrorCode.UNKNOWN_TOOL


def test_an_integral_float_reaches_an_integer_parameter_as_an_integer() -> None:
    assert run("repeat", text="a", times=3.0).value == "aaa"


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 10**400, -1e300, MAX_NUMBER * 2])
def test_numbers_that_no_tool_can_use_are_refused(value: float) -> None:
    for argument in (value, [value], {"a": [value]}):
        result = run("echo", value=argument)
        assert not result.ok
        assert result.errors[0].code is ErrorCode.EXECUTION
        assert "finite" in result.errors[0].for_model


def test_deeply_nested_arguments_are_refused() -> None:
    deep: list = []
    for _ in range(500):
        deep = [deep]
    assert run("echo", value=deep).errors[0].code is ErrorCode.EXECUTION


def test_a_tool_cannot_change_what_the_model_wrote() -> None:
    def clear(items: list) -> int:
        """Clear a list.

        Args:
            items: The list.
        """
        items.clear()
        return 0

    call = as_parsed(ToolCall("clear", {"items": [1, [2]]}))
    assert execute_calls([tool_from_function(clear)], [call])[0].ok
    assert call.arguments == {"items": [1, [2]]}


def test_a_result_is_a_copy_of_what_the_tool_keeps() -> None:
    kept: dict[str, Any] = {"log": [(1, 2)]}

    def everything() -> dict[str, Any]:
        """Return all that is kept."""
        return kept

    tool = tool_from_function(everything)
    (result,) = execute_calls([tool], [ToolCall("everything", {})])
    assert result.value == {"log": [[1, 2]]}
    kept["log"].append(3)
    result.value["log"].append(4)
    assert (kept, result.value) == ({"log": [(1, 2), 3]}, {"log": [[1, 2], 4]})


def test_a_big_result_is_cut_and_says_so() -> None:
    value = run("repeat", text="x" * 100, times=1000).value
    assert len(value) < MAX_RESULT_CHARS + 60
    assert value.endswith("more characters]")


@pytest.mark.parametrize("bad", [{1, 2}, object(), float("nan"), {"a": b"x"}])
def test_a_result_that_json_cannot_hold_is_infrastructure(bad: object) -> None:
    tool = Tool(TOOLS[1].spec, lambda value: bad)
    with pytest.raises(InfrastructureError, match="JSON"):
        execute_calls([tool], [ToolCall("echo", {"value": 1})])


def test_a_long_refusal_is_shortened() -> None:
    def refuse() -> None:
        """Refuse."""
        raise ToolError("x" * 100_000)

    (result,) = execute_calls([tool_from_function(refuse)], [ToolCall("refuse", {})])
    assert len(result.errors[0].message) < 500


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        (1, 1.0, True),
        (1, 1 + 1e-9, True),
        (1, 1.01, False),
        (10**15, 10**15 + 1, False),
        (10**400, 1.0, False),
        (10**400, 10**400, True),
        (0, 1e-12, True),
        (True, True, True),
        (True, 1, False),
        (1, True, False),
        ("a", "a", True),
        ("1", 1, False),
        (None, None, True),
        (None, 0, False),
        ([1, 2], [1, 2.0], True),
        ([1, 2], [2, 1], False),
        ([1], [1, 2], False),
        ({"a": [1]}, {"a": [1.0]}, True),
        ({"a": 1}, {"b": 1}, False),
        ({}, [], False),
    ],
)
def test_values_agree(one: object, two: object, same: bool) -> None:
    assert values_agree(one, two) is same
    assert values_agree(two, one) is same


def test_agreement_counts_each_result_once_in_any_order() -> None:
    def results(*values: object) -> tuple:
        return execute_calls(TOOLS, [ToolCall("echo", {"value": v}) for v in values])

    assert results_agree([1, "a"], results("a", 1))
    assert agreement([1, 1], results(1, 2)) == 0.5
    assert agreement([1], results(1, 2)) == 0.5
    assert agreement([1, 2], results(2)) == 0.5
    assert agreement([1], ()) == 0.0
    assert agreement([], results(1)) == 0.0
    assert results_agree([], ())
    assert not results_agree([1], execute_calls(TOOLS, [ToolCall("nothing", {})]))


def test_a_call_that_was_only_validated_agrees_with_nothing() -> None:
    checked = CallValidator([TOOLS[1].spec]).check([as_parsed(ToolCall("echo", {"value": None}))])
    assert checked[0].ok
    assert not results_agree([None], checked)

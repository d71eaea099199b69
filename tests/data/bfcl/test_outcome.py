from __future__ import annotations

import time
from typing import Any

import pytest

from toolrl_env.core.types import ToolCall
from toolrl_env.data.bfcl.outcome import Outcome, check_answer, check_calls, language_of
from toolrl_env.parsing import get_protocol

AREA = {
    "name": "area",
    "parameters": {
        "type": "dict",
        "properties": {"side": {"type": "integer"}, "unit": {"type": "string"}},
        "required": ["side"],
    },
}
ANSWER = [{"area": {"side": [3], "unit": ["m", "metre", ""]}}]


def answer(*calls: ToolCall | str, response: str | None = None) -> Any:
    if calls and isinstance(calls[0], str):
        return get_protocol("toolrl").parse(calls[0])
    return get_protocol("toolrl").parse(
        get_protocol("toolrl").render(calls, think="t", response=response)  # type: ignore[arg-type]
    )


def verdict(*calls: ToolCall | str, category: str = "simple_python") -> Outcome:
    return check_answer(category, (AREA,), tuple(ANSWER), answer(*calls))


def test_every_possible_answer_is_right() -> None:
    for arguments in ({"side": 3}, {"side": 3, "unit": "m"}, {"side": 3, "unit": "METRE"}):
        assert verdict(ToolCall("area", arguments)) == (True, "")


@pytest.mark.parametrize(
    ("calls", "reason"),
    [
        ([ToolCall("area", {"side": 4})], "value_error"),
        ([ToolCall("area", {"side": "3"})], "type_error"),
        ([ToolCall("area", {})], "missing_required"),
        ([ToolCall("area", {"side": 3, "x": 1})], "unexpected_param"),
        ([ToolCall("volume", {"side": 3})], "wrong_func_name"),
        ([ToolCall("area", {"side": 3})] * 2, "wrong_count"),
        (["<think> t </think>\n<response> no </response>"], "no call that can be decoded"),
        (["<think> t </think>\n<tool_call>\n{broken\n</tool_call>"], "no call that can be"),
        (['<tool_call>\n{"name": "area"}\n</tool_call>'], "no call that can be decoded"),
        ([""], "no call that can be decoded"),
    ],
)
def test_anything_else_is_wrong_for_a_reason(calls: list[Any], reason: str) -> None:
    ok, said = verdict(*calls)
    assert not ok
    assert reason in said


def test_parallel_calls_may_come_in_any_order() -> None:
    possible = [{"area": {"side": [3]}}, {"area": {"side": [4]}}]
    calls = [ToolCall("area", {"side": 4}), ToolCall("area", {"side": 3})]
    assert check_calls("parallel", (AREA,), possible, calls).ok
    assert not check_calls("parallel", (AREA,), possible, calls[:1]).ok
    assert not check_calls("parallel", (AREA,), possible, [calls[0]] * 2).ok


@pytest.mark.parametrize("category", ["irrelevance", "live_irrelevance"])
def test_irrelevance_asks_for_no_call(category: str) -> None:
    assert verdict("just words", category=category) == (True, "")
    assert verdict("<tool_call>\nbroken\n</tool_call>", category=category).ok
    ok, reason = verdict(ToolCall("area", {"side": 3}), category=category)
    assert not ok
    assert reason


def test_relevance_asks_for_any_call() -> None:
    assert verdict(ToolCall("anything", {}), category="live_relevance").ok
    assert not verdict("just words", category="live_relevance").ok
    assert not verdict("<tool_call>\nbroken\n</tool_call>", category="live_relevance").ok


def test_languages() -> None:
    assert language_of("simple_java") == "java"
    assert language_of("simple_javascript") == "javascript"
    assert language_of("live_multiple") == "python"


FUNCTIONS: dict[str, dict[str, Any]] = {
    "simple_java": {"type": "HashMap"},
    "simple_javascript": {"type": "array", "items": {"type": "integer"}},
}


def one(category: str, value: Any) -> Outcome:
    document = {"properties": {"v": FUNCTIONS[category]}, "required": ["v"]}
    function = {"name": "f", "parameters": document}
    return check_calls(category, [function], [{"f": {"v": [[1]]}}], [ToolCall("f", {"v": value})])


@pytest.mark.parametrize("category", FUNCTIONS)
@pytest.mark.parametrize(
    "text",
    [
        "[[" + "],[" * 60 + "x",
        "[[" + "a" * 300 + "],[" * 5,
        "{" + "a,b:" * 120 + "}",
        "new HashMap<>(){" + " " * 400,
        "new HashMap<>(){" + "        a" * 50,
        "new HashMap<>() {{" + 'put("a",' * 9 + "x" * 300,
        "new ArrayList<>(Arrays.asList(" + "a," * 4_000,
        "[" * 10_000,
    ],
    ids=range(8),
)
def test_no_text_keeps_the_official_regular_expressions_busy(category: str, text: str) -> None:
    start = time.process_time()
    assert not one(category, text).ok
    assert time.process_time() - start < 20  # unguarded, the first takes longer than the universe


@pytest.mark.parametrize("category", FUNCTIONS)
@pytest.mark.parametrize("value", [1, None, True, [1], {"a": 1}, 1.5, "", "[1", {"a": [{}]}])
def test_odd_values_are_wrong_and_not_an_exception(category: str, value: Any) -> None:
    ok, reason = one(category, value)
    assert not ok
    assert reason


@pytest.mark.parametrize("value", [[1], [{"k": 1}, 2], [[]], {}, "x", None, [{"k": {}}]])
def test_the_checkers_own_exceptions_are_wrong_answers(value: Any) -> None:
    items = {"type": "array", "items": {"type": "dict"}}
    function = {"name": "f", "parameters": {"properties": {"v": items}, "required": ["v"]}}
    possible = [{"f": {"v": [[{"k": [1]}, {"k": [2]}]]}}]
    assert not check_calls("simple_python", [function], possible, [ToolCall("f", {"v": value})]).ok

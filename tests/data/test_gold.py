from __future__ import annotations

import pytest

from toolrl_env.core.errors import DataError
from toolrl_env.core.types import ToolCall
from toolrl_env.data.gold import category_of, make_gold, thought_for
from toolrl_env.parsing import get_protocol


def test_a_gold_answer_has_the_layout_that_it_asks_for() -> None:
    protocol = get_protocol("toolrl")
    call = ToolCall("f g", {"a": [1, {"b": None}], "é": "ü"})
    for calls, response in (((call,), None), ((), "Hello."), ((call, call), "Both.")):
        gold = make_gold(calls, response, "Because.")
        assert (gold.has_call, gold.has_response) == (bool(calls), response is not None)
        action = protocol.parse(gold.text)
        assert protocol.layout_ok(action, gold.has_call, gold.has_response)
        assert action.think == "Because."
        assert action.response == response
        expected = [{"name": "f g", "parameters": call.arguments}] * len(calls)
        assert list(gold.values) == expected


@pytest.mark.parametrize(
    ("calls", "response"),
    [
        ((), "see <tool_call>"),
        ((ToolCall("f", {}),), "use <tool_call> tags </tool_call>"),
        ((), "two </response> ends"),
        ((ToolCall("f", {"x": {1, 2}}),), None),
    ],
)
def test_what_could_not_be_read_back_is_refused(
    calls: tuple[ToolCall, ...], response: str | None
) -> None:
    with pytest.raises(DataError):
        make_gold(calls, response, "Because.")


def test_tags_inside_a_value_survive() -> None:
    values = {"x": "<response>", "y": "</tool_call> <think>"}
    gold = make_gold((ToolCall("f", values),), None, "Because.")
    assert not gold.has_response
    assert gold.values[0]["parameters"] == values


def test_thoughts_are_short_and_depend_on_the_case_alone() -> None:
    cases = [
        thought_for(1),
        thought_for(2),
        thought_for(0),
        thought_for(0, after_tool=True),
        thought_for(0, irrelevant=True),
    ]
    assert len(set(cases)) == 5
    assert all(len(thought) < 90 and "<" not in thought for thought in cases)
    assert thought_for(2) == thought_for(10)


def test_categories() -> None:
    assert [category_of(n) for n in (0, 1, 2, 10)] == ["response", "single", "parallel", "parallel"]

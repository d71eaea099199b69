"""CallValidator is total, agrees with jsonschema, and is pure."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from toolrl_env.core.types import ToolCall, ToolSpec
from toolrl_env.tools import CallValidator, as_parsed, documented_to_schema, values_agree

TOOLS = [
    ToolSpec(
        "f",
        parameters=documented_to_schema(
            {
                "a": {"type": "int"},
                "b": {"type": "List[str], optional"},
                "c": {"type": "Union[int, List[float]]", "default": None},
                "d": {"type": "str", "enum": ["x", "y"], "default": "x"},
            }
        ),
    ),
    ToolSpec("g", parameters={"properties": {"a": {"pattern": "^x"}}, "minProperties": 1}),
]
VALIDATOR = CallValidator(TOOLS)
REFERENCE = {tool.name: Draft202012Validator(tool.parameters) for tool in TOOLS}

scalars = (
    st.none() | st.booleans() | st.integers(-2, 2) | st.floats() | st.sampled_from(["x", "y", "xy"])
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
arguments = st.dictionaries(st.sampled_from("abcde"), values, max_size=4)
calls = st.lists(st.tuples(st.sampled_from(["f", "g", "h", ""]), arguments), max_size=20)


@settings(max_examples=80, deadline=None)
@given(calls)
def test_the_verdict_is_jsonschemas(found: list[tuple[str, dict[str, Any]]]) -> None:
    parsed = [as_parsed(ToolCall(name, args)) for name, args in found]
    results = VALIDATOR.check(parsed)
    assert [result.call for result in results] == list(range(len(found)))
    for (name, args), result in zip(found, results, strict=True):
        expected = name in REFERENCE and REFERENCE[name].is_valid(args)
        assert result.ok is expected
        assert bool(result.errors) is not expected
        for error in result.errors:
            assert error.call == result.call
            assert error.message
            assert error.for_model
            assert len(error.message) < 2_000
    assert VALIDATOR.check(parsed) == results


@settings(max_examples=80, deadline=None)
@given(values)
def test_a_value_without_nan_agrees_with_itself(value: Any) -> None:
    if "nan" not in repr(value):
        assert values_agree(value, value)


@settings(max_examples=80, deadline=None)
@given(values, values)
def test_agreement_of_values_is_symmetric(one: Any, two: Any) -> None:
    assert values_agree(one, two) is values_agree(two, one)

"""The toolbox's functions: known values, refusals, and no surprise on any valid argument."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from toolrl_env.core.errors import UnknownName
from toolrl_env.core.types import ErrorCode, ToolCall
from toolrl_env.tools import CallValidator, execute_calls
from toolrl_env.tools.quick import compile_quick
from toolrl_env.tools.suites.toolbox import FIELDS, TOOLBOX, get_tool

TOOLS = list(TOOLBOX.values())
VALIDATOR = CallValidator([tool.spec for tool in TOOLS])


def call(name: str, **arguments: Any) -> Any:
    return execute_calls(TOOLS, [ToolCall(name, arguments)], VALIDATOR)[0]


KNOWN: list[tuple[str, dict[str, Any], Any]] = [
    ("percent_of", {"rate": 15, "amount": 80}, 12),
    ("percent_of", {"rate": 2.5, "amount": 33}, 0.825),
    ("percent_change", {"old": 80, "new": 100}, 25),
    ("percent_change", {"old": -10, "new": -5}, 50),
    ("gcd", {"a": 84, "b": 36}, 12),
    ("prime_factors", {"number": 360}, [2, 2, 2, 3, 3, 5]),
    ("prime_factors", {"number": 999_999_937}, [999_999_937]),
    ("roman_numeral", {"number": 1994}, "MCMXCIV"),
    ("roman_numeral", {"number": 3999}, "MMMCMXCIX"),
    ("to_base", {"number": 255, "base": 16}, "ff"),
    ("to_base", {"number": 0, "base": 2}, "0"),
    ("mean", {"numbers": [1, 2, 6]}, 3),
    ("median", {"numbers": [5, 1, 4, 2]}, 3),
    ("spread", {"numbers": [5, 1.5]}, 3.5),
    ("std_dev", {"numbers": [2, 4, 4, 4, 5, 5, 7, 9]}, 2),
    ("std_dev", {"numbers": [1, 3], "sample": True}, 1.4142),
    ("split_bill", {"total": 100, "people": 3}, 33.33),
    ("split_bill", {"total": 100, "people": 4, "tip_percent": 10}, 27.5),
    ("convert_currency", {"amount": 12.5, "rate": 1.2}, 15),
    ("compound_interest", {"principal": 1000, "rate": 5, "years": 2}, 1102.5),
    ("discounted", {"price": 80, "percent": 25}, 60),
    ("days_between", {"start": "2024-02-28", "end": "2024-03-01"}, 2),
    ("days_between", {"start": "2024-03-01", "end": "2024-02-28"}, -2),
    ("add_days", {"date": "2023-12-30", "days": 3}, "2024-01-02"),
    ("add_days", {"date": "2024-03-01", "days": -1}, "2024-02-29"),
    ("weekday", {"date": "2000-01-01"}, "Saturday"),
    ("is_leap_year", {"year": 1900}, False),
    ("is_leap_year", {"year": 2000}, True),
    ("add_minutes", {"time": "23:50", "minutes": 20}, "00:10"),
    ("add_minutes", {"time": "00:05", "minutes": -10}, "23:55"),
    ("convert_time", {"time": "09:00", "from_offset": 5.5, "to_offset": -5}, "22:30"),
    ("count_words", {"text": " one  two\nthree "}, 3),
    ("count_letter", {"text": "Banana", "letter": "A"}, 3),
    ("reverse_text", {"text": "abc"}, "cba"),
    ("change_case", {"text": "one Two", "style": "upper"}, "ONE TWO"),
    ("change_case", {"text": "one Two", "style": "lower"}, "one two"),
    ("change_case", {"text": "one Two", "style": "title"}, "One Two"),
    ("change_case", {"text": "one Two", "style": "snake"}, "one_two"),
    ("caesar_cipher", {"text": "Xyz, abc!", "shift": 3}, "Abc, def!"),
    ("caesar_cipher", {"text": "abc", "shift": -1}, "zab"),
    ("checksum", {"text": "123456789"}, "cbf43926"),
    ("luhn_check", {"digits": "79927398713"}, True),
    ("luhn_check", {"digits": "79927398710"}, False),
    ("sort_items", {"items": ["b", "A", "c"]}, ["A", "b", "c"]),
    ("sort_items", {"items": ["b", "a"], "order": "descending"}, ["b", "a"]),
    ("common_items", {"first": ["a", "b", "a"], "second": ["a", "c"]}, ["a"]),
    ("remove_duplicates", {"items": ["a", "b", "a"]}, ["a", "b"]),
    ("longest_item", {"items": ["a", "bcd", "efg"]}, "bcd"),
    ("longest_item", {"items": []}, ""),
    ("convert_length", {"value": 1, "from_unit": "miles", "to_unit": "kilometres"}, 1.6093),
    ("convert_mass", {"value": 2, "from_unit": "kilograms", "to_unit": "grams"}, 2000),
    ("convert_volume", {"value": 1, "from_unit": "gallons", "to_unit": "litres"}, 3.7854),
    ("convert_temperature", {"value": 100, "from_unit": "celsius", "to_unit": "fahrenheit"}, 212),
    ("convert_temperature", {"value": 0, "from_unit": "kelvin", "to_unit": "celsius"}, -273.15),
    ("travel_time", {"distance": 150, "speed": 60}, 2.5),
    ("circle_area", {"radius": 2}, 12.5664),
    ("rectangle_area", {"width": 2.5, "height": 4}, 10),
    ("box_volume", {"width": 2, "height": 3, "depth": 4}, 24),
    ("hypotenuse", {"a": 3, "b": 4}, 5),
    ("point_distance", {"start": [0, 0], "end": [3, 4]}, 5),
    ("planet_fact", {"planet": "Mars", "fact": "moons"}, 2),
    ("element_symbol", {"element": "Gold"}, "Au"),
    ("element_symbol", {"element": "uranium"}, "U"),
    ("morse_code", {"text": "SOS 5"}, "... --- ... / ....."),
    ("spell_out", {"word": "az"}, "Alfa Zulu"),
    ("hex_to_rgb", {"colour": "#ff8800"}, [255, 136, 0]),
    ("mix_colours", {"first": "#000000", "second": "ffffff"}, "#7f7f7f"),
]


@pytest.mark.parametrize(("name", "arguments", "value"), KNOWN)
def test_known_values(name: str, arguments: dict[str, Any], value: Any) -> None:
    result = call(name, **arguments)
    assert result.errors == ()
    assert result.value == value
    assert type(result.value) is type(value)


def test_every_tool_has_a_known_value() -> None:
    assert {name for name, _, _ in KNOWN} == set(TOOLBOX)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("percent_change", {"old": 0, "new": 3}),
        ("std_dev", {"numbers": [1], "sample": True}),
        ("days_between", {"start": "2024-02-30", "end": "2024-03-01"}),
        ("weekday", {"date": "tomorrow"}),
        ("add_days", {"date": "9999-12-31", "days": 1}),
        ("add_minutes", {"time": "24:00", "minutes": 1}),
        ("add_minutes", {"time": "12:60", "minutes": 1}),
        ("add_minutes", {"time": "noon", "minutes": 1}),
        ("add_minutes", {"time": "1²:00", "minutes": 1}),
        ("luhn_check", {"digits": "12a4"}),
        ("convert_temperature", {"value": -1, "from_unit": "kelvin", "to_unit": "celsius"}),
        ("travel_time", {"distance": 3, "speed": 0}),
        ("element_symbol", {"element": "kryptonite"}),
        ("hex_to_rgb", {"colour": "#ff88zz"}),
        ("hex_to_rgb", {"colour": "#ff888"}),
    ],
)
def test_declared_refusals(name: str, arguments: dict[str, Any]) -> None:
    result = call(name, **arguments)
    assert result.executed
    assert [error.code for error in result.errors] == [ErrorCode.EXECUTION]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("prime_factors", {"number": 10**15}),
        ("roman_numeral", {"number": 0}),
        ("to_base", {"number": 5, "base": 1}),
        ("mean", {"numbers": []}),
        ("mean", {"numbers": [1] * 201}),
        ("compound_interest", {"principal": 1, "rate": 1, "years": 10**6}),
        ("reverse_text", {"text": "x" * 2001}),
        ("change_case", {"text": "a", "style": "sponge"}),
        ("count_letter", {"text": "a", "letter": "ab"}),
        ("point_distance", {"start": [1, 2, 3], "end": [1, 2]}),
    ],
)
def test_limits_are_in_the_schema(name: str, arguments: dict[str, Any]) -> None:
    result = call(name, **arguments)
    assert not result.executed
    assert result.errors


def test_fields_and_names() -> None:
    assert sum(map(len, FIELDS.values())) == len(TOOLBOX) == 47
    assert get_tool("gcd").name == "gcd"
    with pytest.raises(UnknownName, match="Did you mean 'gcd'"):
        get_tool("gdc")


@pytest.mark.parametrize("name", TOOLBOX)
def test_every_schema_is_valid_and_quick(name: str) -> None:
    schema = TOOLBOX[name].spec.parameters
    Draft202012Validator.check_schema(schema)
    assert compile_quick(schema) is not None


def strategy(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that ``schema`` admits."""
    if "enum" in schema:
        return st.sampled_from(list(schema["enum"]))
    kind = schema["type"]
    if kind == "boolean":
        return st.booleans()
    if kind == "integer":
        return st.integers(schema.get("minimum"), schema.get("maximum"))
    if kind == "number":
        low, high = schema.get("minimum"), schema.get("maximum")
        return st.floats(low, high) | st.integers(int(low), int(high))
    if kind == "array" and "prefixItems" in schema:
        return st.tuples(*(strategy(part) for part in schema["prefixItems"])).map(list)
    if kind == "array":
        low = schema.get("minItems", 0)
        return st.lists(strategy(schema["items"]), min_size=low, max_size=min(8, low + 8))
    low, high = schema.get("minLength", 0), min(schema.get("maxLength", 20), 60)
    plain = st.text(string.ascii_letters + string.digits + " -:#", min_size=low, max_size=high)
    return plain | st.text(min_size=low, max_size=high)


@pytest.mark.parametrize("name", TOOLBOX)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_no_valid_argument_surprises_a_tool(name: str, data: st.DataObject) -> None:
    """Anything but a value or a ``ToolError`` would raise ``InfrastructureError`` here."""
    schema = TOOLBOX[name].spec.parameters
    arguments = {
        key: data.draw(strategy(part))
        for key, part in schema["properties"].items()
        if key in schema["required"] or data.draw(st.booleans())
    }
    first, second = call(name, **arguments), call(name, **arguments)
    assert first.executed
    assert first == second

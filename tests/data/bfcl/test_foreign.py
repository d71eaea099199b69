from __future__ import annotations

import importlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolrl_env.data.bfcl.foreign import write_java, write_javascript

WORDS = st.text("abcXYZ09_", min_size=1, max_size=6)
NUMBERS = st.integers(-(10**6), 10**6)
FLOATS = st.integers(-1000, 1000).map(lambda n: n / 4)


def java(text: str, kind: str, inner: str | None = None) -> Any:
    """Read as the official checker does."""
    name = "bfcl_eval.eval_checker.ast_eval.type_convertor.java_type_converter"
    return importlib.import_module(name).java_type_converter(text, kind, inner)


def javascript(text: str, kind: str, inner: str | None = None) -> Any:
    name = "bfcl_eval.eval_checker.ast_eval.type_convertor.js_type_converter"
    return importlib.import_module(name).js_type_converter(text, kind, inner)


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (True, "boolean", "true"),
        (3, "integer", "3"),
        (3, "long", "3L"),
        (0.5, "float", "0.5f"),
        (0.5, "double", "0.5"),
        ("variable", "ArrayList", "variable"),
        ("text", "String", "text"),
    ],
)
def test_java_scalars(value: Any, kind: str, text: str) -> None:
    assert write_java(value, {"type": kind}) == text
    assert java(text, kind) == value


@given(st.lists(NUMBERS, min_size=1, max_size=4), st.sampled_from(["Array", "ArrayList"]))
def test_java_lists_of_numbers_are_read_back(values: list[int], kind: str) -> None:
    for inner in ("integer", "long"):
        text = write_java(values, {"type": kind, "items": {"type": inner}})
        assert java(text, kind, inner) == values


@given(st.lists(WORDS, min_size=1, max_size=4), st.sampled_from(["Array", "ArrayList"]))
def test_java_lists_of_strings_are_read_back(values: list[str], kind: str) -> None:
    text = write_java(values, {"type": kind, "items": {"type": "String"}})
    assert java(text, kind, "String") == values


@given(st.dictionaries(WORDS, WORDS | NUMBERS | st.booleans(), max_size=3))
def test_java_maps_are_read_back(value: dict[str, Any]) -> None:
    assert java(write_java(value, {"type": "HashMap"}), "HashMap") == value


def test_empty_java_collections() -> None:
    assert java(write_java([], {"type": "ArrayList"}), "ArrayList") == []
    assert java(write_java([], {"type": "Array"}), "Array") == []
    assert java(write_java({}, {"type": "HashMap"}), "HashMap") == {}


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (False, "Boolean", "false"),
        (4.0, "float", "4.0"),
        (7, "integer", "7"),
        (7, "Bigint", "7n"),
        ("name", "any", "name"),
    ],
)
def test_javascript_scalars(value: Any, kind: str, text: str) -> None:
    assert write_javascript(value, {"type": kind}) == text
    assert javascript(text, kind) == value


@given(st.lists(WORDS, max_size=4))
def test_javascript_lists_of_strings_are_read_back(values: list[str]) -> None:
    text = write_javascript(values, {"type": "array", "items": {"type": "String"}})
    assert javascript(text, "array", "String") == values


@given(st.lists(FLOATS, min_size=1, max_size=4))
def test_javascript_lists_of_numbers_are_read_back(values: list[float]) -> None:
    text = write_javascript(values, {"type": "array", "items": {"type": "float"}})
    assert javascript(text, "array", "float") == values


@given(st.dictionaries(WORDS, NUMBERS | st.booleans(), max_size=3))
def test_javascript_objects_are_read_back(value: dict[str, Any]) -> None:
    assert javascript(write_javascript(value, {"type": "dict"}), "dict") == value

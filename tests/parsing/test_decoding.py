from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolrl_env.core.types import ErrorCode
from toolrl_env.parsing.decoding import MAX_DEPTH, NestedTooDeep, decode_json, explain, read_name

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=20,
)


def failure(text: str) -> ValueError:
    try:
        decode_json(text)
    except ValueError as error:
        return error
    raise AssertionError(f"{text!r} was decoded")


@given(json_values)
def test_it_reads_what_json_reads(value: object):
    text = json.dumps(value)
    assert decode_json(text) == json.loads(text)
    assert decode_json(f" \t{text}\r\n ") == json.loads(text)


@given(st.text() | st.text(alphabet='{}[]",:1e-.\\ntrue \ufeff\x0b'))
def test_it_refuses_what_json_refuses(text: str):
    try:
        expected = json.loads(text)
    except ValueError:
        assert isinstance(failure(text), ValueError)
    else:
        assert json.dumps(decode_json(text)) == json.dumps(expected)


def test_oddities_are_those_of_json():
    assert decode_json('{"a": 1, "a": 2}') == {"a": 2}
    assert decode_json("1e400") == math.inf
    assert math.isnan(decode_json("NaN"))
    assert decode_json('"\\ud800"') == "\ud800"
    assert decode_json('"\x7f\ud800"') == "\x7f\ud800"
    with pytest.raises(ValueError, match="Invalid control character"):
        decode_json('"\x00"')


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


def test_the_limit_on_nesting_is_exact():
    decode_json(nested(MAX_DEPTH))
    decode_json('{"a":' * MAX_DEPTH + "1" + "}" * MAX_DEPTH)
    for text in (nested(MAX_DEPTH + 1), "[" * 10_000, nested(100_000), '{"a":' * 10_000):
        with pytest.raises(NestedTooDeep):
            decode_json(text)


def test_the_limit_does_not_depend_on_the_callers_stack():
    def deeper(frames: int) -> object:
        return deeper(frames - 1) if frames else decode_json(nested(MAX_DEPTH))

    assert deeper(500) == decode_json(nested(MAX_DEPTH))


def test_brackets_in_strings_and_side_by_side_are_not_depth():
    inside = json.dumps("[" * 5_000 + '"' + "{" * 5_000)
    assert decode_json(inside) == "[" * 5_000 + '"' + "{" * 5_000
    assert len(decode_json("[" + ",".join(["[]"] * 5_000) + "]")) == 5_000


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("[" * 1_000, ErrorCode.TOO_DEEP, "200 levels"),
        ('{"a" 1}', ErrorCode.BAD_JSON, "character 6"),
        ("9" * 5_000, ErrorCode.BAD_JSON, "digits"),
        ("", ErrorCode.BAD_JSON, "character 1"),
    ],
)
def test_failures_are_explained(text: str, code: ErrorCode, words: str):
    found, message = explain(failure(text))
    assert found is code
    assert words in message


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ('{"name": "f", "parameters": {', "f"),
        ('{"name" :"a\\"b"', 'a"b'),
        ("{'name': 'f'}", None),
        ('{"name": "f', None),
        ('{"name": "\\x"}', None),
        ("", None),
    ],
)
def test_the_name_is_saved_from_broken_json(raw: str, name: str | None):
    assert read_name(raw) == name

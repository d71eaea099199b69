from __future__ import annotations

import pickle

import pytest

from toolrl_env.core.errors import DataError, InvalidGroundTruth
from toolrl_env.parsing import parse_ground_truth

TWO = (
    "<think> a </think>\n<tool_call>\n"
    '{"name": "f", "parameters": {"x": [1]}}\n{"name": "g", "parameters": {}}\n'
    "</tool_call>\n<response> ok </response>"
)


def test_calls_and_parts_are_read():
    gold = parse_ground_truth(TWO)
    assert gold.text == TWO
    assert gold.has_call
    assert gold.has_response
    assert [value["name"] for value in gold.values] == ["f", "g"]


def test_without_calls_there_are_no_values():
    gold = parse_ground_truth("<think> a </think>\n<response> ok </response>")
    assert (gold.has_call, gold.has_response, gold.values) == (False, True, ())
    assert not parse_ground_truth("anything").has_response


def test_it_is_cached_and_cannot_be_changed():
    gold = parse_ground_truth(TWO)
    assert parse_ground_truth(TWO) is gold
    with pytest.raises(TypeError):
        gold.values[0]["name"] = "other"
    with pytest.raises(TypeError):
        gold.values[0]["parameters"]["x"].append(2)
    assert pickle.loads(pickle.dumps(gold)) == gold


def test_the_first_tag_counts_even_in_the_thought():
    text = '<think> I use <tool_call> now </think>\n<tool_call>\n{"name": "f"}\n</tool_call>'
    with pytest.raises(InvalidGroundTruth, match="line 1"):
        parse_ground_truth(text)


def test_an_unclosed_block_runs_to_the_end():
    assert parse_ground_truth('<tool_call> {"name": "f"} ').values == ({"name": "f"},)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<tool_call>\nnot json\n</tool_call>", "line 1 .* not JSON.*'not json'"),
        ('<tool_call>\n{"name": "f"}\n{]\n</tool_call>', "line 2"),
        ("<tool_call></tool_call>", "line 1"),
        ("<tool_call>" + "[" * 10_000, "200 levels"),
        (None, "string, not NoneType"),
    ],
)
def test_a_broken_gold_answer_is_refused_with_the_reason(text: object, words: str):
    with pytest.raises(InvalidGroundTruth, match=words) as raised:
        parse_ground_truth(text)  # type: ignore[arg-type]
    assert isinstance(raised.value, DataError)
    assert isinstance(raised.value, ValueError)
    assert len(str(raised.value)) < 500

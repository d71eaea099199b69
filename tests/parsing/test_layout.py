from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from toolrl_env.parsing.layout import call_block, describe_layout, matches_layout

CALL = "<think> a </think>\n<tool_call>\n{}\n</tool_call>"
RESPONSE = "<think> a </think>\n<response> b </response>"
BOTH = CALL + "\n<response> b </response>"
THINK = "<think> a </think>"

_THINK = "^<think>.*?</think>"
_PATTERNS = {
    (True, False): _THINK + "\n<tool_call>\n.*?\n</tool_call>$",
    (False, True): _THINK + "\n<response>.*?</response>$",
    (True, True): _THINK + "\n<tool_call>\n.*?\n</tool_call>\n<response>.*?</response>$",
    (False, False): _THINK + "$",
}

pieces = st.sampled_from(
    [
        "<think>",
        "</think>",
        "<tool_call>",
        "</tool_call>",
        "<response>",
        "</response>",
        "\n",
        "\n\n",
        " ",
        "a",
        "<",
        "tool_call>",
        "<think",
        "</think>\n<tool_call>\n",
        "\n</tool_call>",
        "</think>\n<response>",
    ]
)
mutated = st.tuples(
    st.sampled_from([CALL, RESPONSE, BOTH, THINK]),
    st.integers(0, 80),
    st.integers(0, 3),
    st.lists(pieces, max_size=3),
).map(lambda m: m[0][: m[1]] + "".join(m[3]) + m[0][m[1] + m[2] :])
texts = st.lists(pieces, max_size=12).map("".join) | mutated


def by_regular_expression(text: str, has_call: bool, has_response: bool) -> bool:
    tags = ["tool_call>"] * has_call + ["response>"] * has_response
    once = all(text.count("<" + tag) == text.count("</" + tag) == 1 for tag in tags)
    return once and re.search(_PATTERNS[has_call, has_response], text, re.DOTALL) is not None


@given(texts, st.booleans(), st.booleans())
@example("<think></think>", False, False)
@example("<think></think>\n", False, False)
@example("<think></think>\n\n", False, False)
@example("<think>", False, False)
@example("<think></think", False, False)
@example("<think>x</think>\n<tool_call>\n</tool_call>", True, False)
@example("<think>x</think>\n<tool_call>\n\n</tool_call>\n", True, False)
@example("<think>x</think>y</think>\n<tool_call>\n\n</tool_call>", True, False)
@example("<think>\n<tool_call>\n\n</tool_call>", True, False)
@example("<think>x</think>\n<response></response>", False, True)
@example("<think>x</think>\n<response></response></response>", False, True)
@example("<think></response></think>\n<response></response>", False, True)
def test_it_is_the_regular_expression(text: str, has_call: bool, has_response: bool):
    expected = by_regular_expression(text, has_call, has_response)
    assert matches_layout(text, has_call, has_response) is expected


@pytest.mark.parametrize(
    ("text", "has_call", "has_response"),
    [(CALL, True, False), (RESPONSE, False, True), (BOTH, True, True), (THINK, False, False)],
)
def test_each_layout_is_right_for_its_own_parts_alone(
    text: str, has_call: bool, has_response: bool
):
    for parts in _PATTERNS:
        assert matches_layout(text, *parts) is (parts == (has_call, has_response))
    assert matches_layout(text + "\n", has_call, has_response)
    assert not matches_layout(text + "\n\n", has_call, has_response)
    assert not matches_layout(" " + text, has_call, has_response)
    assert not matches_layout(text + " ", has_call, has_response)


def test_think_tags_are_not_counted():
    assert matches_layout(CALL.replace(" a ", " a </think> <think> b "), True, False)


def test_a_doubled_tag_is_wrong_even_inside_the_thought():
    assert not matches_layout(CALL.replace(" a ", " <tool_call> "), True, False)
    assert not matches_layout(CALL.replace(" a ", " </tool_call> "), True, False)
    assert matches_layout(CALL.replace(" a ", " <response> "), True, False)


@given(texts)
def test_the_call_block_is_what_splitting_gives(text: str):
    block = call_block(text)
    parts = text.split("<tool_call>")
    if len(parts) == 1:
        assert block is None
    else:
        assert block is not None
        assert text[slice(*block)] == parts[1].split("</tool_call>")[0]


def test_the_layout_is_described_part_by_part():
    assert describe_layout(False, False) == "<think> … </think>"
    text = describe_layout(True, True)
    assert text.index("<think>") < text.index("<tool_call>") < text.index("<response>")

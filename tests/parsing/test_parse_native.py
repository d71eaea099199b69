from __future__ import annotations

import pytest

from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.types import ErrorCode, ParseStatus, ToolCall
from toolrl_env.parsing import get_protocol, parse_ground_truth

NATIVE = get_protocol("native")
CALL = '<tool_call>\n{"name": "f", "arguments": {"x": 1}}\n</tool_call>'


def test_calls_are_normalised():
    action = NATIVE.parse(CALL + "\n" + CALL.replace('"f"', '"g"'))
    assert action.status is ParseStatus.CALLS
    assert action.values == (
        {"name": "f", "parameters": {"x": 1}},
        {"name": "g", "parameters": {"x": 1}},
    )
    assert [call.name for call in action.calls] == ["f", "g"]
    assert all(action.text[slice(*call.span)] == call.raw for call in action.calls)
    assert (action.think, action.response, action.issues) == (None, None, ())


def test_thought_and_text_around_the_calls():
    action = NATIVE.parse(f"\n<think>\nhm\n</think>\n\nI look it up.\n{CALL}\nDone.")
    assert action.think == "hm"
    assert action.response == "I look it up.\nDone."


def test_plain_text_is_a_response():
    action = NATIVE.parse("It is sunny.")
    assert (action.status, action.response, action.values) == (
        ParseStatus.NO_CALLS,
        "It is sunny.",
        None,
    )


def test_the_block_may_stand_on_one_line():
    assert NATIVE.parse(CALL.replace("\n", "")).status is ParseStatus.CALLS


@pytest.mark.parametrize(
    ("block", "code", "value"),
    [
        ('{"name": "f", "parameters": {}}', ErrorCode.MISSING_PARAMETERS, {"name": "f"}),
        (
            '{"name": "f", "arguments": "{}"}',
            ErrorCode.BAD_PARAMETERS,
            {"name": "f", "parameters": "{}"},
        ),
        ('{"arguments": {}}', ErrorCode.MISSING_NAME, {"parameters": {}}),
        ("[1]", ErrorCode.NOT_AN_OBJECT, [1]),
    ],
)
def test_json_that_is_no_call_keeps_a_value(block, code, value):
    action = NATIVE.parse(f"<tool_call>{block}</tool_call>")
    assert action.status is ParseStatus.CALLS
    assert action.values == (value,)
    assert [issue.code for issue in action.issues] == [code]


@pytest.mark.parametrize(
    ("text", "code", "name"),
    [
        ('<tool_call>{"name": "f", </tool_call>', ErrorCode.BAD_JSON, "f"),
        ("<tool_call></tool_call>", ErrorCode.BAD_JSON, None),
        ("<tool_call>" + "[" * 10_000 + "</tool_call>", ErrorCode.TOO_DEEP, None),
        ('<tool_call>{"name": "f", "arguments": {}}', ErrorCode.MISSING_TAG, "f"),
    ],
)
def test_what_cannot_be_decoded_spoils_the_values(text, code, name):
    action = NATIVE.parse(CALL + text)
    assert (action.status, action.values) == (ParseStatus.MALFORMED, None)
    assert [issue.code for issue in action.issues] == [code]
    assert [call.name for call in action.calls] == ["f", name]


def test_stray_and_unclosed_tags():
    stray = NATIVE.parse("text </tool_call>")
    assert [issue.code for issue in stray.issues] == [ErrorCode.MISSING_TAG]
    unclosed = NATIVE.parse("<think> on and on")
    assert unclosed.think is None
    assert unclosed.response == "<think> on and on"
    assert [issue.code for issue in unclosed.issues] == [ErrorCode.MISSING_TAG]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (CALL, (True, False)),
        (f"<think> a </think>{CALL}", (True, False)),
        (f"{CALL} ok", (True, True)),
        ("ok", (False, True)),
        ("<think> a </think>", (False, False)),
    ],
)
def test_the_layout_is_right_for_its_parts_alone(text, parts):
    action = NATIVE.parse(text)
    for has_call in (False, True):
        for has_response in (False, True):
            right = NATIVE.layout_ok(action, has_call, has_response)
            assert right is ((has_call, has_response) == parts)


@pytest.mark.parametrize("text", ["", "<think> a", CALL + "</tool_call>", CALL[:-3]])
def test_no_layout_is_right_for_broken_tags(text):
    action = NATIVE.parse(text)
    assert not any(NATIVE.layout_ok(action, a, b) for a in (True, False) for b in (True, False))


def test_gold_is_rewritten():
    gold = parse_ground_truth(
        "<think> a </think>\n<tool_call>\n"
        '{"name": "f", "parameters": {"x": 1}}\n</tool_call>\n<response> ok </response>'
    )
    text = NATIVE.render_gold(gold)
    assert text == f"<think> a </think>\n{CALL}\nok"
    assert NATIVE.parse(text).values == gold.values


def test_gold_without_calls():
    gold = parse_ground_truth("<think> a </think>\n<response> Which city? </response>")
    assert NATIVE.render_gold(gold) == "<think> a </think>\nWhich city?"


def test_a_gold_call_that_is_none_cannot_be_written():
    gold = parse_ground_truth('<tool_call>{"name": "f"}</tool_call>')
    with pytest.raises(ConfigurationError, match="cannot write the call"):
        NATIVE.render_gold(gold)


@pytest.mark.parametrize("response", ["<tool_call>", "a </tool_call>"])
def test_a_response_with_tags_cannot_be_written(response):
    with pytest.raises(ConfigurationError):
        NATIVE.render([ToolCall("f", {})], response=response)
    with pytest.raises(ConfigurationError, match="thought"):
        NATIVE.render([], think="a</think>b", response="c")

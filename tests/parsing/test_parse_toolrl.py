from __future__ import annotations

import pytest

from toolrl_env.core.errors import ConfigurationError, UnknownName
from toolrl_env.core.types import ErrorCode, ParseStatus, ToolCall
from toolrl_env.parsing import PROTOCOLS, get_protocol, parse_ground_truth

TOOLRL = get_protocol("toolrl")
LINE = '{"name": "f", "parameters": {"x": 1}}'
GOOD = f"<think> a </think>\n<tool_call>\n{LINE}\n</tool_call>"


def codes(text: str) -> list[ErrorCode]:
    return [issue.code for issue in TOOLRL.parse(text).issues]


def test_the_protocols_are_three_and_a_wrong_name_is_refused():
    assert set(PROTOCOLS) == {"toolrl", "native", "python"}
    with pytest.raises(UnknownName, match="Did you mean 'native'"):
        get_protocol("nativ")
    with pytest.raises(UnknownName, match="toolrl"):
        get_protocol(["toolrl"])


def test_a_flawless_answer_is_read_whole():
    action = TOOLRL.parse(GOOD)
    assert (action.status, action.think, action.response) == (ParseStatus.CALLS, "a", None)
    assert action.values == ({"name": "f", "parameters": {"x": 1}},)
    assert action.issues == ()
    (call,) = action.calls
    assert (call.raw, call.name, call.arguments, call.issue) == (LINE, "f", {"x": 1}, None)
    assert action.text[slice(*call.span)] == LINE


def test_call_and_response_together():
    action = TOOLRL.parse(GOOD + "\n<response> yes </response>")
    assert (action.status, action.response) == (ParseStatus.CALLS, "yes")
    assert action.issues == ()


def test_response_alone_and_thought_alone():
    action = TOOLRL.parse("<think> a </think>\n<response> yes </response>")
    assert (action.status, action.response, action.values) == (ParseStatus.NO_CALLS, "yes", None)
    alone = TOOLRL.parse("<think> a </think>")
    assert (alone.status, alone.think, alone.response) == (ParseStatus.NO_CALLS, "a", None)
    assert action.issues == alone.issues == ()


def test_several_calls_have_their_spans():
    lines = [LINE, ' {"name": "g", "parameters": {}} ', LINE]
    text = GOOD.replace(LINE, "\n".join(["", *lines, ""]))
    action = TOOLRL.parse(text)
    assert [call.name for call in action.calls] == ["f", "g", "f"]
    assert all(text[slice(*call.span)] == call.raw for call in action.calls)
    assert action.issues == ()


@pytest.mark.parametrize(
    ("line", "code", "words", "name"),
    [
        ('{"name": "f", "arguments": {}}', ErrorCode.MISSING_PARAMETERS, "rename", "f"),
        ('{"name": "f"}', ErrorCode.MISSING_PARAMETERS, 'no "parameters"', "f"),
        ('{"name": "f", "parameters": "{}"}', ErrorCode.BAD_PARAMETERS, "a string", "f"),
        ('{"name": "f", "parameters": null}', ErrorCode.BAD_PARAMETERS, "null", "f"),
        ('{"parameters": {}}', ErrorCode.MISSING_NAME, 'no "name"', None),
        ('{"name": 3, "parameters": {}}', ErrorCode.BAD_NAME, "a number", None),
        ('{"name": true, "parameters": {}}', ErrorCode.BAD_NAME, "a boolean", None),
        ("[1]", ErrorCode.NOT_AN_OBJECT, "an array", None),
        ('"x"', ErrorCode.NOT_AN_OBJECT, "a string", None),
        ("null", ErrorCode.NOT_AN_OBJECT, "null", None),
        ("1.5", ErrorCode.NOT_AN_OBJECT, "a number", None),
    ],
)
def test_a_line_that_is_json_but_no_call_keeps_its_value(line, code, words, name):
    action = TOOLRL.parse(GOOD.replace(LINE, line))
    assert action.status is ParseStatus.CALLS
    assert action.values is not None
    (issue,) = action.issues
    assert issue.code is code
    assert words in issue.message
    assert action.text[slice(*issue.span)] == line
    assert action.calls[0].name == name
    assert action.calls[0].arguments is None


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('{"name": "f", "parameters": {"x": 1}},', ErrorCode.BAD_JSON),
        ('{"name": "f", "parameters": {"x": ' + "9" * 5_000 + "}}", ErrorCode.BAD_JSON),
        ('{"name": "f", "parameters": {"x": ' + "[" * 1_000 + "}}", ErrorCode.TOO_DEEP),
        ('{"name": "f",', ErrorCode.BAD_JSON),
        ("", ErrorCode.BAD_JSON),
        ("f(x=1)", ErrorCode.BAD_JSON),
    ],
)
def test_one_undecodable_line_spoils_the_values_but_not_the_rest(line, code):
    action = TOOLRL.parse(GOOD.replace(LINE, f"{LINE}\n{line}\n{LINE}"))
    assert (action.status, action.values) == (ParseStatus.MALFORMED, None)
    assert [call.name for call in action.calls][::2] == ["f", "f"]
    assert action.calls[1].raw == line
    assert action.calls[1].value is None
    assert [issue.code for issue in action.issues] == [code]


def test_the_name_survives_a_broken_line():
    action = TOOLRL.parse(GOOD.replace("}}", "}"))
    assert action.calls[0].name == "f"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GOOD.replace("</tool_call>", ""), [ErrorCode.MISSING_TAG]),
        (GOOD.replace("<tool_call>", ""), [ErrorCode.MISSING_TAG]),
        (GOOD.replace("<think> a </think>\n", ""), [ErrorCode.MISSING_THINK]),
        (GOOD.replace("</think>", ""), [ErrorCode.MISSING_TAG]),
        (GOOD + GOOD, [ErrorCode.DUPLICATE_TAG] * 2),
        (GOOD.replace("\n<tool", " <tool"), [ErrorCode.BAD_LAYOUT]),
        (GOOD + " and more", [ErrorCode.BAD_LAYOUT]),
        ("Sure.", [ErrorCode.MISSING_THINK]),
        ("<think> a </think>\nSure.", [ErrorCode.BAD_LAYOUT]),
        ("<think> a </think>\n<response> b", [ErrorCode.MISSING_TAG]),
        ("", [ErrorCode.EMPTY]),
        (" \n\t", [ErrorCode.EMPTY]),
    ],
)
def test_what_is_wrong_with_the_layout_is_said(text, expected):
    assert codes(text) == expected


def test_status_of_odd_blocks():
    assert TOOLRL.parse(GOOD.replace("</tool_call>", "")).status is ParseStatus.MALFORMED
    assert TOOLRL.parse(GOOD.replace("<tool_call>", "")).status is ParseStatus.NO_CALLS
    assert TOOLRL.parse(" ").status is ParseStatus.EMPTY


def test_a_closing_tag_before_the_opening_one_still_yields_values_as_in_the_paper():
    action = TOOLRL.parse(f"</tool_call> <tool_call> {LINE}")
    assert action.values == ({"name": "f", "parameters": {"x": 1}},)
    assert action.issues


def test_text_over_the_limit_is_cut_and_malformed():
    text = GOOD + " " * 100
    action = TOOLRL.parse(text, max_chars=len(GOOD) + 1)
    assert (action.status, action.values) == (ParseStatus.TOO_LONG, None)
    assert action.text == text[: len(GOOD) + 1]
    assert action.issues[0].code is ErrorCode.TOO_LONG
    assert action.issues[0].span == (len(GOOD) + 1, len(text))
    assert not TOOLRL.layout_ok(action, True, False)
    assert TOOLRL.parse(GOOD, max_chars=len(GOOD)).status is ParseStatus.CALLS
    assert TOOLRL.parse("a" * 65_537).status is ParseStatus.TOO_LONG


def test_the_layout_verdict_depends_on_what_is_asked():
    action = TOOLRL.parse(GOOD)
    assert TOOLRL.layout_ok(action, True, False)
    assert not TOOLRL.layout_ok(action, True, True)
    assert not TOOLRL.layout_ok(action, False, False)
    odd = TOOLRL.parse(GOOD.replace('"parameters"', '"arguments"'))
    assert TOOLRL.layout_ok(odd, True, False)


def test_rendering_escapes_tags_and_is_read_back():
    call = ToolCall("a b/c", {"x": "</tool_call>\n<think>", "é": [None, 1.5, {"k": "\ud800"}]})
    text = TOOLRL.render([call], think=" hm\n", response="done")
    action = TOOLRL.parse(text)
    assert action.values == ({"name": "a b/c", "parameters": dict(call.arguments)},)
    assert (action.think, action.response, action.issues) == ("hm", "done", ())
    assert text.count("</tool_call>") == 1
    assert "é" in text


@pytest.mark.parametrize(
    ("calls", "parts", "words"),
    [
        ([{"name": "f", "arguments": {}}], {}, "'parameters'"),
        ([{"name": 1, "parameters": {}}], {}, "'name'"),
        ([ToolCall("f", {"x": object()})], {}, "JSON"),
        ([ToolCall("f", {"x": {1, 2}})], {}, "JSON"),
        ([], {"think": "a </think> b"}, "thought"),
        ([], {"think": "a", "response": "b </response> c"}, "response"),
    ],
)
def test_what_cannot_be_carried_is_refused(calls, parts, words):
    with pytest.raises(ConfigurationError, match=words):
        TOOLRL.render(calls, **parts)


def test_gold_is_rendered_as_it_stands():
    gold = parse_ground_truth(GOOD + "   odd ending")
    assert TOOLRL.render_gold(gold) == gold.text

"""Parsing is total, lossless and linear; the short way says the same as the long one."""

from __future__ import annotations

import json
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolrl_env.core.types import ErrorCode, ParsedAction, ParseStatus
from toolrl_env.parsing import MAX_CHARS, PROTOCOLS, AnswerProtocol
from toolrl_env.parsing.glance import decode_block, glance
from toolrl_env.parsing.layout import matches_layout

pieces = st.sampled_from(
    [
        "<think>",
        "</think>",
        "<tool_call>",
        "</tool_call>",
        "<response>",
        "</response>",
        "\n",
        "</think>\n<tool_call>\n",
        "\n</tool_call>",
        "\n<response>",
        '{"name": "f", "parameters": {"x": 1}}',
        '{"name": "f", "arguments": {"x": 1}}',
        '{"name": "f"',
        "[f(x=1)]",
        "[a b(x='",
        "**{",
        "[",
        "(",
        ")",
        ", ",
        "=",
        "null",
        "\\",
        "'",
        '"',
        "\x00",
        "\ud800",
        "\x0b",
        "\u2028",
        "\ufeff",
        "🙂",
        " ",
    ]
)
answers = st.lists(pieces, max_size=14).map("".join) | st.text(max_size=60)
protocols = st.sampled_from(sorted(PROTOCOLS)).map(PROTOCOLS.__getitem__)


def check(action: ParsedAction, text: str, protocol: AnswerProtocol) -> None:
    assert action.protocol == protocol.name
    assert (action.status is ParseStatus.CALLS) is (action.values is not None)
    if action.values is not None:
        assert list(action.values) == [call.value for call in action.calls]
    if action.status in (ParseStatus.MALFORMED, ParseStatus.EMPTY, ParseStatus.TOO_LONG):
        assert action.issues
    for call in action.calls:
        assert action.text[slice(*call.span)] == call.raw
        assert (call.issue is None) is (call.name is not None and call.arguments is not None)
    for issue in action.issues:
        assert issue.message
        if issue.span is not None:
            assert 0 <= issue.span[0] <= issue.span[1] <= len(text)


@given(answers, protocols)
@settings(max_examples=400)
def test_any_text_is_read_without_loss(text: str, protocol: AnswerProtocol):
    action = protocol.parse(text)
    assert action.text == text
    check(action, text, protocol)
    for has_call in (False, True):
        for has_response in (False, True):
            assert protocol.layout_ok(action, has_call, has_response) in (False, True)


@given(answers, st.integers(1, 30), protocols)
def test_a_cut_text_is_read_as_far_as_the_limit(text: str, limit: int, protocol: AnswerProtocol):
    action = protocol.parse(text, max_chars=limit)
    check(action, text, protocol)
    assert action.text == text[:limit]
    if len(text) > limit:
        assert action.status is ParseStatus.TOO_LONG
        assert action.issues[0].code is ErrorCode.TOO_LONG
        assert not any(
            protocol.layout_ok(action, call, response)
            for call in (False, True)
            for response in (False, True)
        )


@given(answers, st.booleans(), st.booleans())
@settings(max_examples=400)
def test_the_short_way_agrees_with_the_long_one(text: str, has_call: bool, has_response: bool):
    protocol = PROTOCOLS["toolrl"]
    action = protocol.parse(text)
    right, block = glance(text, has_call, has_response)
    assert right is matches_layout(text, has_call, has_response)
    assert right is protocol.layout_ok(action, has_call, has_response)
    if has_call:
        values = None if block is None else decode_block(block)
        assert json.dumps(values) == json.dumps(action.values)
    else:
        assert block is None


HOSTILE = {
    "brackets": "[" * 10_000,
    "a million brackets": "[" * 1_000_000,
    "objects": '<tool_call>\n{"name": "f", "parameters": ' + '{"a":' * 10_000 + "\n</tool_call>",
    "a million calls": "<tool_call>\n" + '{"name":"f","parameters":{}}\n' * 1_000_000,
    "a million python calls": "[" + "f(a=1)," * 1_000_000 + "]",
    "a million native calls": '<tool_call>{"name":"f","arguments":{}}</tool_call>' * 1_000_000,
    "opening tags": "<tool_call>" * 6_000,
    "thoughts": "<think>" * 9_000,
    "angle brackets": "<think>" + "<" * 60_000,
    "nulls": "\x00" * 60_000,
    "backslashes": "[f(a='" + "\\" * 60_000,
    "quotes": "[f(a=" + '"' * 60_000,
    "spaces in a name": "[f" + " " * 60_000,
    "spaces in a key": "[f(a" + " a" * 30_000,
    "closing lines": "<think></think>\n<tool_call>\n" + "\n</tool_call>" * 5_000,
    "digits": '<tool_call>\n{"name": "f", "parameters": {"a": ' + "9" * 60_000 + "}}\n</tool_call>",
    "unicode escapes": "[f(a='" + "\\ud800" * 10_000 + "')]",
}


@pytest.mark.parametrize("kind", sorted(HOSTILE))
@pytest.mark.parametrize("name", sorted(PROTOCOLS))
def test_hostile_text_is_read_in_bounded_memory(name: str, kind: str):
    protocol, text = PROTOCOLS[name], HOSTILE[kind]
    tracemalloc.start()
    try:
        action = protocol.parse(text)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    check(action, text, protocol)
    assert len(action.text) <= MAX_CHARS
    assert peak < 64 * 2**20

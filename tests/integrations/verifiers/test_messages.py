"""Answers as the chat API has them, and its messages as ours."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.integrations.verifiers.messages import assistant_message, sendable, shown_messages
from toolrl_env.parsing import get_protocol

NATIVE = get_protocol("native")
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).filter(
    lambda name: "<" not in name and name.strip() == name
)
CALLS = st.lists(
    st.builds(
        lambda name, value: {"name": name, "parameters": {"x": value}},
        NAMES,
        st.one_of(st.integers(), st.booleans(), st.none(), st.lists(st.integers())),
    ),
    min_size=1,
    max_size=3,
)


@given(CALLS)
def test_calls_become_tool_calls_and_come_back_as_they_were_written(calls):
    text = NATIVE.render(calls, think="Hm.")
    message = assistant_message(text, 3, offered=True)
    functions = [call["function"] for call in message["tool_calls"]]
    assert [f["name"] for f in functions] == [call["name"] for call in calls]
    assert [json.loads(f["arguments"]) for f in functions] == [c["parameters"] for c in calls]
    assert message["content"] == "<think> Hm. </think>"
    first = message["tool_calls"][0]["id"]
    assert shown_messages([message], {first: text}) == [{"role": "assistant", "content": text}]
    (unknown,) = shown_messages([message], {})
    again = NATIVE.parse(unknown["content"])
    assert [call.name for call in again.calls] == [call["name"] for call in calls]


@given(st.text())
def test_any_answer_can_be_sent_and_text_stays_text(text):
    message = assistant_message(sendable(text), 0, offered=False)
    assert message == {"role": "assistant", "content": sendable(text)}
    json.dumps(message).encode()
    assistant_message(sendable(text), 0, offered=True)


@pytest.mark.parametrize(
    "text",
    ["hello", "<tool_call>\n{\n</tool_call>", '<tool_call>{"name": "f"', "", "</tool_call>"],
)
def test_what_has_no_readable_calls_stays_text(text):
    assert assistant_message(text, 0, offered=True) == {"role": "assistant", "content": text}


def test_calls_without_offered_tools_stay_text():
    text = NATIVE.render([{"name": "f", "parameters": {}}])
    assert "tool_calls" not in assistant_message(text, 0, offered=False)


def test_arguments_that_are_no_object_are_sent_as_they_are():
    text = '<tool_call>{"name": "f", "arguments": [1]}</tool_call>'
    (call,) = assistant_message(text, 0, offered=True)["tool_calls"]
    assert call == {
        "id": "call_0_0",
        "type": "function",
        "function": {"name": "f", "arguments": "[1]"},
    }


def test_lone_surrogates_become_question_marks():
    assert sendable("a\ud800b\x00") == "a?b\x00"


def test_results_carry_their_tools_names_and_parts_become_text():
    sent = [
        {"role": "system", "content": None},
        {"role": "user", "content": [{"type": "text", "text": "See"}, {"type": "image_url"}]},
        {
            "role": "assistant",
            "content": "Let me see.",
            "tool_calls": [{"id": "x", "function": {"name": "f", "arguments": ""}}],
        },
        {"role": "tool", "tool_call_id": "x", "content": "1"},
        {"role": "tool", "tool_call_id": "y", "name": "g", "content": "2"},
    ]
    assert shown_messages(sent, {}) == [
        {"role": "system", "content": ""},
        {"role": "user", "content": "See\n[image_url]"},
        {
            "role": "assistant",
            "content": 'Let me see.\n<tool_call>\n{"name": "f", "arguments": {}}\n</tool_call>',
        },
        {"role": "tool", "name": "f", "content": "1"},
        {"role": "tool", "name": "g", "content": "2"},
    ]

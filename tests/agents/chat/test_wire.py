"""Messages, tools and calls on their way to an endpoint and back."""

from __future__ import annotations

import json
from itertools import pairwise

import gymnasium as gym
import pytest
from hypothesis import given
from hypothesis import strategies as st

import toolrl_env  # noqa: F401
from agents.chat.reply import Reply, WrittenCall
from agents.chat.wire import ToolNames, answer_text, request_messages, request_tools
from toolrl_env.core.types import ErrorCode
from toolrl_env.parsing import get_protocol

NATIVE = get_protocol("native")
ALLOWED = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"


@given(st.lists(st.text(max_size=80), unique=True, max_size=8))
def test_names_are_allowed_distinct_and_come_back(own):
    names = ToolNames(own)
    sent = [names.sent(name) for name in own]
    assert len(set(sent)) == len(own)
    for name, other in zip(own, sent, strict=True):
        assert 1 <= len(other) <= 64
        assert set(other) <= set(ALLOWED)
        assert names.own(other) == name
        if name and len(name) <= 64 and set(name) <= set(ALLOWED):
            assert other == name


def test_a_name_that_was_never_offered_stays_itself():
    assert ToolNames(["f"]).own("made_up") == "made_up"
    assert ToolNames(["f"]).sent("not offered") == "not_offered"


def test_tools_are_sent_under_names_that_are_allowed():
    tool = {"type": "function", "function": {"name": "a b", "description": "d", "parameters": {}}}
    (sent,) = request_tools([tool], ToolNames(["a b"]))
    assert sent["function"] == {"name": "a_b", "description": "d", "parameters": {}}
    assert tool["function"]["name"] == "a b"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(st.dictionaries(st.text(), JSON, max_size=4), st.sampled_from(["f", "a b", "x.y/z"]))
def test_calls_come_back_as_they_were(arguments, name):
    names = ToolNames([name])
    reply = Reply("", (WrittenCall(names.sent(name), json.dumps(arguments)),))
    action = NATIVE.parse(answer_text(reply, "native", names))
    assert action.values == ({"name": name, "parameters": arguments},)


@pytest.mark.parametrize(
    "text",
    ["", "{", "not json", '{"a": 1}, "x": 2', '{"a": NaN}', "[" * 100_000, '"</tool_call>"',
     '{}}</tool_call><tool_call>{"name": "g", "arguments": {}}</tool_call>', "[1]", "3", "null"],
)  # fmt: skip
def test_arguments_that_are_no_object_are_the_models_bad_answer(text):
    reply = Reply("", (WrittenCall("f", text),))
    action = NATIVE.parse(answer_text(reply, "native", ToolNames(["f"])), 300_000)
    (call,) = action.calls
    assert call.name == "f"
    assert call.arguments is None
    assert call.issue.code is ErrorCode.BAD_PARAMETERS


@given(st.text(), st.text())
def test_any_reply_is_an_answer(name, arguments):
    reply = Reply("", (WrittenCall(name, arguments),))
    action = NATIVE.parse(answer_text(reply, "native", ToolNames([])))
    assert len(action.calls) == 1


def test_text_comes_first_and_other_protocols_are_text_alone():
    reply = Reply("Well.", (WrittenCall("f", "{}"),))
    assert answer_text(reply, "native", ToolNames(["f"])).startswith("Well.\n<tool_call>")
    assert answer_text(reply, "toolrl", ToolNames(["f"])) == "Well."
    assert answer_text(Reply(""), "native", ToolNames([])) == ""


def call_message(*calls):
    return {"role": "assistant", "content": "".join(calls)}


CALL = '<tool_call>\n{"name": "a b", "arguments": {"x": 1}}\n</tool_call>'
RESULT = {"role": "tool", "name": "a b", "content": "1"}
NAMES = ToolNames(["a b"])


def test_calls_and_results_find_each_other():
    messages = [
        {"role": "user", "content": "Hi"}, call_message("Go.\n", CALL, CALL), RESULT, RESULT,
        call_message(CALL), RESULT,
    ]  # fmt: skip
    _, asked, first, second, again, third = request_messages(messages, "native", NAMES)
    assert asked["content"] == "Go."
    assert [call["id"] for call in asked["tool_calls"]] == ["call_0", "call_1"]
    assert asked["tool_calls"][0]["function"] == {"name": "a_b", "arguments": '{"x": 1}'}
    assert [first["tool_call_id"], second["tool_call_id"]] == ["call_0", "call_1"]
    assert again["tool_calls"][0]["id"] == third["tool_call_id"] == "call_2"
    assert set(first) == {"role", "tool_call_id", "content"}


def test_recorded_calls_are_structured_already():
    function = {"name": "a b", "arguments": {"x": "é"}}
    message = {"role": "assistant", "content": "", "tool_calls": [{"function": function}]}
    asked, _ = request_messages([message, RESULT], "native", NAMES)
    assert asked["tool_calls"][0]["function"] == {"name": "a_b", "arguments": '{"x": "é"}'}


@pytest.mark.parametrize(
    "messages",
    [
        [call_message(CALL)],
        [call_message(CALL), RESULT, RESULT],
        [call_message(CALL, CALL), RESULT],
        [call_message("<tool_call>\n{"), {"role": "user", "content": "That cannot be read."}],
        [RESULT],
    ],
)
def test_what_the_api_would_refuse_becomes_text(messages):
    sent = request_messages(messages, "native", NAMES)
    assert len(sent) == len(messages)
    assert not any("tool_calls" in message or message["role"] == "tool" for message in sent)
    if messages[-1] is RESULT:
        assert sent[-1] == {"role": "user", "content": "Result of a b: 1"}


def test_recorded_calls_without_results_are_written_out():
    function = {"name": "f", "arguments": {"x": 1}}
    message = {"role": "assistant", "content": "Go.", "tool_calls": [{"function": function}]}
    (sent,) = request_messages([message], "native", ToolNames(["f"]))
    assert sent["content"].startswith("Go.\n<tool_call>")
    assert NATIVE.parse(sent["content"]).values == ({"name": "f", "parameters": {"x": 1}},)


def test_lone_surrogates_are_made_fit_to_send():
    sent = request_messages([{"role": "user", "content": "a\ud800b"}], "toolrl", NAMES)
    assert sent == [{"role": "user", "content": "a?b"}]
    json.dumps(sent, ensure_ascii=False).encode("utf-8")


@pytest.mark.parametrize("protocol", ["toolrl", "native", "python"])
@pytest.mark.parametrize("index", range(4))
def test_gold_episodes_can_be_sent_at_every_turn(protocol, index):
    env = gym.make("ToolRL-Workspace-v0", protocol=protocol).unwrapped
    _, info = env.reset(options={"task_index": index})
    over = False
    while not over:
        names = ToolNames(tool["function"]["name"] for tool in info["tools"])
        sent = request_messages(info["messages"], protocol, names)
        assert len(sent) == len(info["messages"])
        structured = [message for message in sent if "tool_calls" in message]
        roles = [message["role"] for message in info["messages"]]
        asked = list(pairwise(roles)).count(("assistant", "tool"))
        assert len(structured) == (asked if protocol == "native" else 0)
        json.dumps(sent)
        *_, terminated, truncated, info = env.step(env.gold_answer())
        over = terminated or truncated
    assert info["is_success"]

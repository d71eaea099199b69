"""Whatever a protocol can write it reads back; what it cannot it refuses."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.types import ParseStatus, ToolCall
from toolrl_env.parsing import PROTOCOLS, AnswerProtocol, parse_ground_truth

texts = st.text(max_size=12) | st.sampled_from(
    [
        "</tool_call>",
        "<think>",
        "</think>",
        "<response>",
        "a\nb",
        "\\",
        "'\"",
        "\ud800",
        "\x00",
        "),",
    ]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(texts, children, max_size=3),
    max_leaves=8,
)
names = st.text(min_size=1, max_size=12) | st.from_regex(r"[\w./ -]{1,12}", fullmatch=True)
calls = st.lists(st.builds(ToolCall, names, st.dictionaries(texts, values, max_size=3)), max_size=3)
words = st.text(alphabet="ab .\n[]{}\"'()=é", max_size=20)
protocols = st.sampled_from(sorted(PROTOCOLS)).map(PROTOCOLS.__getitem__)


@given(calls, st.none() | words, st.none() | words, protocols)
def test_what_is_rendered_is_read_back(
    given_calls: list[ToolCall], think: str | None, response: str | None, protocol: AnswerProtocol
):
    try:
        text = protocol.render(given_calls, think=think, response=response)
    except ConfigurationError:
        assert protocol.name == "python"  # the others can carry all of this
        return
    action = protocol.parse(text, max(len(text), 1))
    expected = [{"name": call.name, "parameters": dict(call.arguments)} for call in given_calls]
    assert json.dumps(list(action.values or ())) == json.dumps(expected)
    assert [call.name for call in action.calls] == [call.name for call in given_calls]
    assert (action.think or "") == (think or "").strip()
    assert (action.response or "") == (response or "").strip()


@given(calls.filter(bool), words)
def test_the_papers_layout_is_rendered_right(given_calls: list[ToolCall], think: str):
    protocol = PROTOCOLS["toolrl"]
    action = protocol.parse(protocol.render(given_calls, think=think))
    assert action.status is ParseStatus.CALLS
    assert action.issues == ()
    assert protocol.layout_ok(action, True, False)


@given(
    st.from_regex(r"[A-Za-z_][\w./ -]{0,10}[\w]", fullmatch=True),
    st.dictionaries(texts, values, max_size=3),
)
def test_names_as_raw_toolace_has_them_can_be_written_in_python(
    name: str, arguments: dict[str, object]
):
    protocol = PROTOCOLS["python"]
    action = protocol.parse(protocol.render([ToolCall(name, arguments)]))
    assert action.calls[0].name == name
    assert json.dumps(action.calls[0].arguments) == json.dumps(arguments)


@given(calls.filter(bool), words, st.none() | words)
def test_gold_means_the_same_in_every_protocol(
    given_calls: list[ToolCall], think: str, response: str | None
):
    assume(think.strip())
    assume(response is None or response.strip())
    toolrl = PROTOCOLS["toolrl"]
    gold = parse_ground_truth(toolrl.render(given_calls, think=think, response=response))
    for protocol in PROTOCOLS.values():
        try:
            action = protocol.parse(protocol.render_gold(gold))
        except ConfigurationError:
            assert protocol.name == "python"
            continue
        assert json.dumps(action.values) == json.dumps(gold.values)
        assert protocol.layout_ok(action, gold.has_call, gold.has_response)


@pytest.mark.parametrize("name", sorted(PROTOCOLS))
def test_nothing_at_all_can_be_rendered(name: str):
    assert PROTOCOLS[name].render([]) == ""

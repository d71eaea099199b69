"""A record between two answers, as each protocol shows it."""

from __future__ import annotations

import pytest

from toolrl_env.core.types import Message, ToolCall
from toolrl_env.data.gold import make_gold
from toolrl_env.parsing import get_protocol
from toolrl_env.prompts.recorded import recorded_answer, recorded_messages

RECORD = (Message("tool", "{'a': 1}"), Message("user", "Go on."))
CALLS = (ToolCall("f", {"a": "b"}), ToolCall("Get It / v2", {"n": 1}))


def test_toolrl_has_one_message_in_the_papers_layout() -> None:
    assert recorded_messages("toolrl", RECORD) == [
        {"role": "user", "content": "<obs> {'a': 1} </obs>\n\n<user> Go on. </user>"}
    ]


@pytest.mark.parametrize("protocol", ["native", "python"])
def test_the_others_have_one_message_each_word_for_word(protocol: str) -> None:
    assert recorded_messages(protocol, RECORD) == [
        {"role": "tool", "content": "{'a': 1}"},
        {"role": "user", "content": "Go on."},
    ]
    named = (Message("tool", "1", name="f"),)
    assert recorded_messages(protocol, named)[0]["name"] == "f"


@pytest.mark.parametrize("protocol", ["toolrl", "native"])
def test_a_recorded_answer_is_what_a_model_would_have_written(protocol: str) -> None:
    gold = make_gold(CALLS, "And so.", "Think.")
    text = recorded_answer(protocol, gold)
    assert text == get_protocol(protocol).render_gold(gold)
    read = get_protocol(protocol).parse(text)
    assert [call.name for call in read.calls] == ["f", "Get It / v2"]
    assert (read.think, read.response) == ("Think.", "And so.")


def test_in_python_names_that_it_cannot_carry_are_written_all_the_same() -> None:
    assert recorded_answer("python", make_gold(CALLS[:1], None, "Think.")) == '[f(a="b")]'
    calls = (*CALLS[:1], ToolCall("g(h", {"n": 1}))
    odd = recorded_answer("python", make_gold(calls, "And so.", "Think."))
    assert odd == "And so.\n[f(a='b'), g(h(n=1)]"
    assert recorded_answer("python", make_gold((), "Words.", "Think.")) == "Words."

"""Cutting a conversation into steps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.data.dialogue.conftest import (
    HOTEL,
    OBS,
    WEATHER,
    ask,
    call,
    came,
    conversation,
    say,
    trip,
)
from toolrl_env.core.errors import DataError
from toolrl_env.core.types import Message, ToolCall
from toolrl_env.data.dialogue import cut_dialogue
from toolrl_env.data.dialogue.cut import DialogueStep, results_by_call
from toolrl_env.data.gold import make_gold
from toolrl_env.parsing import parse_ground_truth
from toolrl_env.prompts.toolrl import render_dialogue


def test_each_answer_is_a_step_with_its_gold_and_what_followed():
    dialogue = cut_dialogue(trip())
    first, second, third = dialogue.steps
    assert first.gold == make_gold((WEATHER, HOTEL), None, "Look it up.")
    assert first.calls == (WEATHER, HOTEL)
    assert first.then == (came(OBS),)
    assert second.gold == make_gold((), "Blue sky, and the Ritz.", "Just talk.")
    assert (second.calls, second.response) == ((), "Blue sky, and the Ritz.")
    assert second.then == (ask("Thanks!"),)
    assert third.gold is trip().gold
    assert third.then == ()


def test_the_task_shows_what_precedes_the_first_answer_with_its_gold():
    task = cut_dialogue(trip()).task
    assert task.messages == (ask("Weather and a hotel in Porto, please."),)
    assert task.gold.has_call
    assert task.category == "parallel"
    assert task.id == "hand-0"


def test_a_task_without_history_is_one_step_and_stays_as_it_is():
    task = conversation(ask("Hi."))
    dialogue = cut_dialogue(task)
    assert dialogue.task is task
    assert [step.response for step in dialogue.steps] == ["Goodbye."]


def test_calls_and_words_of_one_message_are_both_gold():
    step = cut_dialogue(
        conversation(ask("Hi."), call(WEATHER, content="A moment."), came("{}"))
    ).steps[0]
    assert step.gold.has_call
    assert step.gold.has_response
    assert (step.calls, step.response) == ((WEATHER,), "A moment.")


def test_words_that_lead_up_to_a_call_are_not_asked_for():
    bare = Message("assistant", "", None, (WEATHER,))
    messages = (ask("Hi."), Message("assistant", "Let me see."), bare, came("{}"))
    step = cut_dialogue(conversation(*messages)).steps[0]
    assert step.calls == (WEATHER,)
    assert not step.gold.has_response
    assert "One call to a tool" in step.gold.text


def test_two_answers_in_words_are_one():
    steps = cut_dialogue(conversation(ask("Hi."), say("One.", "A."), say("Two.", "B."), ask("Go.")))
    assert steps.steps[0].response == "One.\nTwo."
    assert "A. B." in steps.steps[0].gold.text


def test_words_that_lead_up_to_the_gold_answer_are_left_out():
    messages = (ask("Hi."), call(WEATHER), came("{}"), say("Let me see."))
    dialogue = cut_dialogue(conversation(*messages, gold=make_gold((HOTEL,), None, "Now.")))
    assert [step.calls for step in dialogue.steps] == [(WEATHER,), (HOTEL,)]


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ((say("Hello."), ask("Hi.")), "begins with the assistant"),
        ((ask("Hi."), call(WEATHER)), "step 1: calls without a result before the gold"),
        ((ask("Hi."), call(WEATHER), say("So."), ask("?")), "step 1: words follow calls"),
        ((ask("Hi."), call(ToolCall("taxi", {})), came("{}")), "step 1 calls 'taxi'"),
        (
            (ask("Hi."), say("a <response> b"), ask("?")),
            "step 1: the gold .* cannot be written",
        ),
        ((ask("Hi."), Message("assistant", "", "Hm."), ask("?")), "step 1: .* neither"),
    ],
)
def test_what_cannot_be_scored_is_refused_with_the_step(messages, said):
    with pytest.raises(DataError, match=said):
        cut_dialogue(conversation(*messages))


@pytest.mark.parametrize(
    "text",
    [
        "<think> only a thought </think>",
        '<think> x </think>\n<tool_call>\n{"name": "weather"}\n</tool_call>',
        "<think> x </think>\n<tool_call>\n[1]\n</tool_call>",
    ],
)
def test_a_gold_answer_that_would_not_be_understood_is_refused(text):
    task = conversation(ask("Hi."), say("Yes?"), ask("Go."), gold=parse_ground_truth(text))
    with pytest.raises(DataError, match="step 2: the gold answer holds neither"):
        cut_dialogue(task)


@pytest.mark.parametrize("tail", ["", "\n", " \n\n"])
def test_a_prompt_of_its_own_is_cut_before_the_first_answer_and_ends_as_it_did(tail):
    user = f"Head\n{render_dialogue(trip().messages)}{tail}"
    task = cut_dialogue(replace(trip(), system="Tools.", user=user)).task
    assert task.user == f"Head\n<user> Weather and a hotel in Porto, please. </user>{tail}"
    assert task.system == "Tools."


def test_a_prompt_of_its_own_must_hold_the_messages():
    task = replace(trip(), system="Tools.", user="<user> something else </user>")
    with pytest.raises(DataError, match="other messages"):
        cut_dialogue(task)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([OBS], ({"sky": "blue"}, "Ritz")),
        (["[1, [2]]"], (1, [2])),
        (["blue", '{"a": 1}'], ("blue", {"a": 1})),
        (["[1, 2, 3]"], None),
        (["blue and Ritz"], None),
        ([OBS.replace("weather", "taxi")], None),
        ([], None),
    ],
)
def test_results_are_told_apart_where_the_record_does(texts, expected):
    then = tuple(map(came, texts))
    step = DialogueStep(make_gold((WEATHER, HOTEL), None, "x"), (WEATHER, HOTEL), None, then)
    assert results_by_call(step) == expected


def test_one_call_has_one_result_whatever_it_is():
    for text, value in (("{'a': 1}", "{'a': 1}"), ("[1]", 1), ("[1, 2]", [1, 2]), ("", "")):
        step = DialogueStep(make_gold((WEATHER,), None, "x"), (WEATHER,), None, (came(text),))
        assert results_by_call(step) == (value,)

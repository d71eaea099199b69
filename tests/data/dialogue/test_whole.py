"""Which tasks are the beginning of another."""

from __future__ import annotations

from dataclasses import replace

from tests.data.dialogue.conftest import HOTEL, WEATHER, ask, call, came, conversation, say, trip
from toolrl_env.data import load_tasks
from toolrl_env.data.dialogue import find_beginnings
from toolrl_env.data.gold import make_gold


def first_steps():
    """The first two steps of ``trip`` as tasks of their own."""
    whole = trip("whole")
    one = conversation(
        *whole.messages[:1],
        gold=make_gold((WEATHER, HOTEL), None, "Another thought."),
        task_id="one",
    )
    two = conversation(
        *whole.messages[:3], gold=make_gold((), "Blue sky, and the Ritz.", "x"), task_id="two"
    )
    return whole, one, two


def test_the_steps_of_a_conversation_are_beginnings_of_it_whatever_was_thought():
    whole, one, two = first_steps()
    assert find_beginnings([one, whole, two]) == {"one": "whole", "two": "whole"}


def test_another_answer_or_another_history_is_another_dialogue():
    whole, one, two = first_steps()
    swapped = replace(one, gold=make_gold((HOTEL, WEATHER), None, "x"))
    other = replace(two, messages=(ask("Something else."), *two.messages[1:]))
    said = replace(one, gold=make_gold((), "Blue sky.", "x"))
    assert find_beginnings([whole, swapped, other, said]) == {}


def test_a_last_request_that_the_row_adds_does_not_count():
    messages = (ask("Weather?"), say("Let me see."), call(WEATHER), came("{}"), say("Blue."))
    whole = conversation(*messages, ask("Make one call."), gold=make_gold((HOTEL,), None, "x"))
    part = conversation(
        *messages[:2],
        ask("Make one call."),
        gold=make_gold((WEATHER,), None, "x"),
        task_id="part",
    )
    assert find_beginnings([whole, part]) == {"part": "hand-0"}


def test_equal_tasks_are_no_beginnings_of_one_another():
    assert find_beginnings([trip("a"), trip("b")]) == {}


def test_every_step_of_our_toolace_sample_but_the_last_is_a_beginning():
    tasks = list(load_tasks("toolace", split="all"))
    last = {task.id.partition("-step")[0]: task.id for task in tasks}
    beginnings = find_beginnings(tasks)
    for task in tasks:
        whole = last[task.id.partition("-step")[0]]
        assert (task.id in beginnings) is (task.id != whole)
        assert beginnings.get(task.id, whole) == whole

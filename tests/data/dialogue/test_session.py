"""A replay: what an answer does to it."""

from __future__ import annotations

import pickle

import pytest

from tests.data.dialogue.conftest import (
    HOTEL,
    OBS,
    WEATHER,
    answer,
    ask,
    call,
    came,
    conversation,
    trip,
)
from toolrl_env.core.errors import SnapshotError
from toolrl_env.core.types import ErrorCode, ToolCall
from toolrl_env.data.dialogue import DialogueSession, cut_dialogue
from toolrl_env.tools import CallValidator

OTHER = ToolCall("weather", {"city": "Rome"})


def replay(continuation, task=None):
    dialogue = cut_dialogue(task or trip())
    return DialogueSession(dialogue, continuation, CallValidator(dialogue.task.tools))


@pytest.fixture(params=["teacher_forced", "free_running"])
def either(request):
    return replay(request.param)


@pytest.fixture
def forced():
    return replay("teacher_forced")


@pytest.fixture
def free():
    return replay("free_running")


def test_the_gold_answers_make_a_perfect_dialogue(either):
    assert either.progress() == (False, False, False)
    either.execute(answer(WEATHER, HOTEL).calls)
    assert either.progress() == (True, False, False)
    assert either.reply("Whatever the words.") == "Thanks!"
    assert either.reply("Bye.") is None
    assert either.over
    assert either.progress() == (True, True, True)
    assert either.outcome() == 1.0
    assert either.due is None
    assert either.gold() is None


def test_the_order_of_calls_does_not_count(either):
    either.execute(answer(HOTEL, WEATHER).calls)
    assert either.progress()[0]
    assert either.step == 1


@pytest.mark.parametrize(
    "calls", [(WEATHER,), (WEATHER, HOTEL, HOTEL), (WEATHER, OTHER), (OTHER,), (WEATHER, WEATHER)]
)
def test_other_calls_than_the_recorded_ones_are_not_right(either, calls):
    either.execute(answer(*calls).calls)
    assert not either.progress()[0]
    assert either.outcome() == 0.0


def test_forced_every_answer_moves_on(forced):
    forced.execute(answer(OTHER).calls)
    forced.miss()
    assert forced.step == 2
    forced.execute(answer(WEATHER).calls)
    assert forced.over
    assert forced.progress() == (False, False, False)


def test_forced_words_for_calls_are_wrong_and_the_record_goes_on(forced):
    assert forced.reply("No.") == ""
    assert forced.reply("Blue.") == "Thanks!"
    assert forced.progress() == (False, True, False)
    assert forced.outcome() == pytest.approx(1 / 3)


def test_forced_calls_are_checked_and_nothing_is_looked_up(forced):
    good, unknown = forced.execute(answer(WEATHER, ToolCall("taxi", {})).calls)
    assert (good.ok, good.value, good.executed) == (True, None, False)
    assert unknown.errors[0].code is ErrorCode.UNKNOWN_TOOL


def test_free_recorded_calls_get_their_results_and_others_an_error(free):
    results = free.execute(answer(OTHER, HOTEL).calls)
    assert (results[1].ok, results[1].value) == (True, "Ritz")
    assert results[0].errors[0].code is ErrorCode.EXECUTION
    assert "No result of this call was recorded" in results[0].errors[0].for_model
    assert not any(result.executed for result in results)
    assert free.step == 0


def test_free_the_step_stays_due_until_all_its_calls_were_made(free):
    gold = free.gold()
    assert gold is not None
    free.execute(answer(HOTEL).calls)
    assert free.due.gold is gold
    assert free.gold() is None  # it is scored once
    free.miss()
    assert free.step == 0
    (result,) = free.execute(answer(WEATHER).calls)
    assert result.value == {"sky": "blue"}
    assert free.step == 1
    assert free.progress() == (False, False, False)
    assert free.gold() is not None


def test_free_a_call_made_again_gets_its_result_again(free):
    for _ in range(2):
        assert free.execute(answer(HOTEL).calls)[0].value == "Ritz"
    assert free.step == 0


def test_free_a_call_against_its_schema_says_so_unless_it_is_the_recorded_one():
    odd = ToolCall("weather", {"city": 3})
    task = conversation(ask("Hi."), call(odd), came("grey"))
    session = replay("free_running", task)
    (refused,) = session.execute(answer(ToolCall("weather", {"city": 4})).calls)
    assert refused.errors[0].code is ErrorCode.WRONG_TYPE
    (result,) = session.execute(answer(odd).calls)
    assert (result.ok, result.value) == (True, "grey")


def test_free_results_that_cannot_be_told_apart_need_all_their_calls():
    task = conversation(ask("Hi."), call(WEATHER, HOTEL), came("Blue, and the Ritz."))
    session = replay("free_running", task)
    (result,) = session.execute(answer(WEATHER).calls)
    assert not result.ok
    session.execute(answer(HOTEL).calls)
    assert session.step == 0
    assert all(result.ok for result in session.execute(answer(WEATHER, HOTEL).calls))
    assert session.step == 1


def test_free_words_where_calls_were_recorded_end_it(free):
    assert free.reply("No.") is None
    assert free.over
    assert free.progress() == (False, False, False)
    assert free.outcome() == 0.0


def test_free_calls_where_words_were_recorded_leave_the_step_due(free):
    free.execute(answer(WEATHER, HOTEL).calls)
    (result,) = free.execute(answer(WEATHER).calls)
    assert not result.ok
    assert free.reply("Blue.") == "Thanks!"
    assert free.progress() == (True, False, False)


def test_nothing_happens_after_the_end(either):
    for _ in range(3):
        either.reply("x") if either.due and not either.due.calls else either.execute(
            answer(WEATHER, HOTEL).calls
        )
    before = either.snapshot()
    assert either.reply("x") is None
    either.execute(answer(WEATHER).calls)
    either.miss()
    assert either.snapshot() == before


def test_equal_arguments_are_equal_as_python_compares():
    task = conversation(ask("Hi."), call(ToolCall("weather", {"city": 1})), came("1"))
    session = replay("free_running", task)
    assert session.execute(answer(ToolCall("weather", {"city": 1.0})).calls)[0].ok


def test_a_snapshot_restores_and_shares_nothing(either):
    start = pickle.loads(pickle.dumps(either.snapshot()))
    first = either.state_hash()
    either.execute(answer(WEATHER, HOTEL).calls)
    later, moved = either.snapshot(), either.state_hash()
    assert moved != first
    either.restore(start)
    assert (either.step, either.state_hash()) == (0, first)
    either.restore(later)
    assert (either.step, either.state_hash()) == (1, moved)


def test_snapshots_of_others_are_refused(forced, free):
    other = replay("teacher_forced", trip("hand-2"))
    for wrong in (free.snapshot(), other.snapshot(), None, {"step": 0}):
        with pytest.raises(SnapshotError, match="teacher_forced replay of hand-0"):
            forced.restore(wrong)


def test_the_state_is_what_is_to_come_not_what_was_right(forced):
    other = replay("teacher_forced")
    forced.miss()
    other.execute(answer(WEATHER, HOTEL).calls)
    assert forced.state_hash() == other.state_hash()
    assert forced.progress() != other.progress()
    assert len(forced.state_hash()) == 64


def test_the_rest_of_the_interface(either):
    assert [tool.name for tool in either.tools()] == ["weather", "hotel"]
    assert either.writes(answer(WEATHER, ToolCall("taxi", {})).calls) == (True, False)
    assert either.calls_of(0) == (WEATHER, HOTEL)
    assert either.recorded_after(0) == (came(OBS),)
    assert either.recorded_after(1) == (ask("Thanks!"),)
    either.close()
    either.close()


def test_a_recorded_answer_with_calls_and_words_is_right_by_its_calls():
    session = replay(
        "teacher_forced", conversation(ask("Hi."), call(WEATHER, content="Now."), came("{}"))
    )
    session.execute(answer(WEATHER, response="Now.").calls)
    assert session.progress()[0]

"""The stockroom's tasks: unambiguous, solvable, spread over the splits, the same every time."""

from __future__ import annotations

from collections import Counter

import pytest

from toolrl_env.data.split import split_of
from toolrl_env.data.stockroom import KINDS, TASKS_PER_KIND, stockroom_tasks
from toolrl_env.tools.mcp.stockroom import Stockroom

TASKS = stockroom_tasks()


def played(task, calls):
    """The stockroom after a task's setup and some calls."""
    room = Stockroom()
    for call in (*task.setup, *calls):
        getattr(room, call.name)(**call.arguments)
    return room


def gold_calls(task):
    return [call for turn in task.gold if not isinstance(turn, str) for call in turn]


def test_there_are_as_many_of_each_kind_and_they_are_the_same_every_time():
    assert Counter(task.category for task in TASKS) == dict.fromkeys(KINDS, TASKS_PER_KIND)
    assert len({task.id for task in TASKS}) == len(TASKS)
    assert stockroom_tasks() == TASKS


def test_every_split_has_tasks_of_its_own():
    questions = {}
    for task in TASKS:
        questions.setdefault(split_of(task.messages[0].content), []).append(task)
    assert set(questions) == {"train", "validation", "test"}
    assert min(map(len, questions.values())) > 10


@pytest.mark.parametrize("task", TASKS[::7], ids=lambda task: task.id)
def test_gold_is_possible_and_ends_with_words(task):
    room = played(task, gold_calls(task))
    assert isinstance(task.gold[-1], str)
    changed = room.everything() != played(task, ()).everything()
    assert changed == (not task.answers)


@pytest.mark.parametrize("kind", ["reserve", "take"])
def test_the_shelf_that_is_meant_is_the_only_one(kind):
    for task in (task for task in TASKS if task.category == kind):
        call = gold_calls(task)[-1]
        held = {
            row["shelf"]: row["count"] for row in played(task, ()).find_item(call.arguments["item"])
        }
        best = (max if kind == "take" else min)(held.values())
        assert [shelf for shelf, count in held.items() if count == best] == [
            call.arguments["shelf"]
        ]


def test_the_number_asked_for_is_right():
    for task in (task for task in TASKS if task.category == "count"):
        item = gold_calls(task)[0].arguments["item"]
        total = sum(row["count"] for row in played(task, ()).find_item(item))
        assert task.answers == (str(total),)
        assert f"{item}s" in task.messages[0].content


def test_after_gathering_one_shelf_holds_all():
    for task in (task for task in TASKS if task.category == "gather"):
        call = gold_calls(task)[-1]
        found = played(task, gold_calls(task)).find_item(call.arguments["item"])
        assert [row["shelf"] for row in found] == [call.arguments["target"]]


def test_deliveries_go_where_more_room_is():
    for task in (task for task in TASKS if task.category == "shelve"):
        *looks, call = gold_calls(task)
        room = played(task, ())
        free = {
            look.arguments["shelf"]: room.list_shelf(**look.arguments)["room"] for look in looks
        }
        assert len(set(free.values())) == 2
        assert free[call.arguments["shelf"]] == max(free.values())

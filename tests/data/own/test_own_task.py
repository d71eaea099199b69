"""OwnTask: rows and Tasks become tasks, or say what is wrong with them."""

from __future__ import annotations

import pytest

from tests.data.own.support import own_task
from toolrl_env.core.errors import DataError
from toolrl_env.core.types import Message, Task, ToolCall
from toolrl_env.data.own.task import DONE, OwnTask, read_task
from toolrl_env.parsing import parse_ground_truth

CALL = {"name": "f", "parameters": {"x": 1}}
THE_CALL = ToolCall("f", {"x": 1})
BOTH = """<think> t </think>
<tool_call>
{"name": "f", "parameters": {"x": 1}}
</tool_call>
<response> Oslo </response>"""


def row(**fields):
    return read_task({"question": "Q?", "answer": "A", **fields}, 3)


def test_a_row_of_two_fields_is_enough():
    task = row()
    assert task == OwnTask("own-3", (Message("user", "Q?"),), answers=("A",))


def test_gold_may_have_single_calls_batches_and_responses():
    task = row(gold=[CALL, [CALL, CALL], "So.", {"name": "g"}], answer=["B", "C"])
    assert task.gold == ((THE_CALL,), (THE_CALL, THE_CALL), "So.", (ToolCall("g", {}),), "B")
    assert row(gold=[CALL, "End."]).gold[-1] == "End."
    assert read_task({"question": "Q?", "gold": [CALL]}, 0).gold[-1] == DONE


def test_the_other_fields_are_kept():
    calls = [{"name": "f", "arguments": {"x": 1}}]
    task = row(id="mine", tools=["f"], setup=calls, category="odd")
    assert (task.id, task.tools, task.category) == ("mine", ("f",), "odd")
    assert task.setup == (THE_CALL,)


def test_a_dialogue_may_come_before_the_question():
    messages = [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "One moment.", "tool_calls": [CALL]},
        {"role": "tool", "content": "3"},
        {"role": "user", "content": "Well?"},
    ]
    task = read_task({"messages": messages, "answer": "3"}, 0)
    assert [message.role for message in task.messages] == ["user", "assistant", "tool", "user"]
    assert task.messages[1].tool_calls == (THE_CALL,)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"anwser": "x"}, "unknown field 'anwser'.*Did you mean 'answer'"),
        ({"question": ""}, "question: no text but ''"),
        ({"question": 3}, "question: no text but 3"),
        ({"messages": []}, "question and messages: give one"),
        ({"answer": 3}, "answer: no list but 3"),
        ({"answer": [3]}, "answer: no text but 3"),
        ({"gold": "x"}, "gold: no list but 'x'"),
        ({"gold": [3]}, "gold: no object but 3"),
        ({"gold": [[]]}, "gold: a turn without calls"),
        ({"gold": [{"parameters": {}}]}, "gold, a call's name: no text"),
        ({"gold": [{"name": "f", "parameters": [1]}]}, r"gold, 'f': no object but \[1\]"),
        ({"setup": {}}, "setup: no list"),
        ({"tools": [1]}, "tools: no text but 1"),
    ],
)
def test_a_row_that_is_wrong_says_where(fields, said):
    with pytest.raises(DataError, match=f"task 'own-3'.*{said}"):
        row(**fields)


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([], "no message to answer"),
        ([{"role": "system", "content": "x"}], "role 'system'; allowed"),
        ([{"role": "user"}], "no text but None"),
        ([{"role": "assistant", "content": "x"}], "no message to answer"),
        (["x"], "no object but 'x'"),
    ],
)
def test_messages_that_cannot_be_answered_are_refused(messages, said):
    with pytest.raises(DataError, match=said):
        read_task({"messages": messages, "answer": "x"}, 0)


def test_a_task_that_nothing_judges_is_refused():
    with pytest.raises(DataError, match="nothing says when it is done"):
        own_task()
    with pytest.raises(DataError, match="question and messages"):
        read_task({"answer": "x"}, 0)


@pytest.mark.parametrize(
    ("gold", "turns", "answers"),
    [
        (
            '<think> t </think>\n<tool_call>\n{"name": "f", "parameters": {"x": 1}}\n</tool_call>',
            ((THE_CALL,), DONE),
            (),
        ),
        ("<think> t </think>\n<response> Oslo </response>", ("Oslo",), ("Oslo",)),
        (
            BOTH,
            ((THE_CALL,), "Oslo"),
            (),
        ),
    ],
)
def test_a_task_of_a_dataset_is_judged_by_its_gold_answer(gold, turns, answers):
    task = Task("d-1", "data", (), (Message("user", "Q?"),), parse_ground_truth(gold))
    own = read_task(task, 0)
    assert (own.id, own.gold, own.answers) == ("d-1", turns, answers)


def test_an_own_task_is_taken_as_it_is():
    task = own_task(answers=("x",))
    assert read_task(task, 0) is task

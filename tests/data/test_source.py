from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pytest

from toolrl_env.core.errors import ConfigurationError, DataError, UnknownTask
from toolrl_env.core.types import GroundTruth, Message, Task, ToolCall, ToolSpec
from toolrl_env.data.source import RefusedRow, TaskSet, fingerprint_of

GOLD = GroundTruth("<think> t </think>\n<response> r </response>", False, True)


def make_task(task_id: str = "t-0", **changes: object) -> Task:
    task = Task(task_id, "made", (ToolSpec("f", "F"),), (Message("user", "Hi"),), GOLD)
    return dataclasses.replace(task, **changes)


def make_set(*tasks: Task, **changes: object) -> TaskSet:
    return dataclasses.replace(TaskSet("made", "all", tasks or (make_task(),)), **changes)


def test_a_set_is_a_sequence_of_its_tasks() -> None:
    tasks = tuple(make_task(f"t-{i}") for i in range(3))
    made = make_set(*tasks)
    assert (len(made), made.size, tuple(made), made[2]) == (3, 3, tasks, tasks[2])
    assert [made.index_of(task.id) for task in tasks] == [0, 1, 2]


@pytest.mark.parametrize("index", [-1, 1, 99])
def test_an_index_outside_is_unknown(index: int) -> None:
    with pytest.raises(UnknownTask, match=f"tasks 0 to 0, not {index}") as caught:
        make_set()[index]
    assert isinstance(caught.value, LookupError)
    assert isinstance(caught.value, ConfigurationError)


def test_an_unknown_id_names_the_nearest() -> None:
    made = make_set(make_task("toolace-12"), make_task("toolace-99"))
    with pytest.raises(UnknownTask, match="Did you mean 'toolace-12'"):
        made.index_of("toolace_12")
    with pytest.raises(UnknownTask, match="Ids look like 'toolace-12'"):
        made.index_of("zzz")


def test_an_empty_set_and_a_repeated_id_are_refused() -> None:
    with pytest.raises(DataError, match="split 'test' has no tasks"):
        TaskSet("made", "test", ())
    with pytest.raises(DataError, match="two tasks have the id 'b'"):
        make_set(make_task("a"), make_task("b"), make_task("b"))


def test_drawing_is_uniform_and_follows_the_generator_alone() -> None:
    made = make_set(*(make_task(f"t-{i}") for i in range(4)))
    first = [made.draw(np.random.default_rng(7)) for _ in range(3)]
    assert len(set(first)) == 1
    rng = np.random.default_rng(0)
    counts = np.bincount([made.draw(rng) for _ in range(4000)], minlength=4)
    assert counts.min() > 850
    assert counts.max() < 1150


def test_the_fingerprint_is_known_and_stable() -> None:
    assert len(make_set().fingerprint) == 64
    assert make_set().fingerprint == make_set().fingerprint
    empty = fingerprint_of((), "made", "all", {})
    assert empty == "9010083a276f950f994d58f2d5c816ea4d99ce2f5894953889b0ed03abdeb772"


@pytest.mark.parametrize(
    "change",
    [
        {"id": "other"},
        {"source": "other"},
        {"category": "parallel"},
        {"difficulty": 2},
        {"system": "s"},
        {"user": "u"},
        {"gold": GroundTruth("<think> x </think>\n<response> r </response>", False, True)},
        {"tools": ()},
        {"tools": (ToolSpec("g", "F"),)},
        {"tools": (ToolSpec("f", "G"),)},
        {"tools": (ToolSpec("f", "F", {"type": "object", "properties": {}}),)},
        {"tools": (ToolSpec("f", "F", documented={}),)},
        {"messages": (Message("user", "Ho"),)},
        {"messages": (Message("tool", "Hi"),)},
        {"messages": (Message("user", "Hi", "thought"),)},
        {"messages": (Message("user", "Hi", None, (ToolCall("f", {}),)),)},
        {"messages": (Message("user", "Hi", name="f"),)},
    ],
    ids=str,
)
def test_the_fingerprint_sees_every_part_of_a_task(change: dict[str, object]) -> None:
    assert make_set(make_task(**change)).fingerprint != make_set().fingerprint


def test_the_fingerprint_sees_order_name_split_and_options() -> None:
    a, b = make_task("a"), make_task("b")
    prints = {
        made.fingerprint
        for made in (
            make_set(a, b),
            make_set(b, a),
            make_set(a),
            make_set(a, b, split="train"),
            make_set(a, b, name="else"),
            make_set(a, b, options={"level": 1}),
            make_set(a, b, options={"level": 2}),
        )
    }
    assert len(prints) == 7


def test_the_fingerprint_sees_the_order_of_documented_parameters() -> None:
    one = make_task(tools=(ToolSpec("f", documented={"a": 1, "b": 2}),))
    two = make_task(tools=(ToolSpec("f", documented={"b": 2, "a": 1}),))
    assert make_set(one).fingerprint != make_set(two).fingerprint


def test_the_fingerprint_of_odd_text_exists() -> None:
    assert make_set(make_task(messages=(Message("user", "\ud800 \0 é"),))).fingerprint


def test_a_set_pickles() -> None:
    made = make_set(make_task("a"), make_task("b"), refused=(RefusedRow(3, "why"),))
    again = pickle.loads(pickle.dumps(made))
    assert again == made
    assert again.fingerprint == made.fingerprint
    assert again.index_of("b") == 1

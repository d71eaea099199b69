"""Tasks as rows: plain values there and back, and clear words about what is no such row."""

from __future__ import annotations

import json

import pytest

from agents.integrations.tasks import COLUMNS, TaskRef, task_rows
from toolrl_env.core.errors import ConfigurationError

TOOLBOX = "ToolRL-Toolbox-v0"


def test_equal_arguments_are_equal_references_and_survive_json():
    ref = TaskRef.of(TOOLBOX, {"split": "test", "difficulty": 2}, 5)
    assert ref == TaskRef.of(TOOLBOX, {"difficulty": 2, "split": "test"}, 5)
    assert TaskRef.parse(json.loads(json.dumps(ref.as_dict())) | {"more": 1}) == ref
    assert ref.kwargs() == {"difficulty": 2, "split": "test"}
    assert tuple(ref.as_dict()) == COLUMNS


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"env": None}, "env=None"),
        ({"env_kwargs": {"difficulty": 1}}, "env_kwargs="),
        ({"env_kwargs": "[1]"}, "JSON object"),
        ({"env_kwargs": "{"}, "not JSON"),
        ({"task_index": -1}, "task_index=-1"),
        ({"task_index": "7"}, "task_index='7'"),
    ],
)
def test_a_row_with_another_value_is_refused_by_name(change, said):
    row = TaskRef.of(TOOLBOX, {}, 1).as_dict() | change
    with pytest.raises(ConfigurationError, match="(?s).*" + said.replace("[", r"\[")):
        TaskRef.parse(row)


def test_a_row_without_a_column_names_it_and_what_is_there():
    with pytest.raises(ConfigurationError, match=r"no 'env_kwargs'.*has env, prompt"):
        TaskRef.parse({"env": TOOLBOX, "prompt": "x"})


def test_arguments_that_json_cannot_hold_are_refused():
    with pytest.raises(ConfigurationError, match="not JSON"):
        TaskRef.of(TOOLBOX, {"chat_template": print}, 0)


def test_numbers_that_json_cannot_hold_are_refused():
    with pytest.raises(ConfigurationError, match=r"nan.*not JSON"):
        TaskRef.of(TOOLBOX, {"scale": float("nan")}, 0)


def test_rows_show_what_the_model_sees_and_no_gold():
    rows = task_rows(TOOLBOX, {"difficulty": 1, "split": "test"}, range(3))
    assert [row.ref.index for row in rows] == [0, 1, 2]
    assert len({row.task_id for row in rows}) == 3
    for row in rows:
        assert [message["role"] for message in row.messages] == ["system", "user"]
        assert row.tools[0]["type"] == "function"
        assert (row.source, row.category) == ("toolbox", "single")
        json.dumps([row.messages, row.tools])


def test_an_environment_or_task_that_is_not_there():
    with pytest.raises(ConfigurationError, match="ToolRL-Toolbocks-v0 cannot be made"):
        task_rows("ToolRL-Toolbocks-v0", {}, [0])
    with pytest.raises(ConfigurationError, match="task_index=10000000"):
        task_rows("ToolRL-RLLA-v0", {}, [10_000_000])
    with pytest.raises(ConfigurationError, match="CartPole-v1 is a CartPoleEnv: no tool use"):
        task_rows("CartPole-v1", {}, [0])


def test_a_number_of_tasks_and_no_tasks_are_refused():
    with pytest.raises(ConfigurationError, match=r"indices=100; allowed: .*range\(100\)"):
        task_rows(TOOLBOX, {}, 100)
    with pytest.raises(ConfigurationError, match=r"indices=range\(0, 0\) names no task"):
        task_rows(TOOLBOX, {}, range(0))

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from toolrl_env.core.errors import DataError, UnknownName
from toolrl_env.core.types import ErrorCode, GroundTruth, Message, Task, ToolSpec
from toolrl_env.data import check_file, gold_errors, gold_shortfall
from toolrl_env.parsing import parse_ground_truth


def test_a_report_on_a_file_with_a_broken_row(fixtures: Path) -> None:
    report = check_file(fixtures / "rlla.json", "rlla")
    assert (report.rows, report.tasks, report.dataset) == (5, 4, "rlla")
    assert [row.index for row in report.refused] == [4]
    assert report.categories == {"single": 2, "response": 1, "parallel": 1}
    assert sum(report.splits.values()) == 4
    assert report.invalid_gold == ()
    assert report.short_gold == ()
    assert report.path.endswith("rlla.json")


def test_gold_that_does_not_fit_its_tools_is_listed(fixtures: Path) -> None:
    report = check_file(fixtures / "api_bank.json", "api_bank", level=2)
    (invalid,) = report.invalid_gold
    assert invalid.task_id == "api_bank-level2-3"
    assert invalid.errors[0].code is ErrorCode.UNKNOWN_TOOL


def test_a_file_of_nothing_but_broken_rows_is_a_report_not_an_error(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"a": 1}\nnope\n')
    report = check_file(path, "xlam")
    assert (report.rows, report.tasks, len(report.refused)) == (2, 0, 2)


def test_rows_with_several_tasks_are_counted_once(fixtures: Path) -> None:
    report = check_file(fixtures / "toolace.jsonl", "toolace")
    assert (report.rows, report.tasks) == (5, 7)


def test_bad_arguments(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        check_file(tmp_path / "none.json", "xlam")
    with pytest.raises(UnknownName, match="Did you mean 'xlam'"):
        check_file(tmp_path / "none.json", "xlm")


def task_with_gold(*values: Any) -> Task:
    lines = "\n".join(json.dumps(value) for value in values)
    gold = parse_ground_truth(f"<think> t </think>\n<tool_call>\n{lines}\n</tool_call>")
    schema = {
        "type": "object",
        "properties": {"n": {"type": "integer"}},
        "required": ["n"],
        "additionalProperties": False,
    }
    return Task("t", "made", (ToolSpec("f", "", schema),), (Message("user", "x"),), gold)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({"name": "f", "parameters": {"n": "1"}}, ErrorCode.WRONG_TYPE),
        ({"name": "f", "parameters": {}}, ErrorCode.MISSING_ARGUMENT),
        ({"name": "f", "parameters": {"n": 1, "m": 2}}, ErrorCode.UNEXPECTED_ARGUMENT),
        ({"name": "g", "parameters": {}}, ErrorCode.UNKNOWN_TOOL),
    ],
)
def test_every_kind_of_misfit_is_named(value: Any, code: ErrorCode) -> None:
    good = {"name": "f", "parameters": {"n": 1}}
    errors = gold_errors(task_with_gold(good, value))
    assert [(error.code, error.call) for error in errors] == [(code, 1)]
    assert gold_errors(task_with_gold(good)) == ()


@pytest.mark.parametrize("value", [3, {"name": 3, "parameters": {}}, {"name": "f"}, []])
def test_gold_that_is_no_call_is_an_error_too(value: Any) -> None:
    assert gold_errors(task_with_gold(value))


def test_gold_in_a_wrong_layout_falls_short() -> None:
    text = '<think> t </think>\n\n<tool_call>\n{"name": "f", "parameters": {}}\n</tool_call>'
    gold = GroundTruth(text, True, False, ({"name": "f", "parameters": {}},))
    task = Task("t", "made", (), (Message("user", "x"),), gold)
    assert gold_shortfall(task).startswith("format: ")
    assert gold_shortfall(task_with_gold({"name": "f", "parameters": {"n": 1}})) == ""

"""The real files: every row loads or is refused with a reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from toolrl_env.data import TaskSet, check_file, load_tasks
from toolrl_env.prompts.toolrl_reader import read_dialogue

pytestmark = pytest.mark.shared_data


@pytest.fixture(scope="module")
def rlla(shared_data: Path) -> TaskSet:
    return load_tasks("rlla", shared_data / "rlla_sft.json", "all")


@pytest.fixture(scope="module", params=[(1, 399), (2, 67)], ids=["level1", "level2"])
def api_bank(request: pytest.FixtureRequest, shared_data: Path) -> tuple[TaskSet, Path, int]:
    level, rows = request.param
    path = shared_data / "api_bank" / f"level-{level}-api_processed.json"
    return load_tasks("api_bank", path, "all", level=level), path, rows


def test_all_400_rows_load_or_are_refused_because_their_calls_are_not_json(
    rlla: TaskSet, shared_data: Path
) -> None:
    rows = json.loads((shared_data / "rlla_sft.json").read_text("utf-8"))
    assert len(rlla) + len(rlla.refused) == len(rows) == 400
    assert len(rlla.refused) == 17
    for refused in rlla.refused:
        assert "not JSON" in refused.reason
        assert rows[refused.index]["output"].count("<tool_call>") == 2
    for task in rlla:
        row = rows[int(task.id.removeprefix("rlla-"))]
        assert (task.system, task.user, task.gold.text) == (
            row["instruction"],
            row["input"],
            row["output"],
        )


def test_the_refused_rows_have_prompts_that_can_be_read(rlla: TaskSet, shared_data: Path) -> None:
    rows = json.loads((shared_data / "rlla_sft.json").read_text("utf-8"))
    for refused in rlla.refused:
        assert read_dialogue(rows[refused.index]["input"]).messages


def test_quirks_of_the_real_rows_survive(rlla: TaskSet) -> None:
    names = {tool.name for task in rlla for tool in task.tools}
    assert any(" " in name for name in names)
    assert any("." in name for name in names)
    types = {
        str(doc["type"])
        for task in rlla
        for tool in task.tools
        for doc in (tool.documented or {}).values()
    }
    assert {"str, optional", "List[int]"} <= types
    assert {len(task.gold.values) for task in rlla} >= {0, 1, 2, 3}
    assert sum(len(task.messages) > 1 for task in rlla) > 30


def test_every_gold_answer_that_loads_earns_the_maximum(shared_data: Path) -> None:
    report = check_file(shared_data / "rlla_sft.json", "rlla")
    assert report.short_gold == ()
    assert (report.rows, report.tasks, len(report.refused)) == (400, 383, 17)
    assert report.categories == {"single": 181, "parallel": 148, "response": 54}
    assert len(report.invalid_gold) > 50


def test_splits_of_the_real_rows_are_disjoint_and_steps_stay_together(
    rlla: TaskSet, shared_data: Path
) -> None:
    parts = [
        load_tasks("rlla", shared_data / "rlla_sft.json", split)
        for split in ("train", "validation", "test")
    ]
    ids = [task.id for part in parts for task in part]
    assert sorted(ids) == sorted(task.id for task in rlla)
    openings = [{task.messages[0].content for task in part} for part in parts]
    assert not openings[0] & openings[1]
    assert not openings[0] & openings[2]
    assert not openings[1] & openings[2]
    assert 0.75 < len(parts[0]) / len(rlla) < 0.87


def test_all_of_api_bank_loads(api_bank: tuple[TaskSet, Path, int]) -> None:
    tasks, path, rows = api_bank
    raw = json.loads(path.read_text("utf-8"))
    assert (len(tasks), tasks.refused) == (rows, ())
    for row, task in zip(raw, tasks, strict=True):
        assert (task.system, task.user) == (row["system"], row["user"])
        answer = row["answer"] if isinstance(row["answer"], list) else [row["answer"]]
        assert [value["name"] for value in task.gold.values] == [call["name"] for call in answer]
        assert task.messages[-1].role == "user"
        assert task.messages[0].role == "user"


def test_gold_of_api_bank_is_reported_where_it_does_not_fit(
    api_bank: tuple[TaskSet, Path, int],
) -> None:
    tasks, path, rows = api_bank
    report = check_file(path, "api_bank", level=tasks[0].difficulty)
    unknown = [g for g in report.invalid_gold if any(e.code == "unknown_tool" for e in g.errors)]
    assert len(unknown) == (6 if rows == 67 else 0)
    assert report.short_gold == ()

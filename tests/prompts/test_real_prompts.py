"""With a template derived from one real row, the prompts of all others come out byte for byte."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from toolrl_env.core.types import Task
from toolrl_env.data import TaskSet, load_tasks
from toolrl_env.prompts import Prompter, PromptTemplate
from toolrl_env.prompts.toolrl_reader import read_dialogue, read_system

pytestmark = pytest.mark.shared_data


@pytest.fixture(scope="module")
def rows(shared_data: Path) -> list[dict[str, Any]]:
    return json.loads((shared_data / "rlla_sft.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def tasks(shared_data: Path) -> TaskSet:
    return load_tasks("rlla", shared_data / "rlla_sft.json", "all")


def parsed_alone(task: Task) -> Task:
    """The task without the verbatim copies of its prompt."""
    return dataclasses.replace(task, system=None, user=None)


@pytest.mark.parametrize("derived_from", [0, 16, 382])
def test_all_other_prompts_are_reproduced_from_the_parsed_tasks(
    tasks: TaskSet, derived_from: int
) -> None:
    prompter = Prompter(template=PromptTemplate.derive(tasks[derived_from]))
    for task in tasks:
        system, user = prompter.messages(parsed_alone(task))
        assert system == {"role": "system", "content": task.system}, task.id
        assert user == {"role": "user", "content": task.user}, task.id


def test_the_prompts_of_refused_rows_are_reproduced_as_well(rows: list[dict[str, Any]]) -> None:
    template = PromptTemplate.derive(rows[0])
    same = 0
    for row in rows:
        system, user = read_system(row["instruction"]), read_dialogue(row["input"])
        assert template.render(system.tools) == row["instruction"]
        assert template.render_user(user.messages) == row["input"]
        same += 1
    assert same == 400


def test_nothing_beside_tools_and_messages_was_needed(tasks: TaskSet) -> None:
    assert all(not task.metadata for task in tasks)


def test_every_row_gives_the_same_template(rows: list[dict[str, Any]]) -> None:
    assert len({PromptTemplate.derive(row) for row in rows}) == 1


def test_the_template_survives_a_file(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    template = PromptTemplate.derive(rows[0])
    path = tmp_path / "skeleton.txt"
    path.write_text(f"{template.system}\n--- user ---\n{template.user}\n", "utf-8")
    assert PromptTemplate.from_file(path) == template


def test_a_template_of_a_real_row_fits_tasks_of_other_datasets(
    rows: list[dict[str, Any]], shared_data: Path
) -> None:
    template = PromptTemplate.derive(rows[0])
    path = shared_data / "api_bank" / "level-1-api_processed.json"
    head = rows[0]["input"].partition("<user>")[0]
    for task in load_tasks("api_bank", path, "all"):
        system, user = Prompter(template=template).messages(task)
        assert read_system(system["content"]).head == read_system(rows[0]["instruction"]).head
        assert user["content"].startswith(head + "<user> ")
        assert read_dialogue(user["content"]).messages == task.messages


@pytest.mark.parametrize("protocol", ["toolrl", "native", "python"])
def test_every_real_task_renders_in_every_protocol(tasks: TaskSet, protocol: str) -> None:
    prompter = Prompter(protocol)
    for task in tasks:
        text = prompter.text(prompter.messages(task), [tool.as_openai() for tool in task.tools])
        assert task.messages[0].content in text
        assert all(tool.name in text for tool in task.tools)

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from toolrl_env.core.errors import ConfigurationError, DataError
from toolrl_env.core.types import GroundTruth, Message, Task, ToolSpec
from toolrl_env.prompts import PromptTemplate

TOOLS = [ToolSpec("f", "F", documented={})]
ENTRY = "1. Name: f\nDescription: F\nParameters: {}"
DIALOGUE = [Message("user", "Hi")]


def test_slots_are_filled() -> None:
    template = PromptTemplate("a {{tools}} b", "c {{dialogue}} d")
    assert template.render(TOOLS) == f"a {ENTRY} b"
    assert template.render_user(DIALOGUE) == "c <user> Hi </user> d"
    assert PromptTemplate("{{signatures}}").render(TOOLS) == "f(): F"
    assert PromptTemplate("{{tools}}").render_user(DIALOGUE) == "<user> Hi </user>"


def test_what_fills_a_slot_is_not_searched_for_slots() -> None:
    template = PromptTemplate("{{tools}}|", "{{dialogue}}|")
    tool = ToolSpec("{{tools}}", "{{dialogue}} {{signatures}}", documented={})
    assert "1. Name: {{tools}}\nDescription: {{dialogue}} {{signatures}}" in template.render([tool])
    text = template.render_user([Message("user", "{{dialogue}} {0} %s {{tools}}")])
    assert text == "<user> {{dialogue}} {0} %s {{tools}} </user>|"


@pytest.mark.parametrize(
    ("system", "user", "message"),
    [
        ("none", "{{dialogue}}", "exactly one {{tools}} or {{signatures}}, this one has 0"),
        ("{{tools}}{{tools}}", "{{dialogue}}", "this one has 2"),
        ("{{tools}}{{signatures}}", "{{dialogue}}", "this one has 2"),
        ("{{tools}}", "none", "exactly one {{dialogue}}, this one has 0"),
        ("{{tools}}", "{{dialogue}}{{dialogue}}", "this one has 2"),
        ("{{ tools }}", "{{dialogue}}", "this one has 0"),
    ],
)
def test_every_slot_once(system: str, user: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        PromptTemplate(system, user)
    assert message in str(caught.value)


def test_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_bytes("Tööls:\r\n{{tools}}\r\n--- user ---\r\nSo far:\r\n{{dialogue}}\r\n".encode())
    assert PromptTemplate.from_file(path) == PromptTemplate(
        "Tööls:\n{{tools}}", "So far:\n{{dialogue}}"
    )
    path.write_text("{{signatures}}\n\n")
    assert PromptTemplate.from_file(str(path)) == PromptTemplate("{{signatures}}\n")


def test_a_file_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read: No such file"):
        PromptTemplate.from_file(tmp_path / "none.txt")
    (tmp_path / "b.txt").write_bytes(b"{{tools}} \xff")
    with pytest.raises(DataError, match="not UTF-8"):
        PromptTemplate.from_file(tmp_path / "b.txt")
    (tmp_path / "e.txt").write_text("")
    with pytest.raises(ConfigurationError, match="this one has 0"):
        PromptTemplate.from_file(tmp_path / "e.txt")


SYSTEM = f"Head\n{ENTRY}\n\nTail"
USER = "Log:\n<user> Hi </user>"
EXPECTED = PromptTemplate("Head\n{{tools}}\n\nTail", "Log:\n{{dialogue}}")


def test_derived_from_a_row_a_task_or_a_text() -> None:
    assert PromptTemplate.derive({"instruction": SYSTEM, "input": USER, "output": ""}) == EXPECTED
    assert PromptTemplate.derive({"system": SYSTEM, "user": USER}) == EXPECTED
    gold = GroundTruth("", False, False)
    task = Task("t", "made", (), (), gold, system=SYSTEM, user=USER)
    assert PromptTemplate.derive(task) == EXPECTED
    alone = PromptTemplate(EXPECTED.system)
    assert PromptTemplate.derive(SYSTEM) == alone
    assert PromptTemplate.derive(dataclasses.replace(task, user=None)) == alone


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"query": "x", "tools": "[]"}, "this one has query, tools"),
        ({"instruction": "no tools", "input": USER}, "no numbered list of tools"),
        ({"instruction": SYSTEM, "input": "Hi"}, "no <user> turn"),
        ({"instruction": SYSTEM, "input": 3}, "this one has instruction, input"),
        ("plain text", "no numbered list of tools"),
    ],
)
def test_a_row_without_such_a_prompt(row: dict[str, object] | str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        PromptTemplate.derive(row)


def test_a_task_without_a_prompt_of_its_own() -> None:
    task = Task("t-9", "made", (), (), GroundTruth("", False, False))
    with pytest.raises(DataError, match="'t-9' has no prompt of its own"):
        PromptTemplate.derive(task)

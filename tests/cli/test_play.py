"""``toolrl play``: typed answers are scored and explained."""

from __future__ import annotations

import gymnasium as gym
import pytest

import toolrl_env  # noqa: F401  # registers the ids
from toolrl_env.wrappers import read_trajectories

pytestmark = pytest.mark.filterwarnings("ignore::toolrl_env.data.SampleDataWarning")
TOOLBOX = ("ToolRL-Toolbox-v0", "--difficulty", 1, "--task-index", 3)


@pytest.fixture(scope="module")
def gold():
    env = gym.make("ToolRL-Toolbox-v0", difficulty=1)
    env.reset(options={"task_index": 3})
    return env.unwrapped.gold_answer()


def test_a_perfect_answer(toolrl, gold):
    status, out, _ = toolrl("play", *TOOLBOX, "--tasks", 1, typed=f"{gold}\n.\n")
    assert status == 0
    assert "reward +4.000" in out
    assert "call 0: " in out
    assert " returned " in out
    assert out.endswith("1 task answered, mean reward +4.000\n")


def test_a_wrong_answer_is_explained(toolrl, gold):
    wrong = gold.replace('"name": "', '"name": "x')
    _, out, _ = toolrl("play", *TOOLBOX, typed=f"{wrong}\n.\n:quit\n")
    assert "no call of" in out
    assert "unknown_tool: call 0" in out
    assert "1 task answered, mean reward -2.000" in out


def test_an_answer_may_hold_colons_dots_and_blank_lines(toolrl, tmp_path):
    record = tmp_path / "t.jsonl"
    typed = "<think>\n:gold\n\n..\n . \n</think>\n.\n"
    toolrl("play", *TOOLBOX, "--tasks", 1, "--record", record, typed=typed)
    (found,) = read_trajectories(record)
    assert found.transitions[0].action == typed.removesuffix("\n.\n")


def test_the_commands(toolrl, gold):
    typed = ":gold\n:tools\n:prompt\n:what\n:quit\n"
    status, out, _ = toolrl("play", *TOOLBOX, typed=typed)
    assert status == 0
    assert gold in out
    assert '"additionalProperties": false' in out
    env = gym.make("ToolRL-Toolbox-v0", difficulty=1)
    assert env.reset(options={"task_index": 3})[0] in out
    assert out.count("One line is one answer") == 2
    assert out.endswith("0 tasks answered\n")


def test_the_end_of_input_sends_what_was_typed_and_stops(toolrl):
    _, out, _ = toolrl("play", *TOOLBOX, typed="hello")
    assert "reward -3.000" in out
    assert out.endswith("1 task answered, mean reward -3.000\n")


def test_after_the_chosen_task_others_follow(toolrl, tmp_path):
    record = tmp_path / "t.jsonl"
    toolrl(
        "play", *TOOLBOX, "--record", record, typed=":raw\na\n.\n:raw\nb\n.\n:raw\nc\n.\n:quit\n"
    )
    found = read_trajectories(record)
    assert [t.transitions[0].action for t in found] == ["a", "b", "c"]
    assert found[0].task_id.endswith("-3")
    assert len({t.task_id for t in found}) == 3


@pytest.mark.parametrize("protocol", ["toolrl", "native", "python"])
def test_the_layout_is_shown_for_every_protocol(protocol, toolrl):
    _, out, _ = toolrl("play", *TOOLBOX, "--protocol", protocol, typed=":quit\n")
    assert "The layout of an answer" in out
    assert ('"arguments"' in out) is (protocol == "native")


def test_typed_bytes_that_are_no_text(toolrl, monkeypatch):
    import io

    from toolrl_env.cli import main

    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff\n"), encoding="utf-8"))
    assert main(["play", "ToolRL-Toolbox-v0"]) == 2

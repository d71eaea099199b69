"""``toolrl play``: typed answers are scored and explained."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time

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


OFFICE = ("ToolRL-Workspace-v0", "--difficulty", 6, "--task-index", 25, "--tasks", 1)
LINES = (
    "What is your payment code?",
    "authorise_payments 323823 ; list_accounts",
    "transfer_money 833 840 amount_cents=90100",
    "Done, it is transferred.",
    'search_mails "Question about Spring Anchor"',
    "read_mail(mail_id=560)",
    "delete_file /projects/northern-garden-checklist.txt",
    "> delete_file did it.",
)


def test_an_office_task_by_hand(toolrl, tmp_path):
    record = tmp_path / "t.jsonl"
    status, out, _ = toolrl("play", *OFFICE, "--record", record, typed="\n".join(LINES) + "\n")
    assert status == 0
    assert "323823." in out  # the user's reply
    assert out.count("New tools:") == 2
    assert "transfer_money(from_account: int" in out
    assert "call 1: list_accounts returned" in out
    assert "While you are at it" in out  # the second request
    assert "turn 4 · 67% of what must hold" in out
    assert "turn 8 · 100%" in out
    assert "the episode is over: goal_reached" in out
    assert out.endswith("1 task answered, mean reward +1.000\n")
    assert toolrl("replay", record).status == 0


def test_what_goes_wrong_in_the_office_is_said(toolrl):
    typed = (
        "list_acounts x=1\nget_balance abc\nauthorise_payments 1\n<tool_call>\n{\n.\n"
        ":tools get_balance\n:gold\n:task\n.\n\n:quit\n"
    )
    _, out, _ = toolrl("play", *OFFICE, typed=typed)
    assert "not sent: there is no tool 'list_acounts' now; did you mean 'list_accounts'?" in out
    assert "wrong_type at $.account_id" in out
    assert "wrong code" in out
    assert "could not be read, so nothing was run" in out
    assert out.count('"additionalProperties": false') == 1
    assert "(the next one, if all answers before were the gold ones)" in out
    assert out.count("transfer €901.00") == 2
    assert out.endswith("0 tasks answered\n")


def test_gold_in_short_leads_to_success(toolrl):
    _, out, _ = toolrl("play", *OFFICE, typed=":gold\n" * 3 + ":quit\n")
    assert out.count("short: Please tell me your payment code.") == 3


def test_after_the_last_gold_answer_there_is_none(toolrl):
    typed = "list_accounts\n" * 12 + ":gold\n:quit\n"
    _, out, _ = toolrl("play", *OFFICE, typed=typed)
    assert "there is no gold answer here: gold has 8 answers" in out


def test_in_a_terminal():
    """A person at a terminal: echo, colours, a whole task."""
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "toolrl_env.cli", "play", *map(str, OFFICE)]
    process = subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower)
    os.close(follower)
    shown, typed, deadline = b"", 0, time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            shown += os.read(leader, 65_536)
        except OSError:  # the other end is closed
            break
        if shown.count(b"your answer:") > typed and typed < len(LINES):
            os.write(leader, LINES[typed].encode() + b"\n")
            typed += 1
    os.close(leader)
    assert process.wait(timeout=10) == 0
    text = shown.decode()
    assert "\x1b[" in text
    assert "goal_reached" in text
    assert "1 task answered, mean reward +1.000" in text

"""Adding up, the file, and comparing two results."""

from __future__ import annotations

import dataclasses
import io
import json

import gymnasium as gym
import pytest
from rich.console import Console

import toolrl_env  # noqa: F401
from agents.evaluating.compare import compare
from agents.evaluating.log import Attempt, Failure
from agents.evaluating.results import add_up, read_results, write_results
from agents.evaluating.settings import gather
from agents.evaluating.table import show_comparison, show_results
from toolrl_env.core.errors import ConfigurationError, DataError


@pytest.fixture(scope="module")
def settings():
    env = gym.make("ToolRL-Toolbox-v0").unwrapped
    return gather(env, range(4), attempts=2, seed=0, agent="x", agent_settings={})


def attempt(task, number, *, solved, category="a", turns=1):
    reward = 4.0 if solved else 1.0
    terms = {"total": reward, "format": 1.0, "correctness": reward - 1.0}
    return Attempt(task, number, f"task-{task}", category, reward, terms, solved, turns, "answered")


def attempts(table, **options):
    """``{task: "10"}``: which attempts at it succeeded; a dot is one that is missing."""
    return {
        (task, number): attempt(task, number, solved=mark == "1", **options.get(f"t{task}", {}))
        for task, marks in table.items()
        for number, mark in enumerate(marks)
        if mark != "."
    }


def printed(show, value):
    console = Console(file=io.StringIO(), width=120)
    show(value, console)
    return console.file.getvalue()


def test_means_are_over_tasks(settings):
    found = add_up(settings, attempts({0: "11", 1: "10", 2: "00", 3: "1."}), k=2)
    assert found.summary["success"].mean == pytest.approx((1 + 0.5 + 0 + 1) / 4)
    assert found.summary["reward"].mean == pytest.approx((4 + 2.5 + 1 + 4) / 4)
    assert found.summary["pass@1"] == found.summary["success"]
    assert found.summary["pass@2"].mean == pytest.approx(2 / 3), "task 3 has one attempt alone"
    assert found.summary["pass^2"].mean == pytest.approx(1 / 3)
    assert found.components["correctness"].mean == pytest.approx((3 + 1.5 + 0 + 3) / 4)
    assert "total" not in found.components
    assert (found.planned, found.done, found.complete) == (8, 7, False)


def test_categories_are_apart(settings):
    table = attempts({0: "11", 1: "00"}, t1={"category": "b", "turns": 3})
    found = add_up(settings, table, k=1)
    assert {name: each["success"].mean for name, each in found.categories.items()} == {
        "a": 1,
        "b": 0,
    }
    assert found.summary["turns"].mean == 2
    assert "b" in printed(show_results, found)


def test_nothing_done_adds_up_to_nothing(settings):
    failures = [Failure(0, 0, "timeout", "silence [bold]")]
    found = add_up(settings, {}, 1, failures, "no money")
    assert found.summary == found.components == found.categories == {}
    text = printed(show_results, found)
    assert "0 tasks, 0 of 8 attempts" in text
    assert "1 failed and have no reward: timeout: silence [bold]" in text
    assert "stopped: no money" in text


def test_attempts_that_are_not_planned_do_not_count(settings):
    found = add_up(settings, attempts({0: "11", 9: "00"}), k=1)
    assert [task.task_id for task in found.tasks] == ["task-0"]


def test_the_file(settings, tmp_path):
    found = add_up(settings, attempts({0: "1.", 1: "01"}), 1, [Failure(0, 1, "timeout", "x")])
    write_results(tmp_path / "r.json", found)
    assert read_results(tmp_path / "r.json") == found
    fields = json.loads((tmp_path / "r.json").read_text())
    assert (fields["planned"], fields["done"], fields["complete"]) == (8, 3, False)


@pytest.mark.parametrize("change", [{"version": 2}, {"tasks": 3}, {"summary": {"reward": {}}}])
def test_a_damaged_file_is_named(change, settings, tmp_path):
    path = tmp_path / "r.json"
    write_results(path, add_up(settings, attempts({0: "11"}), 1))
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(DataError, match=r"r.json"):
        read_results(path)


# --------------------------------------------------------------------------- comparing


def test_a_comparison_by_hand(settings):
    before = add_up(settings, attempts({0: "00", 1: "11", 2: "10", 3: "00"}), 1)
    other = dataclasses.replace(settings, agent="y")
    after = add_up(other, attempts({0: "11", 1: "00", 2: "11"}), 1)
    found = compare(before, after)
    assert found.success.tasks == 3
    assert found.success.before == pytest.approx(0.5)
    assert found.success.after == pytest.approx(2 / 3)
    assert found.success.difference.mean == pytest.approx(1 / 6)
    assert found.success.p_value == 1.0
    assert found.gained == ("task-0",)
    assert found.lost == ("task-1",)
    assert found.only_before == ("task-3",)
    assert found.settings == {"agent": ("x", "y")}
    text = printed(show_comparison, found)
    assert "newly solved: 1 (task-0)" in text
    assert "no longer solved: 1 (task-1)" in text
    assert "only in the first: 1 (task-3)" in text
    assert 'setting agent: "x" -> "y"' in text


def test_categories_are_compared_apart(settings):
    marks = {"t1": {"category": "b"}}
    before = add_up(settings, attempts({0: "00", 1: "11"}, **marks), 1)
    after = add_up(settings, attempts({0: "11", 1: "11"}, **marks), 1)
    found = compare(before, after)
    assert found.categories["a"]["success"].difference.mean == 1.0
    assert found.categories["b"]["success"].difference.mean == 0.0
    assert "b: success" in printed(show_comparison, found)


def test_a_result_does_not_differ_from_itself(settings):
    results = add_up(settings, attempts({0: "10", 1: "11"}), 1)
    found = compare(results, results)
    assert found.reward.difference.mean == 0.0
    assert found.reward.p_value == 1.0
    assert (found.gained, found.lost, found.settings) == ((), (), {})


def test_other_tasks_do_not_compare(settings):
    results = add_up(settings, attempts({0: "11"}), 1)
    other = dataclasses.replace(settings, fingerprint="f" * 64)
    with pytest.raises(ConfigurationError, match="fingerprint"):
        compare(results, add_up(other, attempts({0: "11"}), 1))
    with pytest.raises(ConfigurationError, match="share no finished task"):
        compare(results, add_up(settings, attempts({1: "11"}), 1))

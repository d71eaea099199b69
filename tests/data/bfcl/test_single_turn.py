from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from toolrl_env.core.errors import UnknownName, UnknownTask
from toolrl_env.core.session import TaskSource
from toolrl_env.core.types import GroundTruth, ToolCall
from toolrl_env.data.bfcl import GROUPS, SINGLE_TURN, BFCLSource
from toolrl_env.parsing import get_protocol, parse_ground_truth
from toolrl_env.rewards import RewardConfig, score_action
from toolrl_env.tools import CallValidator, as_parsed

SIZES = {
    "simple_python": 400,
    "simple_java": 100,
    "simple_javascript": 50,
    "multiple": 200,
    "parallel": 200,
    "parallel_multiple": 200,
    "irrelevance": 240,
    "live_simple": 258,
    "live_multiple": 1053,
    "live_parallel": 16,
    "live_parallel_multiple": 24,
    "live_irrelevance": 884,
    "live_relevance": 16,
}
UNSATISFIABLE = {
    "simple_java_36",
    "simple_java_64",
    "simple_java_65",
    "live_simple_106-63-0",
    "live_simple_112-68-0",
    "live_multiple_862-181-3",
    "live_multiple_964-207-0",
}
PROTOCOL = get_protocol("toolrl")


@pytest.fixture(scope="module")
def everything() -> list[BFCLSource]:
    return []


@pytest.fixture
def source(everything: list[BFCLSource]) -> BFCLSource:
    """Every task with a gold answer, loaded once."""
    if not everything:
        everything.append(BFCLSource("all", "all"))
    return everything[0]


def test_sizes_of_categories() -> None:
    assert set(SIZES) == set(SINGLE_TURN)
    assert {category: len(BFCLSource(category, "all")) for category in SINGLE_TURN} == SIZES


def test_groups() -> None:
    assert {*GROUPS["live"], *GROUPS["non_live"]} == {*GROUPS["all"]}
    assert {*SINGLE_TURN} - {*GROUPS["all"]} == {"live_relevance"}
    live = BFCLSource("live", "all")
    assert Counter(task.category for task in live.tasks) == {c: SIZES[c] for c in GROUPS["live"]}


def test_bad_options_are_refused_with_a_hint() -> None:
    with pytest.raises(UnknownName, match="simple_python"):
        BFCLSource("simple_pyton")
    with pytest.raises(UnknownName, match="validation"):
        BFCLSource("all", "dev")


def test_gold_passes_the_official_checker_but_for_seven(source: BFCLSource) -> None:
    """The seven are what the field notes list: the checker refuses its own possible answers."""
    flawed = {task.id: task.metadata["flaws"] for task in source.tasks if task.metadata["flaws"]}
    assert set(flawed) == UNSATISFIABLE
    assert all("refuses its own possible answer" in flaws[0] for flaws in flawed.values())
    for task in source.tasks:
        outcome = source.outcome(task, PROTOCOL.parse(task.gold.text))
        assert outcome.ok == (task.id not in flawed), (task.id, outcome)


def test_gold_scores_the_maximum_of_our_reward(source: BFCLSource) -> None:
    for task in list(source.tasks)[::7]:
        assert parse_ground_truth(task.gold.text) == task.gold
        action = PROTOCOL.parse(task.gold.text)
        total = score_action(action, task.gold, PROTOCOL, RewardConfig()).total
        assert total == (4.0 if task.gold.has_call else 1.0), task.id


def test_gold_that_is_wrong_by_the_documentation_is_rare(source: BFCLSource) -> None:
    """The official checker does not look at enumerations, nor at types of variables."""
    broken = Counter(
        task.category
        for task in source.tasks
        if not all(
            result.ok
            for result in CallValidator(task.tools).check(
                [as_parsed(ToolCall(v["name"], v["parameters"])) for v in task.gold.values]
            )
        )
    )
    assert broken.total() == 21


@pytest.mark.parametrize("kind", ["dropped call", "extra call", "other name", "lost argument"])
def test_damaged_gold_fails_the_official_checker(source: BFCLSource, kind: str) -> None:
    failed = tried = 0
    for task in source.tasks:
        calls = [dict(value) for value in task.gold.values]
        if task.category not in ("parallel", "multiple", "live_simple") or task.metadata["flaws"]:
            continue
        if kind == "dropped call":
            calls = calls[1:]
        elif kind == "extra call":
            calls.append(calls[0])
        elif kind == "other name":
            calls[0]["name"] += "_"
        else:
            required = next(t for t in task.tools if t.name == calls[0]["name"]).parameters
            if not required.get("required"):
                continue
            lost = required["required"][0]
            calls[0]["parameters"] = {k: v for k, v in calls[0]["parameters"].items() if k != lost}
        tried += 1
        text = PROTOCOL.render(calls, think="t", response=None if calls else "no")
        failed += not source.outcome(task, PROTOCOL.parse(text)).ok
    assert tried > 400
    assert failed == tried


def test_irrelevance_and_relevance(source: BFCLSource) -> None:
    call = PROTOCOL.parse(PROTOCOL.render([ToolCall("f", {})], think="t"))
    words = PROTOCOL.parse("<think> t </think>\n<response> no </response>")
    task = next(task for task in source.tasks if task.category == "irrelevance")
    assert not task.gold.has_call
    assert source.outcome(task, words).ok
    assert not source.outcome(task, call).ok
    relevance = BFCLSource("live_relevance", "all")
    for task in relevance.tasks:
        assert task.gold == GroundTruth("", has_call=True, has_response=False)
        assert task.metadata["flaws"] == ("there is no official answer: any call is right",)
        assert relevance.outcome(task, call).ok
        assert not relevance.outcome(task, words).ok


def test_java_and_javascript_are_shown_and_answered_as_text(source: BFCLSource) -> None:
    for task in source.tasks:
        if task.category in ("simple_java", "simple_javascript"):
            for value in task.gold.values:
                assert all(isinstance(v, str) for v in value["parameters"].values())
            kinds = {p["type"] for t in task.tools for p in t.parameters["properties"].values()}
            assert kinds <= {"string"}


def test_messages_hold_the_conversation_without_a_system_message(source: BFCLSource) -> None:
    for task in source.tasks:
        assert {message.role for message in task.messages} <= {"user", "assistant"}
        assert task.messages[0].role == task.messages[-1].role == "user"
    assert all(task.system is None for task in source.tasks)
    entries = source._entries
    with_system = [e for e in entries.values() if e.messages[0]["role"] == "system"]
    assert len(with_system) == 91
    for entry in with_system:
        first = source[source.index_of(entry.id)].messages[0].content
        assert first == f"{entry.messages[0]['content']}\n\n{entry.messages[1]['content']}"


def test_indices_ids_draws_and_fingerprints(source: BFCLSource) -> None:
    tasks: TaskSource = BFCLSource("multiple", "train")
    assert tasks.size is not None
    assert all(tasks.index_of(tasks[i].id) == i for i in range(tasks.size))
    assert tasks.draw(np.random.default_rng(1)) == tasks.draw(np.random.default_rng(1))
    with pytest.raises(UnknownTask):
        tasks[tasks.size]
    with pytest.raises(UnknownTask, match="multiple_"):
        tasks.index_of("multiple_x")
    made = {
        BFCLSource(c, s).fingerprint for c in ("multiple", "live_simple") for s in ("train", "test")
    }
    assert len(made | {source.fingerprint}) == 5
    assert tasks.fingerprint in made
    assert (tasks.name, tasks.split, tasks.is_sample) == ("bfcl", "train", False)


def test_a_task_of_another_split_has_no_outcome_here() -> None:
    train, test = BFCLSource("multiple", "train"), BFCLSource("multiple", "test")
    with pytest.raises(UnknownTask):
        train.outcome(test[0], PROTOCOL.parse("x"))

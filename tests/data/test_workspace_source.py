"""WorkspaceSource: addressing, splits, levels, features, fingerprints, other processes."""

from __future__ import annotations

import copy
import pickle
import re
from collections import Counter

import numpy as np
import pytest

from tests.data.workspace_support import calls_of
from tests.fresh_process import in_fresh_processes
from toolrl_env.core.errors import ConfigurationError, UnknownName, UnknownTask
from toolrl_env.core.session import SessionSource, TaskSource
from toolrl_env.core.types import Task
from toolrl_env.data.procedural.workspace import LEVELS, WorkspaceSource
from toolrl_env.data.procedural.workspace.names import names_of, split_of_name
from toolrl_env.data.split import SPLITS
from toolrl_env.parsing import parse_ground_truth
from toolrl_env.tools.suites.workspace import LOCKED

NAMED = SPLITS[:3]


def take(source: WorkspaceSource, count: int) -> list[Task]:
    return [source[index] for index in range(count)]


def test_it_is_a_session_source() -> None:
    source: SessionSource = WorkspaceSource()
    also: TaskSource = WorkspaceSource()
    assert (source.name, source.split, source.is_sample, source.size) == (
        "workspace",
        "train",
        False,
        None,
    )
    assert also.fingerprint == source.fingerprint


@pytest.mark.parametrize(("split", "difficulty"), [("train", None), ("test", 7), ("all", None)])
def test_an_index_alone_determines_its_task(split: str, difficulty: int | None) -> None:
    one, two = WorkspaceSource(split, difficulty), WorkspaceSource(split, difficulty)
    forwards = take(one, 20)
    backwards = [two[index] for index in reversed(range(20))]
    assert forwards == backwards[::-1]
    assert [one.gold_turns(task) for task in forwards] == [two.gold_turns(t) for t in forwards]
    hashes = [[source.open(task).state_hash() for task in forwards] for source in (one, two)]
    assert hashes[0] == hashes[1]
    assert len({task.id for task in forwards}) == len(set(hashes[0])) == 20


def test_tasks_and_offices_are_the_same_in_another_process() -> None:
    program = (
        "from toolrl_env.data.procedural.workspace import WorkspaceSource as S; import hashlib\n"
        "s = S('test'); ts = [s[i] for i in range(30)]\n"
        "all_ = repr([(t, s.gold_turns(t), s.open(t).state_hash()) for t in ts])\n"
        "print(hashlib.sha256(all_.encode()).hexdigest(), s.fingerprint)"
    )
    outputs = in_fresh_processes(program)
    assert len(outputs) == 1
    assert outputs.pop().split()[1] == WorkspaceSource("test").fingerprint


def test_ids_lead_back_to_their_index() -> None:
    for source in (WorkspaceSource(), WorkspaceSource("validation", 3)):
        for index in (0, 5, 2**31, 10**30):
            assert source.index_of(f"{source._prefix}{index}") == index
        assert source.index_of(source[4].id) == 4


@pytest.mark.parametrize(
    "task_id",
    ["", "workspace-train-mixed-", "workspace-train-mixed-01", "workspace-train-mixed--1", "x-1",
     "workspace-train-mixed-²", "workspace-train-d3-1", f"workspace-train-mixed-{'9' * 50}"],
)  # fmt: skip
def test_other_ids_are_refused(task_id: str) -> None:
    with pytest.raises(UnknownTask, match="ids look like"):
        WorkspaceSource().index_of(task_id)


def test_tasks_of_other_sources_cannot_be_opened() -> None:
    task = WorkspaceSource("train", 3)[0]
    for source in (WorkspaceSource(), WorkspaceSource("test", 3)):
        with pytest.raises(UnknownTask):
            source.open(task)
        with pytest.raises(UnknownTask):
            source.gold_turns(task)
    with pytest.raises(UnknownTask, match="without end"):
        _ = WorkspaceSource()[-1]


@pytest.mark.parametrize("difficulty", [0, 13, -1, 1.5, "3", True])
def test_odd_difficulties_are_refused(difficulty: int) -> None:
    with pytest.raises(ConfigurationError, match="difficulty"):
        WorkspaceSource("train", difficulty)


def test_odd_splits_are_refused_with_a_hint() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'train'"):
        WorkspaceSource("trian")


def test_fingerprints_tell_sources_apart_and_copies_do_not() -> None:
    sources = [WorkspaceSource(), WorkspaceSource("test"), WorkspaceSource("train", 4)]
    assert len({source.fingerprint for source in sources}) == 3
    assert all(re.fullmatch("[0-9a-f]{64}", source.fingerprint) for source in sources)
    for other in (pickle.loads(pickle.dumps(sources[2])), copy.deepcopy(sources[2])):
        assert other.fingerprint == sources[2].fingerprint
        assert other[6] == sources[2][6]


def test_draws_are_spread_and_follow_the_generator() -> None:
    source = WorkspaceSource()
    one, two = (np.random.default_rng(3) for _ in range(2))
    drawn = [source.draw(one) for _ in range(50)]
    assert drawn == [source.draw(two) for _ in range(50)]
    assert len(set(drawn)) == 50
    assert all(0 <= index < 2**31 for index in drawn)


# --------------------------------------------------------------------------- splits


def test_names_belong_to_one_split_each() -> None:
    for kind in ("people", "topics", "firms"):
        pools = [set(getattr(names_of(split), kind)) for split in NAMED]
        assert all(len(pool) >= 40 for pool in pools)
        assert len(set.union(*pools)) == sum(map(len, pools))
    for split in NAMED:
        assert all(split_of_name(topic) == split for topic in names_of(split).topics)
        assert all(split_of_name(" ".join(name)) == split for name in names_of(split).people)


def _names(split: str) -> list[str]:
    names = names_of(split)
    people = [f"{first} {last}" for first, last in names.people]
    people += [f"{first}.{last}@".lower() for first, last in names.people]
    topics = [*names.topics, *(topic.lower().replace(" ", "-") for topic in names.topics)]
    return [*people, *topics, *names.firms]


@pytest.mark.parametrize("split", NAMED)
def test_every_request_names_something_of_its_split_and_nothing_of_another(split: str) -> None:
    own = re.compile("|".join(map(re.escape, _names(split))))
    foreign = re.compile(
        r"\b(?:" + "|".join(re.escape(n) for s in NAMED if s != split for n in _names(s)) + r")"
    )
    for task in take(WorkspaceSource(split), 60):
        text = task.messages[0].content
        assert own.search(text), text
        assert not foreign.search(text), text


def test_no_request_of_one_split_occurs_in_another() -> None:
    texts = [
        {task.messages[0].content for task in take(WorkspaceSource(split, level), 30)}
        for split in NAMED
        for level in (1, 2)
    ]
    by_split = [texts[0] | texts[1], texts[2] | texts[3], texts[4] | texts[5]]
    assert len(set.union(*by_split)) == sum(map(len, by_split))
    assert all(len(found) >= 58 for found in by_split)


def test_all_mixes_the_splits() -> None:
    train = re.compile("|".join(map(re.escape, _names("train"))))
    found = Counter(
        bool(train.search(t.messages[0].content)) for t in take(WorkspaceSource("all"), 120)
    )
    assert 75 <= found[True] <= 115


# --------------------------------------------------------------------------- tasks


def test_levels_are_mixed_evenly_and_are_what_they_say() -> None:
    tasks = take(WorkspaceSource(), 360)
    levels = Counter(task.difficulty for task in tasks)
    assert set(levels) == set(LEVELS)
    assert min(levels.values()) >= 12
    assert all(task.metadata["calls"] == task.difficulty for task in tasks)
    assert all(1 <= task.metadata["depth"] <= task.difficulty for task in tasks)


def test_calls_depend_on_one_another_more_and_more() -> None:
    means = []
    for level in (1, 4, 8, 12):
        depths = [task.metadata["depth"] for task in take(WorkspaceSource("train", level), 40)]
        means.append(sum(depths) / len(depths))
        assert max(depths) >= 0.7 * level
    assert means[0] == 1
    assert means == sorted(means)
    assert means[-1] >= 6


def test_every_kind_of_difficulty_occurs() -> None:
    features = Counter(f for t in take(WorkspaceSource(), 300) for f in t.metadata["features"])
    assert set(features) == {
        "missing_information",
        "follow_up",
        "late_tools",
        "payment_code",
        "transient_faults",
        "irreversible",
    }
    assert min(features.values()) >= 25
    categories = Counter(task.category for task in take(WorkspaceSource(), 300))
    assert len(categories) == 5
    assert min(categories.values()) >= 20


def test_offered_tools_hold_what_is_needed_and_more_with_the_level() -> None:
    sizes = []
    for level in LEVELS:
        source = WorkspaceSource("train", level)
        count = 0
        for task in take(source, 15):
            names = [spec.name for spec in task.tools]
            assert len(set(names)) == len(names)
            assert not set(names) & set(LOCKED)
            needed = {call.name for call in calls_of(source, task)} - set(LOCKED)
            if "late_tools" not in task.metadata["features"]:
                assert needed <= set(names)
                assert len(set(names) - needed) >= 3
            count += len(names)
        sizes.append(count / 15)
    assert sizes[0] < 8
    assert 20 < sizes[-1] < 40


def test_requests_are_worded_in_many_ways() -> None:
    source = WorkspaceSource("train", 1)
    texts = [task.messages[0].content for task in take(source, 200)]
    shapes = {re.sub(r'"[^"]*"|[\w.]+@[\w.]+|/[\w./-]+|\d[\d.:-]*|[A-Z]\w+', "…", t) for t in texts}
    assert len(shapes) >= 90
    gold = Counter(calls_of(source, task)[-1].name for task in take(source, 200))
    assert len(gold) >= 20


def test_requests_read_well() -> None:
    for task in take(WorkspaceSource(), 300):
        text = task.messages[0].content
        assert len(task.messages) == 1
        assert "{" not in text
        assert "}" not in text
        assert "None" not in text
        assert ".." not in text
        assert "  " not in text
        assert len(text) < 1200
        assert re.search(r"[.!?]( Cheers)?\Z", text), text


def test_the_first_gold_turn_is_the_gold_answer() -> None:
    source = WorkspaceSource()
    for task in take(source, 60):
        first = source.gold_turns(task)[0]
        assert task.gold == parse_ground_truth(task.gold.text)
        if isinstance(first, str):
            assert not task.gold.has_call
            assert first in task.gold.text
        else:
            expected = [{"name": c.name, "parameters": dict(c.arguments)} for c in first]
            assert list(task.gold.values) == expected

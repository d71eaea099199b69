"""ToolboxSource: addressing, splits, levels, fingerprints, copies."""

from __future__ import annotations

import copy
import itertools
import pickle
from collections import Counter

import numpy as np
import pytest

from tests.fresh_process import in_fresh_processes
from toolrl_env.core.errors import ConfigurationError, UnknownName, UnknownTask
from toolrl_env.core.types import Task
from toolrl_env.data.procedural import ToolboxSource
from toolrl_env.data.procedural.categories import CATEGORIES, WEIGHTS
from toolrl_env.data.source import TaskSource
from toolrl_env.tools.suites.toolbox import TOOLBOX

SPLITS = ("train", "validation", "test")


def take(source: ToolboxSource, count: int) -> list[Task]:
    return [source[index] for index in range(count)]


def test_it_is_a_task_source() -> None:
    source: TaskSource = ToolboxSource()
    assert (source.name, source.split, source.is_sample, source.size) == (
        "toolbox",
        "train",
        False,
        None,
    )


@pytest.mark.parametrize("difficulty", [None, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("split", [*SPLITS, "all"])
def test_an_index_alone_determines_its_task(split: str, difficulty: int | None) -> None:
    one, two = ToolboxSource(split, difficulty), ToolboxSource(split, difficulty)
    forwards = take(one, 25)
    backwards = [two[index] for index in reversed(range(25))]
    assert forwards == backwards[::-1]
    assert len({task.id for task in forwards}) == 25


def test_tasks_are_the_same_in_another_process() -> None:
    program = (
        "from toolrl_env.data.procedural import ToolboxSource as S; import hashlib; s = S('test'); "
        "print(hashlib.sha256(repr([s[i] for i in range(40)]).encode()).hexdigest(), s.fingerprint)"
    )
    outputs = in_fresh_processes(program)
    assert len(outputs) == 1
    assert ToolboxSource("test").fingerprint in outputs.pop()


def test_large_indices_work() -> None:
    source = ToolboxSource()
    for index in (0, 2**31, 10**30):
        assert source.index_of(source[index].id) == index


@pytest.mark.parametrize("difficulty", [None, 4])
def test_ids_are_inverted(difficulty: int | None) -> None:
    source = ToolboxSource("validation", difficulty)
    for index in (0, 1, 9, 10, 12345, 2**40):
        assert source.index_of(source[index].id) == index


@pytest.mark.parametrize(
    "task_id",
    [
        "",
        "toolbox",
        "toolbox-train-d1-",
        "toolbox-train-d1-x",
        "toolbox-train-d1--1",
        "toolbox-train-d1-01",
        "toolbox-train-d1-1 ",
        "toolbox-train-d1-１",
        "toolbox-train-d2-1",
        "toolbox-test-d1-1",
        "toolbox-train-mixed-1",
        "toolbox-train-d1-" + "9" * 10_000,
    ],
)
def test_ids_of_something_else_are_refused(task_id: str) -> None:
    with pytest.raises(UnknownTask, match="toolbox-train-d1-17"):
        ToolboxSource("train", 1).index_of(task_id)


def test_negative_indices_are_refused() -> None:
    with pytest.raises(UnknownTask, match="-1"):
        ToolboxSource()[-1]


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'train'"):
        ToolboxSource("trian")
    for bad in (0, 6, "1", True, 1.0, 1.5):
        with pytest.raises(ConfigurationError, match="difficulty"):
            ToolboxSource(difficulty=bad)  # type: ignore[arg-type]


def test_draw_is_reproducible_and_spread() -> None:
    source = ToolboxSource()
    drawn = [source.draw(np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    rng = np.random.default_rng(0)
    indices = [source.draw(rng) for _ in range(500)]
    assert all(type(index) is int and index >= 0 for index in indices)
    assert len(set(indices)) == 500


def test_copies_give_the_same_tasks() -> None:
    source = ToolboxSource("test", 3)
    first = source[7]
    for other in (copy.copy(source), copy.deepcopy(source), pickle.loads(pickle.dumps(source))):
        assert (other.split, other.difficulty) == ("test", 3)
        assert other[7] == first
        assert other.fingerprint == source.fingerprint
    assert pickle.loads(pickle.dumps(first)) == first


def test_fingerprints_differ_by_split_and_difficulty() -> None:
    sources = [ToolboxSource(s, d) for s in SPLITS for d in (None, 1, 5)]
    fingerprints = [source.fingerprint for source in sources]
    assert len(set(fingerprints)) == len(fingerprints)
    assert all(len(f) == 64 and set(f) <= set("0123456789abcdef") for f in fingerprints)


def test_memory_is_bounded() -> None:
    source = ToolboxSource(difficulty=1)
    for index in range(1500):
        source[index]
    assert source._recent.cache_info().currsize == 1024


def calls_of(task: Task) -> set[str]:
    return {repr((v["name"], sorted(v["parameters"].items()))) for v in task.gold.values}


@pytest.mark.parametrize("difficulty", [1, None])
def test_splits_are_disjoint_call_by_call_and_text_by_text(difficulty: int | None) -> None:
    calls: dict[str, set[str]] = {}
    texts: dict[str, set[str]] = {}
    for split in SPLITS:
        tasks = take(ToolboxSource(split, difficulty), 900)
        calls[split] = set().union(*map(calls_of, tasks))
        texts[split] = {
            task.messages[-1].content
            for task in tasks
            if task.messages[-1].role == "user" and len(task.messages) == 1
        }
        assert len(calls[split]) > 400
    for one, two in itertools.combinations(SPLITS, 2):
        assert not calls[one] & calls[two]
        assert not texts[one] & texts[two]


def test_levels_and_categories_are_mixed_as_documented() -> None:
    for level, weights in WEIGHTS.items():
        assert sum(weights) == 100
        tasks = take(ToolboxSource(difficulty=level), 400)
        assert {task.difficulty for task in tasks} == {level}
        seen = Counter(task.category for task in tasks)
        for category, weight in zip(CATEGORIES, weights, strict=True):
            assert abs(seen[category] - 4 * weight) <= 40, (level, category)
            assert (seen[category] == 0) is (weight == 0)
    mixed = Counter(task.difficulty for task in take(ToolboxSource(), 600))
    assert set(mixed) == {1, 2, 3, 4, 5}
    assert min(mixed.values()) > 80


def test_levels_are_graded() -> None:
    tools: list[float] = []
    calls: list[float] = []
    for level in range(1, 6):
        tasks = take(ToolboxSource(difficulty=level), 200)
        tools.append(sum(len(task.tools) for task in tasks) / 200)
        called = [len(task.gold.values) for task in tasks if task.gold.has_call]
        calls.append(sum(called) / len(called))
    assert tools == sorted(tools)
    assert calls[0] == 1.0
    assert calls[4] > calls[2] > calls[0]


def test_every_tool_is_asked_for_and_none_is_offered_twice() -> None:
    asked: set[str] = set()
    for task in take(ToolboxSource(), 1500):
        names = [tool.name for tool in task.tools]
        assert len(set(names)) == len(names)
        assert names == [tool.name for tool in ToolboxSource().tools_for(task)]
        asked |= {value["name"] for value in task.gold.values}
    assert asked == set(TOOLBOX)


def test_tools_for_gives_the_offered_tools() -> None:
    source = ToolboxSource()
    task = source[0]
    tools = source.tools_for(task)
    assert [tool.spec for tool in tools] == list(task.tools)
    assert all(tool.spec is spec for tool, spec in zip(tools, task.tools, strict=True))


def test_what_a_task_holds_cannot_be_changed_for_others() -> None:
    task = ToolboxSource()[0]
    with pytest.raises(TypeError):
        task.metadata["expected_results"].append(1)
    with pytest.raises(TypeError):
        task.tools[0].parameters["properties"]["x"] = {}  # type: ignore[index]

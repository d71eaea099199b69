from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from toolrl_env.data.bfcl import CATEGORIES, SINGLE_TURN, BFCLMultiTurnSource, BFCLSource
from toolrl_env.data.bfcl.scenario import read_scenarios
from toolrl_env.data.bfcl.single_turn import _read, _split_of
from toolrl_env.data.bfcl.split import (
    SCENARIOS,
    functions_in_common,
    group_split,
    scenario_split,
)

PARTS = ("train", "validation", "test")


def test_scenarios_are_split_80_20_100() -> None:
    assert Counter(map(scenario_split, range(SCENARIOS))) == {
        "train": 80,
        "validation": 20,
        "test": 100,
    }


def test_the_split_is_what_was_declared() -> None:
    """A change here would change what every published number means."""
    first = [n for n in range(SCENARIOS) if scenario_split(n) == "validation"]
    assert first[:6] == VALIDATION


VALIDATION = [1, 7, 12, 18, 25, 27]


def test_the_four_categories_tell_the_same_stories() -> None:
    """Which is why they are split together."""
    base = {s.number: s for s in read_scenarios("base")}
    for category in CATEGORIES[1:]:
        for scenario in read_scenarios(category):
            twin = base[scenario.number]
            assert set(scenario.classes) == set(twin.classes)
            gold = {call.name for calls in scenario.gold for call in calls}
            twins = {call.name for calls in twin.gold for call in calls}
            assert 2 * len(gold & twins) >= min(len(gold), len(twins)), scenario.id


def test_no_scenario_is_in_two_splits() -> None:
    numbers = {
        split: {task.metadata["scenario"] for task in BFCLMultiTurnSource("all", split).tasks}
        for split in PARTS
    }
    assert sum(map(len, numbers.values())) == len(set().union(*numbers.values())) == SCENARIOS


def test_no_function_is_in_two_splits_of_single_turn() -> None:
    seen: dict[str, set[str]] = {split: set() for split in PARTS}
    for category in SINGLE_TURN:
        for entry in _read(category):
            known = (repr((f["name"], f["parameters"])) for f in entry.functions)
            seen[_split_of(entry.id)].update(known)
    train, validation, test = (seen[split] for split in PARTS)
    assert not train & test
    assert not train & validation
    assert not validation & test


def test_single_turn_is_split_about_45_12_43() -> None:
    sizes = {split: len(BFCLSource("all", split)) for split in PARTS}
    assert sizes == {"train": 1629, "validation": 418, "test": 1578}


@given(st.dictionaries(st.text("abcd", min_size=1), st.lists(st.integers(0, 9), max_size=4)))
def test_groups_are_the_connected_components(functions: dict[str, list[int]]) -> None:
    groups = functions_in_common(functions)
    assert groups.keys() == functions.keys()
    for one, group in groups.items():
        assert groups[group] == group <= one
        for two, other in groups.items():
            if set(functions[one]) & set(functions[two]):
                assert group == other
    for group in set(groups.values()):
        members = [entry for entry in groups if groups[entry] == group]
        reached = {group}
        for _ in members:
            reached |= {
                m for m in members for r in reached if set(functions[m]) & set(functions[r])
            }
        assert reached == set(members)


def test_groups_land_in_every_split() -> None:
    assert {group_split(f"live_simple_{n}") for n in range(50)} == set(PARTS)

from __future__ import annotations

import copy
import json
import random
import re
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolrl_env.data import transforms

NAMES = st.text("abc .", min_size=1, max_size=4)
DOCS = st.dictionaries(NAMES, st.fixed_dictionaries({"type": st.just("str")}), max_size=3)


@st.composite
def rows(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    documented = draw(st.dictionaries(NAMES, DOCS, min_size=1, max_size=4))
    tools = [{"name": n, "description": "d", "parameters": d} for n, d in documented.items()]
    called = draw(st.lists(st.sampled_from(tools), max_size=4))
    answers = [
        {"name": t["name"], "arguments": {key: draw(st.integers()) for key in t["parameters"]}}
        for t in called
    ]
    return tools, answers


@given(rows(), st.integers(0, 9))
def test_masking_is_consistent_reversible_and_leaves_its_input(
    row: tuple[list[dict[str, Any]], list[dict[str, Any]]], seed: int
) -> None:
    tools, answers = row
    before = copy.deepcopy(row)
    masked, masked_answers = transforms.mask_names(tools, answers, random.Random(seed))
    assert row == before
    assert (masked, masked_answers) == transforms.mask_names(tools, answers, random.Random(seed))
    back = {new["name"]: old["name"] for old, new in zip(tools, masked, strict=True)}
    assert len(back) == len(tools)
    keys = {
        (new["name"], k): o
        for old, new in zip(tools, masked, strict=True)
        for o, k in zip(old["parameters"], new["parameters"], strict=True)
    }
    assert len(keys) == sum(len(tool["parameters"]) for tool in tools)
    unmasked = [
        {
            "name": back[answer["name"]],
            "arguments": {keys[answer["name"], k]: v for k, v in answer["arguments"].items()},
        }
        for answer in masked_answers
    ]
    assert unmasked == answers
    for name in back:
        assert re.fullmatch(r"[A-Za-z0-9_.]{5,15}", name)
    for _, key in keys:
        assert re.fullmatch(r"[A-Za-z0-9_.]{4,10}", key)


def test_masks_use_every_length_and_keep_descriptions() -> None:
    tools = [
        {"name": f"f{i}", "description": f"does {i}", "parameters": {"p": {}}} for i in range(400)
    ]
    masked, _ = transforms.mask_names(tools, [], random.Random(0))
    assert {len(tool["name"]) for tool in masked} == set(range(5, 16))
    assert {len(key) for tool in masked for key in tool["parameters"]} == set(range(4, 11))
    assert [tool["description"] for tool in masked] == [f"does {i}" for i in range(400)]


def test_names_that_no_tool_documents_are_masked_too() -> None:
    answers = [{"name": "ghost", "arguments": {"k": 1}}, {"name": "f", "arguments": {"extra": 2}}]
    tools = [{"name": "f", "parameters": {}}]
    _, masked = transforms.mask_names(tools, answers, random.Random(1))
    assert "ghost" not in json.dumps(masked)
    assert "extra" not in json.dumps(masked)
    assert [list(answer["arguments"].values()) for answer in masked] == [[1], [2]]


@pytest.mark.parametrize("default", [3, 0, -7, 2.5, "north", "", True, False])
def test_a_default_that_gives_the_answer_away_changes(default: object) -> None:
    tools = [{"name": "f", "parameters": {"a": {"type": "t", "default": default}}}]
    answers = [{"name": "f", "arguments": {"a": default}}]
    changed, same = transforms.randomise_defaults(tools, answers, random.Random(0))
    new = changed[0]["parameters"]["a"]["default"]
    assert type(new) is type(default)
    assert new != default
    assert same == answers
    assert tools[0]["parameters"]["a"]["default"] == default


@pytest.mark.parametrize(
    ("default", "gold"),
    [(3, 4), (1, True), (1, 1.0), ("3", 3), ([1], [1]), (None, None), ({}, {})],
)
def test_other_defaults_stay(default: object, gold: object) -> None:
    tools = [{"name": "f", "parameters": {"a": {"default": default}}}]
    answers = [{"name": "f", "arguments": {"a": gold}}]
    changed, _ = transforms.randomise_defaults(tools, answers, random.Random(0))
    assert changed == tools


def test_both_boolean_values_taken_leaves_the_default() -> None:
    tools = [{"name": "f", "parameters": {"a": {"default": True}}}]
    answers = [{"name": "f", "arguments": {"a": value}} for value in (True, False)]
    assert transforms.randomise_defaults(tools, answers, random.Random(0))[0] == tools


def test_defaults_of_other_tools_stay() -> None:
    tools = [{"name": n, "parameters": {"a": {"default": 5}}} for n in ("f", "g")]
    changed, _ = transforms.randomise_defaults(
        tools, [{"name": "f", "arguments": {"a": 5}}], random.Random(0)
    )
    assert changed[0]["parameters"]["a"]["default"] != 5
    assert changed[1] == tools[1]


def test_odd_documentation_is_passed_through() -> None:
    tools = [{"name": "f", "parameters": {"a": "just words"}}, {"name": "g"}]
    answers = [{"name": "f", "arguments": {"a": "just words"}}]
    changed, _ = transforms.randomise_defaults(tools, answers, random.Random(0))
    assert changed[0] == tools[0]
    assert changed[1]["parameters"] == {}


def test_shuffling_reaches_every_order() -> None:
    tools = [{"name": n} for n in "abc"]
    seen = Counter(
        "".join(t["name"] for t in transforms.shuffle_tools(tools, [], random.Random(s))[0])
        for s in range(300)
    )
    assert len(seen) == 6
    assert min(seen.values()) > 25
    assert [t["name"] for t in tools] == ["a", "b", "c"]


def test_removing_the_gold_tools() -> None:
    tools = [{"name": n} for n in "abca"]
    answers = [{"name": "a", "arguments": {}}, {"name": "c", "arguments": {}}]
    assert transforms.remove_gold_tools(tools, answers) == ([{"name": "b"}], [])
    assert transforms.remove_gold_tools(tools[:1], answers) == ([], [])

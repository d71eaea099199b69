from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest

from toolrl_env.core.errors import UnknownName, UnknownTask
from toolrl_env.core.session import Session, SessionSource
from toolrl_env.core.types import ToolCall
from toolrl_env.data.bfcl import CATEGORIES, BFCLMultiTurnSource
from toolrl_env.parsing import parse_ground_truth
from toolrl_env.tools import as_parsed

SIZES = {"train": 80, "validation": 20, "test": 100, "all": 200}


@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.parametrize("split", SIZES)
def test_sizes(category: str, split: str) -> None:
    source = BFCLMultiTurnSource(category, split)
    assert source.size == len(source) == SIZES[split]
    assert source[0].category == category


def test_all_categories_together() -> None:
    source = BFCLMultiTurnSource("all", "train")
    assert Counter(task.category for task in source.tasks) == dict.fromkeys(CATEGORIES, 80)


def test_bad_options_are_refused_with_a_hint() -> None:
    with pytest.raises(UnknownName, match="miss_func"):
        BFCLMultiTurnSource("miss_funk")
    with pytest.raises(UnknownName, match="train"):
        BFCLMultiTurnSource("base", "trian")


def test_it_is_a_session_source() -> None:
    source: SessionSource = BFCLMultiTurnSource()
    session: Session = source.open(source[0])
    assert source.name == "bfcl_multi_turn"
    assert not source.is_sample
    assert session.tools() == source[0].tools


def test_indices_ids_and_draws() -> None:
    source = BFCLMultiTurnSource("miss_param", "test")
    assert all(source.index_of(source[i].id) == i for i in range(len(source)))
    drawn = [source.draw(np.random.default_rng(3)) for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert {source.draw(np.random.default_rng(n)) for n in range(400)} <= set(range(100))
    with pytest.raises(UnknownTask):
        source[100]
    with pytest.raises(UnknownTask, match="multi_turn_miss_param"):
        source.index_of("multi_turn_miss_parm_0")


def test_a_task_of_another_split_is_not_played() -> None:
    train, test = BFCLMultiTurnSource("base", "train"), BFCLMultiTurnSource("base", "test")
    with pytest.raises(UnknownTask):
        train.open(test[0])
    with pytest.raises(UnknownTask):
        train.gold_turns(test[0])


def test_fingerprints() -> None:
    made = {
        BFCLMultiTurnSource(category, split).fingerprint
        for category in ("base", "miss_func")
        for split in SIZES
    }
    assert len(made) == 8
    assert BFCLMultiTurnSource().fingerprint == BFCLMultiTurnSource("base", "train").fingerprint
    assert len(BFCLMultiTurnSource().fingerprint) == 64


def test_a_task_shows_the_first_request_and_nothing_of_what_follows() -> None:
    source = BFCLMultiTurnSource("all", "all")
    for task in source.tasks:
        (message,) = task.messages
        scenario = source._scenarios[task.id]
        assert message.role == "user"
        assert message.content == scenario.users[0]
        assert task.system is None
        shown = json.dumps([[t.name, t.description, t.documented] for t in task.tools])
        assert not any(user in shown for user in scenario.users)
        assert not {n for names in scenario.late.values() for n in names} & {
            t.name for t in task.tools
        }


@pytest.mark.parametrize("category", CATEGORIES)
def test_the_gold_answer_is_the_first_turns(category: str) -> None:
    source = BFCLMultiTurnSource(category, "all")
    for task in source.tasks:
        first = source.gold_turns(task)[0]
        assert parse_ground_truth(task.gold.text) == task.gold
        if isinstance(first, str):
            assert not task.gold.has_call
            assert first in task.gold.text
        else:
            assert [ToolCall(v["name"], v["parameters"]) for v in task.gold.values] == list(first)


@pytest.mark.parametrize("category", CATEGORIES)
def test_gold_turns_pass(category: str) -> None:
    source = BFCLMultiTurnSource(category, "validation")
    for task in source.tasks:
        session = source.open(task)
        for turn in source.gold_turns(task):
            if isinstance(turn, str):
                session.reply(turn)
            else:
                assert all(r.ok for r in session.execute([as_parsed(call) for call in turn]))
        assert session.success, task.id
        assert all(session.progress())


def test_sources_of_one_category_share_what_never_changes() -> None:
    one, two = BFCLMultiTurnSource("base", "train"), BFCLMultiTurnSource("base", "all")
    task = one[0]
    assert two[two.index_of(task.id)].tools[0] is task.tools[0]

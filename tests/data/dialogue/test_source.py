"""Dialogues as tasks."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest

from tests.data.dialogue.conftest import HOTEL, WEATHER, ask, call, came, conversation
from toolrl_env.core.errors import ConfigurationError, DataError, UnknownName, UnknownTask
from toolrl_env.core.types import ToolCall
from toolrl_env.data import SampleDataWarning, load_tasks
from toolrl_env.data.api_bank import APIBank
from toolrl_env.data.dialogue import RECORDED, DialogueSource, load_dialogues
from toolrl_env.data.source import TaskSet

OURS = [
    ("toolace", {}),
    ("rlla", {}),
    ("api_bank", {"level": 1}),
    ("api_bank", {"level": 2}),
    ("api_bank", {"level": 3}),
]


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SampleDataWarning)
        yield


def test_tasks_of_one_step_are_left_out_with_the_reason(hand):
    source = DialogueSource(hand)
    assert [task.id for task in source.tasks] == ["hand-0", "hand-2"]
    assert source.left_out == {"hand-1": "it has one step: nothing follows its answer"}
    assert (source.size, len(source), source.name, source.split) == (2, 2, "hand", "train")
    assert source[1].id == "hand-2"
    assert source.index_of("hand-2") == 1
    assert {source.draw(np.random.default_rng(n)) for n in range(20)} == {0, 1}


def test_what_cannot_be_replayed_is_left_out_with_the_reason(hand):
    odd = conversation(ask("Hi."), call(ToolCall("taxi", {})), came("{}"), task_id="odd")
    source = DialogueSource(TaskSet("hand", "train", (*hand.tasks, odd)))
    assert "which is not on offer" in source.left_out["odd"]


def test_gold_turns_are_calls_and_words(hand):
    source = DialogueSource(hand)
    turns = ((WEATHER, HOTEL), "Blue sky, and the Ritz.", "Goodbye.")
    assert source.gold_turns(source[0]) == turns


def test_sessions_of_one_task_share_nothing_that_changes(hand):
    source = DialogueSource(hand, "free_running")
    first, second = source.open(source[0]), source.open(source[0])
    first.reply("No.")
    assert first.over
    assert not second.over


def test_a_task_of_another_source_is_unknown(hand):
    source = DialogueSource(hand)
    with pytest.raises(UnknownTask, match="hand-1"):
        source.open(hand[1])
    with pytest.raises(UnknownTask):
        source.gold_turns(hand[1])


def test_the_fingerprint_depends_on_every_message_and_on_the_continuation(hand):
    known = DialogueSource(hand).fingerprint
    assert DialogueSource(hand, "free_running").fingerprint != known
    longer = conversation(ask("Hi."), call(WEATHER), came("blue"), task_id="hand-3")
    other = conversation(ask("Hi."), call(WEATHER), came("grey"), task_id="hand-3")
    prints = {
        DialogueSource(TaskSet("hand", "train", (*hand.tasks, task))).fingerprint
        for task in (longer, other)
    }
    assert len(prints | {known}) == 3


def test_no_dialogue_at_all_is_an_error(hand):
    with pytest.raises(DataError, match="no dialogue of two steps or more among its 1 tasks"):
        DialogueSource(TaskSet("hand", "train", hand.tasks[1:2]))


def test_wrong_arguments_are_named(hand):
    with pytest.raises(UnknownName, match="Did you mean 'free_running'"):
        DialogueSource(hand, "free_runing")
    with pytest.raises(ConfigurationError, match="xlam has no dialogues to replay"):
        load_dialogues("xlam")
    with pytest.raises(UnknownName, match="toolace"):
        load_dialogues("toolac")
    with pytest.raises(ConfigurationError, match="mixture=True mixes single steps"):
        load_dialogues("rlla", mixture=True)
    with pytest.raises(ConfigurationError, match="level"):
        load_dialogues("toolace", level=2)


@pytest.mark.parametrize(("name", "options"), OURS)
def test_our_samples_have_dialogues(name, options):
    source = load_dialogues(name, split="all", **options)
    assert source.is_sample
    assert source.size >= 50
    for task in source.tasks:
        steps = source.dialogue(task).steps
        assert len(steps) > 1
        assert all(step.then for step in steps[:-1])
        assert task.gold == steps[0].gold
        assert task.messages[-1].role == "user"
    assert set(source.left_out.values()) <= {"it has one step: nothing follows its answer"}


def test_a_toolace_dialogue_has_the_id_of_its_first_step_and_the_golds_of_all():
    steps = {task.id: task for task in load_tasks("toolace", split="all")}
    source = load_dialogues("toolace", split="all")
    for task in source.tasks:
        assert steps[task.id] == task
        for number, step in enumerate(source.dialogue(task).steps):
            name = task.id if number == 0 else f"{task.id}-step{number + 1}"
            assert steps[name].gold == step.gold
    assert {task.id for task in source.tasks} == {
        name.partition("-step2")[0] for name in steps if name.endswith("-step2")
    }


def test_the_splits_are_those_of_the_single_steps():
    parts = [
        {task.id for task in load_dialogues("toolace", split=split).tasks}
        for split in ("train", "validation", "test")
    ]
    assert sum(map(len, parts)) == load_dialogues("toolace", split="all").size
    assert parts[2] <= {task.id for task in load_tasks("toolace", split="test")}


def test_what_was_cut_once_is_shared():
    source = load_dialogues("toolace", split="test")
    assert load_dialogues("toolace", split="test") is source
    assert load_dialogues("toolace", split="test", continuation="free_running") is not source
    assert load_dialogues("toolace", split="validation") is not source


def test_a_file_that_changed_is_cut_anew(tmp_path, toolace_rows):
    row = next(row for row in toolace_rows if len(row["conversations"]) > 3)
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(row))
    first = load_dialogues("toolace", path, "all")
    path.write_text(json.dumps(row) + "\n" + json.dumps(row))
    assert (first.size, load_dialogues("toolace", path, "all").size) == (1, 2)


def test_a_dataset_of_ones_own_is_taken():
    assert load_dialogues(APIBank(3), split="all").size == 240
    assert set(RECORDED) == {"toolace", "rlla", "api_bank"}

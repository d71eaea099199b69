"""The real files: how many dialogues there are, why others are none, and that each replays."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from toolrl_env.data import load_tasks
from toolrl_env.data.dialogue import DialogueSession, DialogueSource, load_dialogues
from toolrl_env.parsing import get_protocol
from toolrl_env.prompts import Prompter, recorded
from toolrl_env.tools import CallValidator

pytestmark = pytest.mark.shared_data

ONE_STEP = "it has one step: nothing follows its answer"
API_BANK = "api_bank/level-{level}-api_processed.json"


@cache
def rlla(folder: Path) -> DialogueSource:
    return load_dialogues("rlla", folder / "rlla_sft.json", "all")


@cache
def api_bank(folder: Path, level: int) -> DialogueSource:
    return load_dialogues("api_bank", folder / API_BANK.format(level=level), "all", level=level)


@pytest.fixture(params=["rlla", "api_bank-1", "api_bank-2"])
def source(request, shared_data):
    _, _, level = request.param.partition("-")
    return api_bank(shared_data, int(level)) if level else rlla(shared_data)


def kinds(source):
    """Count the reasons, without the ids in them."""
    return Counter(
        "beginning" if "beginning" in reason else "not offered" if "on offer" in reason else reason
        for reason in source.left_out.values()
    )


def test_of_400_rows_of_the_paper_38_replay_and_the_others_say_why(shared_data):
    source = rlla(shared_data)
    assert source.size == 38
    assert kinds(source) == {ONE_STEP: 342, "beginning": 2, "not offered": 1}
    assert len(source.tasks.refused) == 17
    lengths = Counter(len(source.dialogue(task).steps) for task in source.tasks)
    assert lengths == {2: 7, 3: 14, 4: 7, 5: 7, 6: 3}


@pytest.mark.parametrize(
    ("level", "size", "left_out"),
    [
        (1, 222, {"beginning": 177}),
        (2, 42, {"beginning": 22, ONE_STEP: 2, "not offered": 1}),
    ],
)
def test_the_rows_of_api_bank_are_as_many_dialogues(shared_data, level, size, left_out):
    source = api_bank(shared_data, level)
    assert source.size == size
    assert kinds(source) == left_out
    assert source.tasks.refused == ()


def test_the_rows_that_api_bank_repeats_have_the_golds_of_the_dialogues(shared_data):
    """A row that is left out asked for a call: its dialogue has a step with that very call."""
    source = api_bank(shared_data, 1)
    rows = load_tasks("api_bank", shared_data / API_BANK.format(level=1), "all", level=1)
    found = 0
    for task_id, reason in source.left_out.items():
        row = rows[rows.index_of(task_id)]
        whole = source.dialogue(source[source.index_of(reason.rpartition(" ")[2])])
        golds = [step.gold for step in whole.steps if step.gold.values == row.gold.values]
        assert golds
        assert all(gold.has_response is row.gold.has_response for gold in golds)
        found += 1
    assert found == 177


def test_the_last_step_is_the_rows_own_gold_and_the_first_prompt_its_beginning(source):
    for task in source.tasks:
        steps = source.dialogue(task).steps
        assert task.messages[-1].role == "user"
        assert task.gold is steps[0].gold
        assert "<response>" not in task.user
        assert "<tool_call>" not in task.user
        assert task.user.rstrip().endswith("</user>")
        messages = Prompter("toolrl").messages(task)
        assert [message["content"] for message in messages] == [task.system, task.user]


@pytest.mark.parametrize("continuation", ["teacher_forced", "free_running"])
def test_the_gold_answers_go_through_every_dialogue(source, continuation):
    protocol = get_protocol("toolrl")
    for task in source.tasks:
        dialogue = source.dialogue(task)
        session = DialogueSession(dialogue, continuation, CallValidator(task.tools))
        for step in dialogue.steps:
            parsed = protocol.parse(step.gold.text)
            assert session.gold() is step.gold
            if parsed.calls:
                session.execute(parsed.calls)
            else:
                session.reply(parsed.response)
        assert session.over
        assert all(session.progress()), task.id
        assert session.outcome() == 1.0


@pytest.mark.parametrize("protocol", ["toolrl", "native", "python"])
def test_every_recorded_answer_and_observation_can_be_shown(source, protocol):
    for task in source.tasks:
        for step in source.dialogue(task).steps:
            assert recorded.recorded_answer(protocol, step.gold)
            for message in recorded.recorded_messages(protocol, step.then) if step.then else ():
                assert message["role"] in {"user", "tool"}
                assert any(part.content in message["content"] for part in step.then)

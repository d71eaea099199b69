"""OwnTasks and its sessions: what is offered, what is judged, what is refused."""

from __future__ import annotations

import json
import pickle

import pytest

from tests.data.own.support import ROWS, Till, add, is_five, one_receipt, own_task, pay
from toolrl_env.core.errors import (
    ConfigurationError,
    DataError,
    InfrastructureError,
    SnapshotError,
    UnknownName,
    UnknownTask,
)
from toolrl_env.core.types import ToolCall
from toolrl_env.data.own import Goal, OwnTasks
from toolrl_env.testing import check_dataset
from toolrl_env.tools import ToolSuite, as_parsed, toolkit, write

TOOLS = [Till, add]


@pytest.fixture(params=[None, "process"])
def source(request):
    return OwnTasks(toolkit(TOOLS, isolation=request.param), ROWS)


def open_task(source, name):
    return source.open(source[source.index_of(name)])


def run(session, *calls):
    return session.execute([as_parsed(call) for call in calls])


def test_the_source_conforms(source):
    assert check_dataset(source).tasks == len(ROWS) == len(source) == source.size
    assert not source.is_sample
    with pytest.raises(UnknownTask):
        source.open(own_task(answers=("x",)))


def test_a_source_goes_through_a_pickle_and_its_sessions_go_on():
    source = OwnTasks(TOOLS, ROWS)
    session = open_task(source, "gold-state")
    run(session, pay(3))
    twin = open_task(pickle.loads(pickle.dumps(source)), "gold-state")
    twin.restore(pickle.loads(pickle.dumps(session.snapshot())))
    assert twin.state_hash() == session.state_hash()


def test_gold_reaches_every_goal_and_nothing_less_does(source):
    for task in source:
        session = source.open(task)
        gold = source.gold_turns(task)
        assert session.outcome() == 0.0
        for turn in gold:
            if isinstance(turn, str):
                assert session.reply(turn) is None
            else:
                assert not all(session.progress()), task.id
                assert all(result.ok for result in run(session, *turn))
        assert all(session.progress()), task.id
        assert session.outcome() == 1.0
        session.close()


def test_a_gold_state_may_be_reached_by_another_way_but_not_by_another_state(source):
    session = open_task(source, "gold-state")
    run(session, pay(2), pay(3))
    assert session.outcome() == 0.0, "the receipts are in another order"
    session.close()
    session = open_task(source, "gold-state")
    run(session, ToolCall("count", {}), pay(3), pay(-1), pay(2))
    assert session.outcome() == 1.0
    run(session, pay(1))
    assert session.outcome() == 0.0
    session.close()


def test_where_gold_changes_nothing_its_results_count(source):
    session = open_task(source, "gold-results")
    assert session.progress() == (False,)
    run(session, ToolCall("add", {"first": 1, "second": 1}))
    assert session.progress() == (False,)
    run(session, ToolCall("add", {"first": 4, "second": 1}))
    assert session.progress() == (True,)
    session.close()


def test_goals_and_an_answer_are_all_asked_for():
    goals = (Goal(is_five), Goal(one_receipt))
    source = OwnTasks(Till, [own_task(goals=goals, answers=("five",))])
    session = source.open(source[0])
    assert session.progress() == (False, False, False)
    run(session, pay(2), pay(3))
    assert session.progress() == (True, False, False)
    session.reply("There are five.")
    assert session.progress() == (True, False, True)
    assert session.outcome() == 0.0


@pytest.mark.parametrize(
    ("response", "right"),
    [("2", True), ("It is Two!", True), ("12", False), ("", False), ("2 " + "word " * 20, False)],
)
def test_an_answer_is_found_in_words_but_not_among_many(response, right):
    source = OwnTasks(TOOLS, ROWS)
    session = open_task(source, "answer")
    session.reply(response)
    assert session.progress() == (right,)


def test_setup_is_done_and_tools_may_be_withheld(source):
    session = open_task(source, "setup")
    assert [spec.name for spec in session.tools()] == ["count"]
    counted, refused = run(session, ToolCall("count", {}), pay(1))
    assert counted.value == 7
    assert "there is no tool 'pay_in'" in refused.errors[0].message
    assert source[source.index_of("setup")].category == "look"
    session.close()


def test_what_writes_is_known(source):
    session = open_task(source, "gold-state")
    calls = [as_parsed(call) for call in (pay(1), ToolCall("count", {}), ToolCall("none", {}))]
    assert session.writes(calls) == (True, False, False)
    session.close()


def test_sessions_share_nothing_and_states_come_back(source):
    one, two = (open_task(source, "goals") for _ in "12")
    start = one.state_hash()
    run(one, pay(5))
    assert one.state_hash() != start == two.state_hash()
    saved = pickle.loads(pickle.dumps(one.snapshot()))
    one.reply("Done.")
    assert one.state_hash() != two.state_hash()
    two.restore(saved)
    assert two.progress() == (True, True)
    run(two, pay(1))
    assert two.progress() == (False, False)
    one.restore(saved)
    assert one.progress() == (True, True)
    with pytest.raises(SnapshotError):
        open_task(source, "setup").restore(saved)
    one.close()
    two.close()


def test_every_session_of_a_task_begins_in_one_state():
    made = []

    class Numbered(Till):
        def __init__(self):
            super().__init__()
            made.append(1)
            self.number = len(made)

    source = OwnTasks(Numbered, [own_task(answers=("x",))])
    assert len({source.open(source[0]).state_hash() for _ in "123"}) == 1


def test_rows_come_from_files_too(tmp_path):
    rows = [row for row in ROWS if isinstance(row, dict)]
    array, lines = tmp_path / "tasks.json", tmp_path / "tasks.jsonl"
    array.write_text(json.dumps(rows))
    lines.write_text("".join(json.dumps(row) + "\n" for row in rows))
    sources = [OwnTasks(TOOLS, given) for given in (rows, array, str(lines))]
    assert len({source.fingerprint for source in sources}) == 1
    lines.write_text('{"question": "x"\n')
    with pytest.raises(DataError, match=r"tasks\.jsonl, line 1: not JSON"):
        OwnTasks(TOOLS, lines)


def test_the_fingerprint_follows_everything_that_counts():
    variants = [
        OwnTasks(TOOLS, ROWS),
        OwnTasks(TOOLS, ROWS[1:]),
        OwnTasks(TOOLS, ROWS, name="mine"),
        OwnTasks([*TOOLS, pay_twice], ROWS),
        OwnTasks(TOOLS, [{**ROWS[2], "answer": ["2"]}, *ROWS[3:]]),
        OwnTasks(TOOLS, [ROWS[2], *ROWS[3:]]),
        OwnTasks(TOOLS, [ROWS[2], {**ROWS[3], "setup": []}, ROWS[4]]),
    ]
    assert len({source.fingerprint for source in variants}) == len(variants)
    assert OwnTasks(TOOLS, ROWS).fingerprint == variants[0].fingerprint


def pay_twice(amount: int) -> int:
    """Nothing much.

    Args:
        amount: It.
    """
    return amount


def test_splits_are_disjoint_and_complete():
    rows = [{"question": f"Question {n}?", "answer": "x"} for n in range(60)]
    parts = [OwnTasks(add, rows, split) for split in ("train", "validation", "test")]
    ids = [task.id for part in parts for task in part]
    assert sorted(ids) == sorted(task.id for task in OwnTasks(add, rows))
    with pytest.raises(UnknownName, match="split"):
        OwnTasks(add, rows, "dev")
    with pytest.raises(DataError, match="has none of the 1 tasks"):
        [OwnTasks(add, rows[:1], split) for split in ("train", "validation", "test")]


@pytest.mark.parametrize(
    ("task", "error", "said"),
    [
        (own_task(gold=((ToolCall("pay", {}),),)), DataError, "there is no tool 'pay'"),
        (own_task(gold=((pay("x"),),)), DataError, "its call of 'pay_in' is not valid"),
        (own_task(answers=("x",), setup=(pay(1.5),)), DataError, "is not valid"),
        (own_task(answers=("x",), tools=("cont",)), UnknownName, "Did you mean 'count'"),
        (own_task(goals=(Goal(is_five, "Tilll"),)), UnknownName, "Did you mean 'Till'"),
        (own_task(goals=(Goal(is_five),)), ConfigurationError, "must say of which: functions, Ti"),
    ],
)
def test_tasks_that_do_not_fit_the_tools_are_refused_at_once(task, error, said):
    with pytest.raises(error, match=said):
        OwnTasks(TOOLS, [task])


def test_a_goal_that_cannot_be_asked_is_refused_at_once():
    isolated = toolkit(Till, isolation="process")
    with pytest.raises(ConfigurationError, match="top of a module"):
        OwnTasks(isolated, [own_task(goals=(Goal(lambda till: True),))])
    with pytest.raises(InfrastructureError, match="raised AttributeError"):
        OwnTasks(Till, [own_task(goals=(Goal(lambda till: till.coins),))])


def test_no_tasks_and_two_of_one_id_are_refused():
    with pytest.raises(DataError, match="has no tasks"):
        OwnTasks(TOOLS, [])
    with pytest.raises(DataError, match="two tasks have the id 't'"):
        OwnTasks(TOOLS, [own_task(answers=("x",))] * 2)


def test_gold_that_is_refused_when_it_is_played_is_said():
    source = OwnTasks(Till, [own_task(gold=((pay(-1),), "Done."))])
    with pytest.raises(DataError, match=r"a gold call fails: .*must be positive"):
        source.open(source[0])


class Fragile(ToolSuite):
    """Breaks, and holds something."""

    opened = 0

    def __init__(self) -> None:
        self.broken = False

    @write
    def smash(self) -> int:
        """Break it."""
        raise OSError("broken")


def test_a_setup_that_fails_is_a_failure_of_ours():
    source = OwnTasks(Fragile, [own_task(answers=("x",), setup=(ToolCall("smash", {}),))])
    with pytest.raises(InfrastructureError, match="raised OSError"):
        source.open(source[0])


def test_what_is_remembered_may_be_forgotten_at_any_moment(monkeypatch):
    """As when other threads open so many sessions that a task's beginning and end are dropped."""
    monkeypatch.setattr("toolrl_env.data.own.source._KEPT", 0)
    source = OwnTasks(TOOLS, ROWS)
    for task in source.tasks:
        session = source.open(task)
        for turn in source.gold_turns(task):
            session.reply(turn) if isinstance(turn, str) else run(session, *turn)
        assert all(session.progress()), task.id
        session.close()

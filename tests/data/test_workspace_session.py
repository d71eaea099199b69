"""WorkspaceSession: forks, snapshots, tools that come later or fail for a moment, secrets."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Iterator
from typing import Any

import pytest

from tests.data.workspace_support import calls_of, make, play, play_gold
from tests.fresh_process import in_fresh_processes
from toolrl_env.core.errors import InfrastructureError, SnapshotError
from toolrl_env.core.session import Session
from toolrl_env.core.types import ErrorCode, ParsedCall, Task, ToolCall
from toolrl_env.data.procedural.workspace import WorkspaceSession, WorkspaceSource
from toolrl_env.tools import as_parsed
from toolrl_env.tools.suites.workspace import LOCKED, Database

SOURCE = WorkspaceSource("train")


def with_feature(feature: str, count: int, source: WorkspaceSource = SOURCE) -> Iterator[Task]:
    found = 0
    for index in range(600):
        task = source[index]
        if feature in task.metadata["features"]:
            yield task
            found += 1
            if found == count:
                return
    pytest.fail(f"only {found} of {count} tasks with {feature}")


def test_it_is_a_session() -> None:
    session: Session = SOURCE.open(SOURCE[0])
    assert len(session.state_hash()) == 64
    assert session.over is False
    assert tuple(session.tools()) == SOURCE[0].tools


# --------------------------------------------------------------------------- state


def test_two_sessions_of_a_task_share_nothing_that_changes() -> None:
    task = SOURCE[0]
    one, two = SOURCE.open(task), SOURCE.open(task)
    begin = one.state_hash()
    assert begin == two.state_hash()
    play(one, SOURCE.gold_turns(task))
    assert one.state_hash() != begin
    assert two.state_hash() == begin
    assert SOURCE.open(task).state_hash() == begin


@pytest.mark.parametrize("difficulty", [2, 5, 9, 12])
def test_a_snapshot_anywhere_goes_on_to_the_same_end(difficulty: int) -> None:
    source = WorkspaceSource("validation", difficulty)
    for index in range(6):
        task = source[index]
        turns = source.gold_turns(task)
        session = source.open(task)
        saved = [(session.snapshot(), session.state_hash())]
        heard: list[Any] = []
        for turn in turns:
            heard += play(session, [turn])
            saved.append((session.snapshot(), session.state_hash()))
        end = session.state_hash()
        for number in reversed(range(len(saved))):
            snapshot, digest = pickle.loads(pickle.dumps(saved[number]))
            fresh = source.open(task)
            fresh.restore(snapshot)
            session.restore(snapshot)
            for one in (fresh, session):
                assert one.state_hash() == digest
                assert play(one, turns[number:]) == heard[number:]
                assert one.state_hash() == end
                assert all(one.progress())


def test_sixty_four_forks_never_see_each_others_writes() -> None:
    source = WorkspaceSource("train", 6)
    task = source[1]
    turns = source.gold_turns(task)
    session = source.open(task)
    play(session, turns[: len(turns) // 2])
    snapshot, middle = session.snapshot(), session.state_hash()
    forks: list[WorkspaceSession] = []
    for _ in range(64):
        fork = source.open(task)
        fork.restore(snapshot)
        forks.append(fork)
    for number, fork in enumerate(forks):
        fork._office.create_file(f"/fork-{number}.txt", "mine")
    for number, fork in enumerate(forks):
        rows = fork._office.database.rows("files")
        assert [r[0] for r in rows if str(r[0]).startswith("/fork")] == [f"/fork-{number}.txt"]
    assert len({fork.state_hash() for fork in forks}) == 64
    assert session.state_hash() == middle
    for number, fork in enumerate(forks):
        if number % 2:
            fork._office.delete_file(f"/fork-{number}.txt")
            play(fork, turns[len(turns) // 2 :])
    assert [all(fork.progress()) for fork in forks] == [False, True] * 32


def test_a_session_pickles_and_copies_in_mid_episode() -> None:
    task = next(with_feature("transient_faults", 1))
    turns = SOURCE.gold_turns(task)
    session = SOURCE.open(task)
    play(session, turns[:2])
    for other in (pickle.loads(pickle.dumps(session)), copy.deepcopy(session)):
        assert other.state_hash() == session.state_hash()
        assert other.tools() == session.tools()
        play(other, turns[2:])
        assert all(other.progress())
    assert not all(session.progress())


def test_snapshots_of_other_tasks_and_other_things_are_refused() -> None:
    session = SOURCE.open(SOURCE[0])
    before = session.state_hash()
    for wrong in (SOURCE.open(SOURCE[1]).snapshot(), None, b"", session._office.snapshot()):
        with pytest.raises(SnapshotError, match="not a snapshot"):
            session.restore(wrong)
    assert session.state_hash() == before


def test_a_played_episode_is_the_same_in_another_process() -> None:
    program = (
        "from tests.data.workspace_support import play; "
        "from toolrl_env.data.procedural.workspace import WorkspaceSource as S\n"
        "s = S('test', 9); t = s[3]; e = s.open(t); h = play(e, s.gold_turns(t))\n"
        "print(e.state_hash()); print(repr(h))"
    )
    (printed,) = in_fresh_processes(program)
    source = WorkspaceSource("test", 9)
    session = source.open(source[3])
    heard = play(session, source.gold_turns(source[3]))
    assert printed.splitlines() == [session.state_hash(), repr(heard)]


def test_everything_that_matters_later_is_in_the_hash() -> None:
    task = next(
        task
        for task in with_feature("transient_faults", 20)
        if SOURCE.open(task)._scenario.faults[0][0] in {spec.name for spec in task.tools}
    )
    session = SOURCE.open(task)
    hashes = {session.state_hash()}
    fault = session._scenario.faults[0][0]
    failing = next(call for call in calls_of(SOURCE, task) if call.name == fault)
    session.execute([as_parsed(failing)])
    hashes.add(session.state_hash())
    session.reply("Shall I go ahead?")
    hashes.add(session.state_hash())
    session._office.create_file("/x.txt", "")
    hashes.add(session.state_hash())
    assert len(hashes) == 4
    make(session, "who_am_i")
    assert session.state_hash() in hashes


# --------------------------------------------------------------------------- tools


def test_payment_tools_appear_with_the_code_and_not_before() -> None:
    for task in with_feature("payment_code", 8):
        session = SOURCE.open(task)
        payments = set(LOCKED)
        assert not payments & {spec.name for spec in session.tools()}
        refused = make(session, "pay_invoice", invoice_id=1, account_id=1)
        assert refused.errors[0].code is ErrorCode.UNKNOWN_TOOL
        code = dict(session._office.database.rows("office"))["payment_code"]
        if "late_tools" in task.metadata["features"]:
            continue
        before = session.snapshot()
        wrong = "111111" if code != "111111" else "222222"
        assert not make(session, "authorise_payments", code=wrong).ok
        assert not payments & {spec.name for spec in session.tools()}
        session.restore(before)
        assert make(session, "authorise_payments", code=code).ok
        assert payments <= {spec.name for spec in session.tools()}
        session.restore(before)
        assert not payments & {spec.name for spec in session.tools()}


def test_late_tools_appear_with_the_next_request() -> None:
    for task in with_feature("late_tools", 8):
        session = SOURCE.open(task)
        late = session._scenario.phases[1].tools
        offered = {spec.name for spec in session.tools()}
        assert late
        assert not late & offered
        snapshot = session.snapshot()
        assert session.reply("That is done.") == session._scenario.phases[1].text
        now = {spec.name for spec in session.tools()}
        assert late - set(LOCKED) <= now
        assert offered < now
        session.restore(snapshot)
        assert {spec.name for spec in session.tools()} == offered


def test_faults_come_first_say_to_retry_and_are_counted() -> None:
    for task in with_feature("transient_faults", 10):
        session = SOURCE.open(task)
        seen = 0
        for turn in SOURCE.gold_turns(task):
            if isinstance(turn, str):
                session.reply(turn)
                continue
            before = session._office.state_hash()
            for call in turn:
                result = session.execute([as_parsed(call)])[0]
                if not result.ok:
                    seen += 1
                    assert result.executed
                    assert result.errors[0].code is ErrorCode.EXECUTION
                    assert "nothing was changed" in result.errors[0].for_model
                    assert session._office.state_hash() == before
                before = session._office.state_hash()
        assert seen == session.transient_failures
        assert seen == sum(times for _, times in session._scenario.faults) >= 1
        assert all(session.progress())


def test_invalid_calls_neither_run_nor_use_up_a_fault() -> None:
    task = next(with_feature("transient_faults", 1))
    session = SOURCE.open(task)
    before = session.state_hash()
    fault = session._scenario.faults[0][0]
    results = session.execute(
        [
            as_parsed(ToolCall(fault, {"no_such_argument": 1})),
            as_parsed(ToolCall("no_such_tool", {})),
            ParsedCall("{", (0, 1)),
        ]
    )
    assert [result.ok for result in results] == [False] * 3
    assert not any(result.executed for result in results)
    assert session.transient_failures == 0
    assert session.state_hash() == before
    assert session.execute([]) == ()


def test_a_fault_of_ours_is_an_infrastructure_error(monkeypatch: pytest.MonkeyPatch) -> None:
    session = SOURCE.open(SOURCE[0])

    def broken(*_: object) -> None:
        raise KeyError("ours")

    monkeypatch.setattr(Database, "all", broken)
    with pytest.raises(InfrastructureError, match="KeyError"):
        session.execute([as_parsed(call) for call in _first_batch(SOURCE[0])])


def _first_batch(task: Task) -> tuple[ToolCall, ...]:
    return next(turn for turn in SOURCE.gold_turns(task) if not isinstance(turn, str))


# --------------------------------------------------------------------------- secrets


def test_hidden_facts_are_nowhere_before_they_are_asked_for() -> None:
    for task in with_feature("missing_information", 60):
        session = SOURCE.open(task)
        text = task.messages[0].content
        tools = json.dumps([spec.as_openai() for spec in task.tools], default=dict)
        told = f" {text} {task.id} {task.category} {dict(task.metadata)} "
        for fact in (fact for phase in session._scenario.phases for fact in phase.facts):
            where = told if fact.kind in {"quantity", "time"} else told + tools
            for start in _occurrences(fact.words, where):
                around = where[start - 1] + where[start + len(fact.words)]
                assert any(c.isalnum() for c in around), (fact, text)


def _occurrences(words: str, text: str) -> Iterator[int]:
    start = text.find(words)
    while start >= 0:
        yield start
        start = text.find(words, start + 1)


def test_the_payment_code_is_in_no_tool_result() -> None:
    for task in with_feature("payment_code", 10):
        session = SOURCE.open(task)
        office = session._office
        code = str(dict(office.database.rows("office"))["payment_code"])
        seen = [office.current_time(), office.who_am_i(), office.list_accounts()]
        tables = ("contacts", "events", "mails", "tasks", "orders", "invoices", "files")
        seen += [str(office.database.rows(table)) for table in tables]
        assert code not in json.dumps(seen)


def test_gold_questions_are_answered_with_what_was_kept_back() -> None:
    for task in with_feature("missing_information", 60):
        session = SOURCE.open(task)
        phase = 0
        for turn, heard in zip(
            SOURCE.gold_turns(task), play(session, SOURCE.gold_turns(task)), strict=True
        ):
            if not isinstance(turn, str) or heard is None:
                continue
            if turn.endswith(("?", "code.")):
                facts = session._scenario.phases[phase].facts
                assert facts
                assert all(fact.words.lower() in heard.lower() for fact in facts), (turn, heard)
            else:
                phase += 1
        assert all(session.progress())


def test_without_asking_the_code_cannot_be_guessed() -> None:
    task = next(
        task
        for task in with_feature("payment_code", 40)
        if any(f.kind == "code" for f in SOURCE.open(task)._scenario.phases[0].facts)
    )
    session = SOURCE.open(task)
    for guess in range(20):
        make(session, "authorise_payments", code=f"{guess:06}")
    assert not session._office.payments_unlocked
    play(session, SOURCE.gold_turns(task))
    assert not all(session.progress())
    assert all(play_gold(SOURCE, task).progress())

"""Gold reaches every goal; other right paths do; wrong, lazy and greedy ones do not."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.data.workspace_support import METHODS, Turn, calls_of, make, play, play_gold, writes
from toolrl_env.core.types import Task, ToolCall
from toolrl_env.data.procedural.workspace import LEVELS, WorkspaceSession, WorkspaceSource
from toolrl_env.tools import CallValidator, as_parsed

TASKS_A_LEVEL = 30


@pytest.fixture(scope="module", params=LEVELS)
def level(request: pytest.FixtureRequest) -> WorkspaceSource:
    return WorkspaceSource("train", difficulty=request.param)


def tasks_of(source: WorkspaceSource, count: int = TASKS_A_LEVEL) -> list[Task]:
    return [source[index] for index in range(count)]


def test_gold_reaches_the_goal_and_ends_the_conversation(level: WorkspaceSource) -> None:
    for task in tasks_of(level):
        session = level.open(task)
        heard = play(session, level.gold_turns(task))
        assert all(session.progress()), task.id
        assert heard[-1] is None, task.id
        assert None not in heard[:-1], task.id
        assert session.tools(), task.id


def test_gold_calls_are_valid_offered_and_refused_only_for_a_moment(
    level: WorkspaceSource,
) -> None:
    for task in tasks_of(level):
        session = level.open(task)
        for turn in level.gold_turns(task):
            if isinstance(turn, str):
                session.reply(turn)
                continue
            offered = session.tools()
            parsed = [as_parsed(call) for call in turn]
            assert all(check.ok for check in CallValidator(offered).check(parsed)), task.id
            failed = [result for result in session.execute(parsed) if not result.ok]
            for result in failed:
                assert "make the same call again" in result.errors[0].for_model
        made = Counter((call.name, str(call.arguments)) for call in calls_of(level, task))
        repeated = sum(made.values()) - len(made)
        assert repeated == session.transient_failures
        assert sum(made.values()) - repeated == level.difficulty == task.difficulty


def test_doing_nothing_or_only_looking_fulfils_nothing(level: WorkspaceSource) -> None:
    for task in tasks_of(level, 10):
        session = level.open(task)
        *wishes, clean = session.progress()
        assert wishes
        assert not any(wishes)
        assert clean
        for call in calls_of(level, task):
            if not METHODS[call.name].writes:
                session.execute([as_parsed(call)])
        assert session.progress() == (*wishes, clean)


def test_each_gold_write_fulfils_one_wish_and_leaving_it_out_fails(
    level: WorkspaceSource,
) -> None:
    for task in tasks_of(level, 12):
        count = len({_frozen(call) for call in calls_of(level, task) if writes(call)})
        assert count == len(level.open(task).progress()) - 1
        for left_out in range(count):
            session = level.open(task)
            play(session, _without_write(level.gold_turns(task), left_out))
            *wishes, clean = session.progress()
            assert wishes.count(False) >= 1
            assert clean


def _frozen(call: ToolCall) -> tuple[str, str]:
    return call.name, str(call.arguments)


def _without_write(turns: tuple[Turn, ...], number: int) -> list[Turn]:
    """Leave out the ``number``-th different write, every time that it is made."""
    order = [call for turn in turns if not isinstance(turn, str) for call in turn if writes(call)]
    victim = list(dict.fromkeys(map(_frozen, order)))[number]
    return [
        turn if isinstance(turn, str) else tuple(c for c in turn if _frozen(c) != victim)
        for turn in turns
    ]


def test_a_write_with_another_argument_does_not_reach_the_goal(level: WorkspaceSource) -> None:
    tried = 0
    for task in tasks_of(level, 12):
        turns = level.gold_turns(task)
        for turn_index, turn in enumerate(turns):
            for call_index, call in enumerate(turn if not isinstance(turn, str) else ()):
                wrong = _wrong(call, level.open(task)) if writes(call) else None
                if wrong is None or isinstance(turn, str):
                    continue
                changed = (*turn[:call_index], wrong, *turn[call_index + 1 :])
                session = level.open(task)
                play(session, (*turns[:turn_index], changed, *turns[turn_index + 1 :]))
                if session.transient_failures and _frozen(call) in map(
                    _frozen,
                    [c for t in turns[turn_index + 1 :] if not isinstance(t, str) for c in t],
                ):
                    continue  # the wrong call failed for a moment, and the right one was repeated
                assert not all(session.progress()), (task.id, wrong)
                tried += 1
    assert tried >= 5


def _wrong(call: ToolCall, session: WorkspaceSession) -> ToolCall | None:
    """Return the call with something that matters changed; ``None`` if it has no such thing."""
    office = session._office.database
    people = [str(row[2]) for row in office.rows("contacts")]
    arguments: dict[str, Any] = dict(call.arguments)
    for name in ("email", "assignee", "to", "emails"):
        if name in arguments:
            old = arguments[name]
            other = next(person for person in people if person != old and [person] != old)
            wrong = [other] if isinstance(old, list) else other
            return ToolCall(call.name, {**arguments, name: wrong})
    for name, value in (
        ("due", "2029-01-02"),
        ("date", "2029-01-02"),
        ("folder", "archive"),
        ("location", "Somewhere else"),
        ("quantity", 1),
        ("amount_cents", 1),
        ("field", "role"),
        ("project", "No Such Project"),
        ("text", "Something else."),
        ("new_path", "/wrong/place.txt"),
        ("body", "I do not know."),
    ):
        if name in arguments and arguments[name] != value and call.name != "forward_mail":
            return ToolCall(call.name, {**arguments, name: value})
    for name, table in (
        ("task_id", "tasks"),
        ("event_id", "events"),
        ("mail_id", "mails"),
        ("order_id", "orders"),
        ("path", "files"),
        ("account_id", "accounts"),
    ):
        if name in arguments:
            other = next(row[0] for row in office.rows(table) if row[0] != arguments[name])
            return ToolCall(call.name, {**arguments, name: other})
    return None


def test_anything_changed_besides_is_seen_and_stays(level: WorkspaceSource) -> None:
    for task in tasks_of(level, 10):
        session = play_gold(level, task)
        assert all(session.progress())
        extra = session._office
        extra.create_file("/not/asked-for.txt", "surprise")
        assert session.progress()[-1] is False
        assert all(session.progress()[:-1])
        extra.delete_file("/not/asked-for.txt")
        assert all(session.progress())
        extra.send_mail([session._office.who_am_i()["email"]], "Hello", "It is done.")
        assert session.progress()[-1] is False


def test_making_a_gold_write_twice_is_no_better() -> None:
    source = WorkspaceSource("train", difficulty=3)
    seen = Counter[str]()
    for task in tasks_of(source, 60):
        last = [call for call in calls_of(source, task) if writes(call)][-1]
        session = play_gold(source, task)
        again = session.execute([as_parsed(last)])[0]
        if last.name in {"send_mail", "reply_to_mail", "forward_mail", "create_task"}:
            assert again.ok
            assert not all(session.progress())
            seen[last.name] += 1
        elif not again.ok:
            assert all(session.progress())
    assert sum(seen.values()) >= 10


# --------------------------------------------------------------------------- other right paths


def test_one_call_at_a_time_with_needless_looks_reaches_the_goal_too(
    level: WorkspaceSource,
) -> None:
    for task in tasks_of(level, 10):
        session = level.open(task)
        for turn in level.gold_turns(task):
            if isinstance(turn, str):
                session.reply(turn)
                continue
            for call in turn:
                session.execute([as_parsed(ToolCall("who_am_i", {}))])
                session.execute([as_parsed(call)])
        assert all(session.progress())


def test_the_wishes_in_the_opposite_order_reach_the_goal_too() -> None:
    source = WorkspaceSource("train", difficulty=8)
    turned = 0
    for task in tasks_of(source, 60):
        calls = [call for call in calls_of(source, task) if writes(call)]
        different = {_frozen(call): call for call in calls}
        if len(different) < 2 or any("New" in str(c.arguments.get("subject")) for c in calls):
            continue  # one wish, or one that mails the number of what another makes
        session = source.open(task)
        office = session._office
        office.authorise_payments(str(dict(office.database.rows("office"))["payment_code"]))
        for call in reversed(different.values()):
            METHODS[call.name].fn(office, **call.arguments)
        assert all(session.progress()), task.id
        turned += 1
    assert turned >= 30


def in_other_words(call: ToolCall) -> list[ToolCall] | None:
    """Return calls that have the same effect as one gold call, in another way."""
    a: dict[str, Any] = dict(call.arguments)
    if call.name == "create_event":
        later = {**a, "date": "2029-01-02", "attendees": [], "title": f" {a['title'].upper()}."}
        return [ToolCall("create_event", later)]
    if call.name == "create_task":
        return [ToolCall("create_task", {**a, "due": "2029-01-02"})]
    if call.name == "move_file":
        return [ToolCall("copy_file", a), ToolCall("delete_file", {"path": a["path"]})]
    if call.name == "set_task_due":
        return [ToolCall("set_task_due", {**a, "due": "2029-01-02"}), call]
    if call.name == "share_file":
        return [ToolCall("share_file", {**a, "permission": p}) for p in ("view", a["permission"])]
    if call.name == "complete_task":
        return [call, ToolCall("reopen_task", a), call]
    if call.name == "send_mail" and not a.get("attachments"):
        return [
            ToolCall("send_mail", {**a, "subject": "Hi", "body": f"Hello!\n\n{a['body']}\nBye"})
        ]
    if call.name == "reschedule_event":
        return [ToolCall("reschedule_event", {**a, "date": "2029-01-02"}), call]
    return None


def test_other_tools_and_detours_reach_the_goal_too() -> None:
    source = WorkspaceSource("train", difficulty=2)
    seen = Counter[str]()
    for task in tasks_of(source, 250):
        calls = [call for call in calls_of(source, task) if writes(call)]
        detour = in_other_words(calls[0])
        if detour is None:
            continue
        session = source.open(task)
        office = session._office
        for call in detour:
            result = METHODS[call.name].fn(office, **call.arguments)
            if call.name == "create_event":
                number, gold = result["event_id"], calls[0].arguments
                office.invite_to_event(number, gold["attendees"])
                office.reschedule_event(number, gold["date"], gold["start"])
            if call.name == "create_task":
                office.set_task_due(result["task_id"], calls[0].arguments["due"])
        assert all(session.progress()), (task.id, detour)
        seen[calls[0].name] += 1
    assert len(seen) >= 7


# --------------------------------------------------------------------------- what cannot be undone


def test_some_mistakes_cannot_be_made_good() -> None:
    source = WorkspaceSource("train", difficulty=1)
    cancelled = mailed = 0
    for task in tasks_of(source, 40):
        session = source.open(task)
        database = session._office.database
        gold = calls_of(source, task)[0]
        events = [
            row for row in database.rows("events") if row[0] != gold.arguments.get("event_id")
        ]
        session._office.cancel_event(int(str(events[0][0])))
        play(session, source.gold_turns(task))
        assert all(session.progress()[:-1])
        assert not session.progress()[-1]
        assert not make(session, "reschedule_event", event_id=events[0][0]).ok
        cancelled += 1
        other = source.open(task)
        other._office.send_mail([str(database.rows("contacts")[0][2])], "Oops", "Wrong person.")
        play(other, source.gold_turns(task))
        mailed += not all(other.progress())
    assert (cancelled, mailed) == (40, 40)

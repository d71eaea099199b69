"""What a hostile caller can put into arguments, and that none of it does harm."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.workspace_support import ADA, ME, call, refusal, small_office
from toolrl_env.core.types import ParsedCall, ToolCall
from toolrl_env.tools import execute_calls
from toolrl_env.tools.suites.workspace import TABLES, WorkspaceSuite

FRAGMENTS = (
    "'; DROP TABLE contacts; --",
    "x' OR '1'='1",
    '" OR ""="',
    "%",
    "_",
    "1; ATTACH DATABASE '/tmp/evil.db' AS evil",
    "Robert'); DELETE FROM mails;--",
    "\\",
    "?",
    ":name",
    "\x00",
    "load_extension('x')",
    "{0.__class__}",
    "%s%n",
)


@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_sql_in_text_is_kept_as_text(fragment: str) -> None:
    office, untouched = small_office(), small_office()
    assert call(office, "find_contacts", query=f"zz{fragment}").value == []
    assert call(office, "search_mails", sender=fragment).value == []
    assert call(office, "find_orders", sku=fragment).value == []
    assert office == untouched
    assert call(office, "update_contact", contact_id=1, field="role", value=fragment).ok
    assert office.get_contact(1)["role"] == fragment
    made = call(office, "create_task", title=fragment, assignee=ADA, due="2027-04-01")
    assert office.get_task(made.value["task_id"])["title"] == fragment
    sent = call(office, "send_mail", to=[ADA], subject=fragment, body=fragment)
    assert office.read_mail(sent.value["mail_id"])["body"] == fragment
    assert call(office, "append_to_file", path="/team/reef.txt", text=fragment).ok
    assert office.read_file("/team/reef.txt").endswith(f"\n{fragment}")
    same = set(TABLES) - {"contacts", "tasks", "mails", "files"}
    assert all(office.database.rows(name) == untouched.database.rows(name) for name in same)
    assert len(office.database.rows("contacts")) == 2


def test_no_statement_is_built_from_arguments() -> None:
    seen: list[str] = []
    office = small_office()
    office.database._connection.set_trace_callback(seen.append)
    for fragment in FRAGMENTS[:3]:
        call(office, "find_contacts", query=fragment)
        call(office, "authorise_payments", code=fragment)
    kinds = {sql.split()[0] for sql in seen}
    assert kinds <= {"SELECT", "INSERT"}
    assert len(seen) >= 6


@pytest.mark.parametrize(
    "path",
    [
        "../../etc/passwd",
        "/../etc/passwd",
        "/team/../../etc/passwd",
        "/team//amber.txt",
        "/team/./amber.txt",
        "/team/",
        "//etc/passwd",
        "\\\\server\\share",
        "C:\\Windows\\win.ini",
        "/team/\x00.txt",
        "/team/a\nb.txt",
        "~/.ssh/id_rsa",
        "file:///etc/passwd",
        "/" + "/".join("a" * 9),
        "/.hidden",
    ],
)
def test_odd_paths_are_refused_and_no_real_file_is_touched(path: str, tmp_path: Path) -> None:
    office = small_office()
    for name in ("read_file", "get_file_info", "delete_file"):
        assert "not a path" in refusal(office, name, path=path)
    assert "not a path" in refusal(office, "create_file", path=path, content="x")
    assert "not a path" in refusal(office, "move_file", path="/team/reef.txt", new_path=path)
    assert "not a path" in refusal(
        office, "send_mail", to=[ADA], subject="s", body="", attachments=[path]
    )
    assert list(tmp_path.iterdir()) == []


def test_a_path_of_this_machine_is_just_a_name() -> None:
    office = small_office()
    assert "no file" in refusal(office, "read_file", path="/etc/passwd")
    assert call(office, "create_file", path="/etc/passwd", content="mine").ok
    assert office.read_file("/etc/passwd") == "mine"
    assert Path("/etc/passwd").read_text() != "mine"


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\ud83d x"])
def test_half_of_a_surrogate_pair_is_refused_not_a_crash(text: str) -> None:
    office = small_office()
    assert "surrogate" in refusal(office, "create_file", path="/a.txt", content=text)
    assert "surrogate" in refusal(office, "search_mails", sender=text)
    assert "surrogate" in refusal(office, "update_contact", contact_id=1, field="name", value=text)
    assert call(office, "find_contacts", query=text).value == []
    assert call(office, "authorise_payments", code=text).errors


def recursive() -> dict[str, Any]:
    loop: dict[str, Any] = {}
    loop["query"] = loop
    return loop


def deep() -> Any:
    value: Any = "x"
    for _ in range(5000):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("find_contacts", recursive()),
        ("find_contacts", {"query": deep()}),
        ("find_contacts", {"query": "x" * 1_000_000}),
        ("create_file", {"path": "/a.txt", "content": "x" * 4001}),
        ("send_mail", {"to": [ADA] * 21, "subject": "s", "body": ""}),
        ("send_mail", {"to": deep(), "subject": "s", "body": ""}),
        ("get_event", {"event_id": 10**400}),
        ("get_event", {"event_id": -1}),
        ("get_event", {"event_id": 1.5}),
        ("get_event", {"event_id": True}),
        ("get_event", {"event_id": "11"}),
        ("get_event", {"event_id": float("nan")}),
        ("get_event", {"event_id": None}),
        ("get_event", {}),
        ("get_event", {"event_id": 11, "extra": 1}),
        ("transfer_money", {"from_account": 51, "to_account": 52, "amount_cents": -5}),
        ("transfer_money", {"from_account": 51, "to_account": 52, "amount_cents": 0}),
        ("place_order", {"sku": "DE-1", "quantity": 0, "account_id": 51}),
        ("create_event", {"title": "", "date": "2027-04-01", "start": "10:00", "minutes": 30}),
        ("share_file", {"path": "/team/reef.txt", "email": ADA, "permission": "own"}),
    ],
)
def test_arguments_outside_the_schema_never_reach_a_tool(
    name: str, arguments: dict[str, Any]
) -> None:
    office = small_office()
    value = {"name": name, "parameters": arguments}
    parsed = ParsedCall("…", (0, 1), value, name, arguments)
    result = execute_calls(office.tools(), [parsed])[0]
    assert not result.ok
    assert not result.executed
    assert office == small_office()


def test_a_whole_float_is_the_integer_it_is() -> None:
    assert call(small_office(), "get_event", event_id=11.0).ok


TEXT = st.text(max_size=40)
ARGUMENTS = st.dictionaries(
    st.sampled_from(
        ["query", "path", "email", "title", "contact_id", "code", "to", "body", "date", "sku"]
    ),
    st.one_of(TEXT, st.integers(), st.lists(TEXT, max_size=3), st.none(), st.booleans()),
    max_size=5,
)


@given(name=st.sampled_from(sorted(WorkspaceSuite().methods())), arguments=ARGUMENTS)
def test_whatever_is_asked_for_is_done_or_refused(name: str, arguments: dict[str, Any]) -> None:
    office = small_office()
    result = execute_calls(office.tools(), [ToolCall(name, arguments)])[0]
    assert result.ok or result.errors
    if not result.ok and name != "authorise_payments":  # a wrong code is counted
        assert office == small_office()


@given(text=st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=300))
def test_any_text_comes_back_as_it_went_in(text: str) -> None:
    office = small_office()
    office.create_file("/t.txt", text)
    assert office.read_file("/t.txt") == text
    restored = small_office()
    restored.restore(office.snapshot())
    assert restored.read_file("/t.txt") == text


def test_a_file_cannot_be_made_longer_without_end() -> None:
    office = small_office()
    arguments = {"path": "/team/reef.txt", "text": "y" * 4000}
    done = [call(office, "append_to_file", **arguments).ok for _ in range(5)]
    assert done == [True, True, False, False, False]
    assert len(office.read_file("/team/reef.txt")) <= 12_000


def test_an_office_may_move_to_another_thread() -> None:
    office = small_office()
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(call(office, "who_am_i").value))
    thread.start()
    thread.join()
    assert found == [{"name": "Mia Ende", "email": ME}]

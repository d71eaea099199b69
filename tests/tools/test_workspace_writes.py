"""The office's tools that write: effects, refusals, and that a refusal changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tools.workspace_support import ADA, BO, ME, call, refusal, small_office
from toolrl_env.tools.suites.workspace import TABLES, WorkspaceSuite


def column(office: WorkspaceSuite, table: str, key: Any, name: str) -> Any:
    row = next(row for row in office.database.rows(table) if row[0] == key)
    return row[TABLES[table].columns.index(name)]


WRITES: list[tuple[str, dict[str, Any], tuple[str, Any, str, Any]]] = [
    (
        "update_contact",
        {"contact_id": 1, "field": "phone", "value": "5"},
        ("contacts", 1, "phone", "5"),
    ),
    (
        "update_contact",
        {"contact_id": 1, "field": "role", "value": "x"},
        ("contacts", 1, "role", "x"),
    ),
    (
        "update_contact",
        {"contact_id": 1, "field": "email", "value": "A@b.example"},
        ("contacts", 1, "email", "a@b.example"),
    ),
    (
        "reschedule_event",
        {"event_id": 11, "date": "2027-03-02", "start": "9:05"},
        ("events", 11, "start", "09:05"),
    ),
    (
        "set_event_location",
        {"event_id": 11, "location": "Room 9"},
        ("events", 11, "location", "Room 9"),
    ),
    (
        "set_event_agenda",
        {"event_id": 12, "path": "/team/reef.txt"},
        ("events", 12, "agenda", "/team/reef.txt"),
    ),
    (
        "invite_to_event",
        {"event_id": 11, "emails": [ADA, BO]},
        ("events", 11, "attendees", f'["{ADA}","{BO}"]'),
    ),
    ("remove_attendee", {"event_id": 11, "email": BO}, ("events", 11, "attendees", "[]")),
    ("cancel_event", {"event_id": 11}, ("events", 11, "status", "cancelled")),
    ("move_mail", {"mail_id": 21, "folder": "later"}, ("mails", 21, "folder", "later")),
    ("mark_mail", {"mail_id": 21, "read": True}, ("mails", 21, "read", 1)),
    (
        "append_to_file",
        {"path": "/team/reef.txt", "text": "End."},
        ("files", "/team/reef.txt", "content", "Project: Calm Reef\nEnd."),
    ),
    (
        "share_file",
        {"path": "/team/reef.txt", "email": BO, "permission": "edit"},
        ("files", "/team/reef.txt", "shares", f'{{"{ADA}":"view","{BO}":"edit"}}'),
    ),
    (
        "unshare_file",
        {"path": "/team/reef.txt", "email": ADA},
        ("files", "/team/reef.txt", "shares", "{}"),
    ),
    (
        "move_file",
        {"path": "/team/reef.txt", "new_path": "/old/reef.txt"},
        ("files", "/old/reef.txt", "owner", BO),
    ),
    (
        "copy_file",
        {"path": "/team/reef.txt", "new_path": "/old/reef.txt"},
        ("files", "/old/reef.txt", "shares", "{}"),
    ),
    ("assign_task", {"task_id": 31, "assignee": BO}, ("tasks", 31, "assignee", BO)),
    ("set_task_due", {"task_id": 31, "due": "2027-05-01"}, ("tasks", 31, "due", "2027-05-01")),
    ("set_task_priority", {"task_id": 31, "priority": "high"}, ("tasks", 31, "priority", "high")),
    (
        "set_task_file",
        {"task_id": 31, "path": "/team/amber.txt"},
        ("tasks", 31, "file", "/team/amber.txt"),
    ),
    ("complete_task", {"task_id": 31}, ("tasks", 31, "status", "done")),
    ("reopen_task", {"task_id": 32}, ("tasks", 32, "status", "open")),
    ("confirm_delivery", {"order_id": 41}, ("orders", 41, "status", "delivered")),
    ("set_order_project", {"order_id": 42, "project": "New"}, ("orders", 42, "project", "New")),
]


@pytest.mark.parametrize(("name", "arguments", "effect"), WRITES)
def test_a_write_changes_one_row_and_no_other_table(
    name: str, arguments: dict[str, Any], effect: tuple[str, Any, str, Any]
) -> None:
    office, untouched = small_office(), small_office()
    result = call(office, name, **arguments)
    assert result.ok, result.errors
    table, key, where, value = effect
    assert column(office, table, key, where) == value
    changed = [t for t in TABLES if office.database.rows(t) != untouched.database.rows(t)]
    assert changed == [table]
    differing = set(office.database.rows(table)) ^ set(untouched.database.rows(table))
    assert len(differing) <= 2


@pytest.mark.parametrize(
    ("name", "arguments", "table", "key"),
    [
        ("delete_contact", {"contact_id": 2}, "contacts", 2),
        ("delete_mail", {"mail_id": 21}, "mails", 21),
        ("delete_file", {"path": "/team/reef.txt"}, "files", "/team/reef.txt"),
        ("delete_task", {"task_id": 31}, "tasks", 31),
    ],
)
def test_a_deletion_removes_the_row(
    name: str, arguments: dict[str, Any], table: str, key: Any
) -> None:
    office = small_office()
    assert call(office, name, **arguments).ok
    assert key not in [row[0] for row in office.database.rows(table)]
    assert not call(office, name, **arguments).ok


def test_new_rows_get_the_next_number_and_say_who_made_them() -> None:
    office = small_office()
    made = call(
        office,
        "create_event",
        title="T",
        date="2027-03-03",
        start="08:00",
        minutes=30,
        attendees=[BO, ADA, BO],
    )
    assert made.value == {"event_id": 14}
    assert column(office, "events", 14, "attendees") == f'["{ADA}","{BO}"]'
    assert column(office, "events", 14, "organiser") == ME
    assert call(office, "create_task", title="T", assignee=ME, due="2027-03-01").value == {
        "task_id": 33
    }
    assert call(office, "add_contact", name="Cy", email="Cy@office.example").value == {
        "contact_id": 3
    }
    assert call(office, "create_file", path="/a b/c-1.txt", content="").ok
    assert column(office, "files", "/a b/c-1.txt", "modified") == "2027-03-01"


def test_mail_is_kept_as_it_was_sent() -> None:
    office = small_office()
    sent = call(
        office, "send_mail", to=[BO, ADA], subject="S", body="B", attachments=["/team/reef.txt"]
    )
    replied = call(office, "reply_to_mail", mail_id=21, body="Yes")
    forwarded = call(office, "forward_mail", mail_id=21, to=[BO])
    assert [r.value["mail_id"] for r in (sent, replied, forwarded)] == [23, 24, 25]
    assert column(office, "mails", 23, "recipients") == f'["{ADA}","{BO}"]'
    assert column(office, "mails", 24, "recipients") == f'["{ADA}"]'
    assert column(office, "mails", 24, "reply_to") == 21
    assert column(office, "mails", 25, "attachments") == '["/team/amber.txt"]'
    assert column(office, "mails", 25, "forward_of") == 21


def test_an_order_takes_money_and_stock_and_a_cancellation_gives_both_back() -> None:
    office = small_office()
    placed = call(office, "place_order", sku="de-1", quantity=6, account_id=51)
    assert placed.value == {"order_id": 43, "total_cents": 15000, "delivery": "2027-03-08"}
    assert call(office, "get_balance", account_id=51).value["balance_cents"] == 35000
    assert "only 0 pieces" in refusal(office, "place_order", sku="DE-1", quantity=1, account_id=51)
    assert call(office, "cancel_order", order_id=43).value["refund_cents"] == 15000
    assert call(office, "get_balance", account_id=51).value["balance_cents"] == 50000
    assert call(office, "get_product", sku="DE-1").value["available"] == 6
    assert "cancelled already" in refusal(office, "cancel_order", order_id=43)


def test_payments_need_the_code_and_three_wrong_ones_lock_them_for_good() -> None:
    office = small_office()
    assert "authorise_payments" in refusal(office, "pay_invoice", invoice_id=71, account_id=51)
    assert not office.payments_unlocked
    for left in (2, 1, 0):
        result = call(office, "authorise_payments", code="000000")
        assert f"{left} more" in result.errors[0].for_model
    assert "for good" in refusal(office, "authorise_payments", code="123456")
    assert not office.payments_unlocked


def test_payments_move_exactly_the_money() -> None:
    office = small_office()
    assert call(office, "authorise_payments", code=" 123456 ").ok
    assert "unlocked already" in refusal(office, "authorise_payments", code="123456")
    assert call(office, "pay_invoice", invoice_id=71, account_id=51).value["amount_cents"] == 12000
    assert column(office, "invoices", 71, "paid_from") == 51
    assert "paid already" in refusal(office, "pay_invoice", invoice_id=71, account_id=51)
    assert "disputed" in refusal(office, "pay_invoice", invoice_id=72, account_id=51)
    assert call(office, "transfer_money", from_account=51, to_account=52, amount_cents=8000).ok
    assert call(office, "send_payment", email=ADA, amount_cents=1, account_id=52).ok
    balances = [office.get_balance(number)["balance_cents"] for number in (51, 52)]
    assert balances == [30000, 8999]


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("add_contact", {"name": "X", "email": "not an address"}, "not an e-mail address"),
        ("add_contact", {"name": "X", "email": ADA.upper()}, "exists already"),
        ("update_contact", {"contact_id": 1, "field": "email", "value": BO}, "exists already"),
        ("reschedule_event", {"event_id": 11, "date": "2027-02-28", "start": "10:00"}, "past"),
        ("reschedule_event", {"event_id": 13, "date": "2027-03-28", "start": "10:00"}, "cancelled"),
        ("reschedule_event", {"event_id": 11, "date": "2027-03-28", "start": "25:00"}, "time"),
        ("reschedule_event", {"event_id": 11, "date": "2027-03-28", "start": "23:30"}, "midnight"),
        ("set_event_location", {"event_id": 12, "location": "Room 1"}, ""),
        ("set_event_agenda", {"event_id": 11, "path": "/none.txt"}, "no file"),
        (
            "invite_to_event",
            {"event_id": 11, "emails": ["ada.more@office.example"]},
            "the nearest is",
        ),
        ("remove_attendee", {"event_id": 11, "email": ADA}, "not invited"),
        ("cancel_event", {"event_id": 13}, "cancelled"),
        ("send_mail", {"to": ["x@y.example"], "subject": "S", "body": ""}, "nobody"),
        (
            "send_mail",
            {"to": [ADA], "subject": "S", "body": "", "attachments": ["/none.txt"]},
            "no file",
        ),
        ("reply_to_mail", {"mail_id": 22, "body": ""}, "not received"),
        ("move_mail", {"mail_id": 22, "folder": "later"}, "not received"),
        ("create_file", {"path": "/team/reef.txt", "content": ""}, "already"),
        ("move_file", {"path": "/team/reef.txt", "new_path": "/team/amber.txt"}, "already"),
        ("unshare_file", {"path": "/team/amber.txt", "email": ADA}, "not shared"),
        ("assign_task", {"task_id": 32, "assignee": ADA}, "done"),
        ("set_task_due", {"task_id": 31, "due": "2027-02-28"}, "past"),
        ("reopen_task", {"task_id": 31}, "open already"),
        ("place_order", {"sku": "DE-1", "quantity": 7, "account_id": 51}, "only 6"),
        ("place_order", {"sku": "DE-1", "quantity": 1, "account_id": 52}, "10.00 eur"),
        ("confirm_delivery", {"order_id": 42}, "delivered already"),
        ("transfer_money", {"from_account": 51, "to_account": 52, "amount_cents": 1}, "locked"),
    ],
)
def test_a_refused_write_says_why_and_changes_nothing(
    name: str, arguments: dict[str, Any], words: str
) -> None:
    office = small_office()
    if name == "set_event_location":  # the demo must overlap with the review to be refused
        office.reschedule_event(12, "2027-03-10", "10:30")
        words = "taken"
    assert words in refusal(office, name, **arguments)


def test_unlocked_payments_still_refuse_what_makes_no_sense() -> None:
    office = small_office()
    office.authorise_payments("123456")
    same = refusal(office, "transfer_money", from_account=51, to_account=51, amount_cents=1)
    poor = refusal(office, "transfer_money", from_account=52, to_account=51, amount_cents=1001)
    unknown = refusal(office, "send_payment", email="x@y.example", amount_cents=1, account_id=51)
    assert "the same" in same
    assert "does not cover" in poor
    assert "nobody" in unknown


def test_a_group_of_changes_is_undone_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    office = small_office()
    before = office.state_hash()

    def broken(*_: Any) -> int:
        raise RuntimeError("in the middle")

    monkeypatch.setattr(WorkspaceSuite, "_book", broken)
    with pytest.raises(RuntimeError, match="in the middle"):
        office.place_order("DE-1", 1, 51)
    assert office.state_hash() == before
    assert len(office.database.rows("orders")) == 2

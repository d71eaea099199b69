"""The office's tools that only look: what they show, and that they change nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tools.workspace_support import ADA, BO, ME, call, refusal, small_office
from toolrl_env.tools.suites.workspace import FIELDS, WorkspaceSuite

READS: list[tuple[str, dict[str, Any], Any]] = [
    ("current_time", {}, {"date": "2027-03-01", "weekday": "Monday", "time": "09:30"}),
    ("who_am_i", {}, {"name": "Mia Ende", "email": ME}),
    ("find_contacts", {"query": "moor ADA"}, [{"contact_id": 1, "name": "Ada Moor", "email": ADA}]),
    ("find_contacts", {"query": "buyer elm"}, [{"contact_id": 2, "name": "Bo Vale", "email": BO}]),
    ("find_contacts", {"query": "nobody"}, []),
    ("list_company", {"company": "elm"}, [{"contact_id": 2, "name": "Bo Vale", "role": "buyer"}]),
    ("find_events", {"query": "amber"}, [{"event_id": 11, "title": "Amber Mill review"}]),
    ("find_events", {"organiser": BO.upper()}, [{"event_id": 12, "title": "Calm Reef demo"}]),
    ("find_events", {"query": "sync"}, []),
    ("free_slots", {"date": "2027-03-10", "minutes": 240}, []),
    ("free_slots", {"date": "2027-03-10", "minutes": 180}, ["11:00", "14:30", "15:00"]),
    ("list_mails", {"folder": "sent"}, [{"mail_id": 22, "subject": "Hello", "date": "2027-02-27"}]),
    ("search_mails", {"sender": ADA}, [{"mail_id": 21, "subject": "Question about Amber Mill"}]),
    ("search_mails", {"query": "hello"}, []),
    ("list_folder", {"folder": "/team"}, ["/team/amber.txt", "/team/reef.txt"]),
    ("list_folder", {"folder": "/tea"}, []),
    ("find_files", {"query": "reef.txt"}, ["/team/reef.txt"]),
    ("find_files", {"owner": ADA}, ["/team/amber.txt"]),
    ("search_in_files", {"words": "calm project"}, ["/team/reef.txt"]),
    ("read_file", {"path": "/team/reef.txt"}, "Project: Calm Reef"),
    ("find_tasks", {"query": "plan"}, [{"task_id": 31, "title": "Draft the Amber Mill plan"}]),
    ("list_tasks", {"assignee": BO}, []),
    (
        "list_tasks",
        {"assignee": BO, "status": "done"},
        [{"task_id": 32, "title": "Test the Calm Reef demo"}],
    ),
    ("search_products", {"query": "lamp"}, [{"sku": "DE-1", "name": "desk lamp"}]),
    (
        "find_orders",
        {"sku": "de-1"},
        [{"order_id": 41, "project": "Amber Mill", "status": "placed"}],
    ),
    ("find_orders", {"project": "calm", "ordered_by": ADA}, []),
    ("get_balance", {"account_id": 51}, {"account_id": 51, "balance_cents": 50000}),
    (
        "find_invoices",
        {"contact": ADA},
        [{"invoice_id": 72, "supplier": "Oak Rentals", "status": "disputed"}],
    ),
]


@pytest.mark.parametrize(("name", "arguments", "expected"), READS)
def test_a_read_shows_exactly_this_and_changes_nothing(
    name: str, arguments: dict[str, Any], expected: Any
) -> None:
    office = small_office()
    before = office.state_hash()
    result = call(office, name, **arguments)
    assert (result.ok, result.value) == (True, expected)
    assert office.state_hash() == before


def test_details_show_lists_as_lists_and_money_in_cents() -> None:
    office = small_office()
    assert call(office, "get_event", event_id=11).value["attendees"] == [BO]
    assert call(office, "read_mail", mail_id=21).value["attachments"] == ["/team/amber.txt"]
    assert call(office, "get_file_info", path="/team/reef.txt").value["shares"] == {ADA: "view"}
    assert call(office, "get_order", order_id=41).value["total_cents"] == 10000
    assert call(office, "get_product", sku="DE-1").value["available"] == 6  # 4 of 10 are ordered
    assert call(office, "get_product", sku="CH-2").value["available"] == 2  # that one has arrived
    assert call(office, "get_invoice", invoice_id=71).value["amount_cents"] == 12000
    assert call(office, "get_contact", contact_id=2).value["phone"] == "+44 20 2"
    assert call(office, "get_task", task_id=31).value["due"] == "2027-03-20"
    assert [row["title"] for row in call(office, "list_events", date="2027-03-10").value] == [
        "Amber Mill review",
        "Calm Reef demo",
    ]
    assert [row["name"] for row in call(office, "list_accounts").value] == [
        "travel account",
        "events account",
    ]
    assert len(call(office, "list_transactions", account_id=51).value) == 1


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("find_events", {}, "query"),
        ("search_mails", {"query": "  "}, "sender"),
        ("find_files", {}, "owner"),
        ("find_orders", {}, "project"),
        ("find_invoices", {}, "supplier"),
        ("get_event", {"event_id": 99}, "no meeting 99"),
        ("read_mail", {"mail_id": 99}, "no mail 99"),
        ("get_task", {"task_id": 99}, "no task 99"),
        ("get_order", {"order_id": 99}, "no order 99"),
        ("get_invoice", {"invoice_id": 99}, "no invoice 99"),
        ("get_contact", {"contact_id": 99}, "no contact 99"),
        ("get_balance", {"account_id": 99}, "no account 99"),
        ("get_product", {"sku": "nothing"}, "no product"),
        ("read_file", {"path": "/team/none.txt"}, "no file"),
        ("list_events", {"date": "2027-02-30"}, "yyyy-mm-dd"),
        ("list_events", {"date": "01.03.2027"}, "yyyy-mm-dd"),
    ],
)
def test_a_read_that_cannot_be_done_says_why(
    name: str, arguments: dict[str, Any], words: str
) -> None:
    assert words in refusal(small_office(), name, **arguments)


def test_the_suite_has_at_least_forty_tools_all_described_and_marked() -> None:
    methods = WorkspaceSuite().methods()
    assert len(methods) == 68
    assert {name for cls in FIELDS.values() for name in cls().methods()} == set(methods)
    reads = {name for name, method in methods.items() if not method.writes}
    assert {name for name, _, _ in READS} <= reads
    assert len(reads) == 29
    for name, method in methods.items():
        assert method.spec.name == name
        assert len(method.spec.description) >= 15
        properties = method.spec.parameters["properties"]
        assert all(schema["description"] for schema in properties.values())
        assert method.spec.parameters["additionalProperties"] is False


def test_every_argument_is_bounded_by_its_schema() -> None:
    for name, method in WorkspaceSuite().methods().items():
        for argument, schema in method.spec.parameters["properties"].items():
            where = f"{name}.{argument}"
            if schema["type"] == "string":
                assert "enum" in schema or schema["maxLength"] <= 4000, where
            elif schema["type"] == "integer":
                assert schema["maximum"] <= 100_000_000, where
            elif schema["type"] == "array":
                assert schema["maxItems"] <= 20, where
                assert schema["items"]["maxLength"] <= 200, where
            else:
                assert schema["type"] == "boolean", where


def test_a_search_shows_at_most_twenty_five() -> None:
    office = small_office()
    for number in range(40):
        office.create_task(f"Chore {number}", ADA, "2027-04-01")
    assert len(call(office, "find_tasks", query="chore").value) == 25

"""A small office for tests: few rows, every relation once."""

from __future__ import annotations

from typing import Any

from toolrl_env.core.types import ToolCall, ToolResult
from toolrl_env.tools import execute_calls
from toolrl_env.tools.suites.workspace import Database, Image, WorkspaceSuite

ADA, BO, ME = "ada.moor@office.example", "bo.vale@office.example", "me@office.example"

ROWS: dict[str, list[tuple[Any, ...]]] = {
    "office": [
        ("authorised", "no"),
        ("payment_code", "123456"),
        ("time", "09:30"),
        ("today", "2027-03-01"),
        ("user_email", ME),
        ("user_name", "Mia Ende"),
        ("wrong_codes", "0"),
    ],
    "contacts": [
        (1, "Ada Moor", ADA, "+44 20 1", "Office", "planner"),
        (2, "Bo Vale", BO, "+44 20 2", "Elm Print", "buyer"),
    ],
    "events": [
        (
            11,
            "Amber Mill review",
            "2027-03-10",
            "10:00",
            60,
            "Room 1",
            ADA,
            f'["{BO}"]',
            "/team/amber.txt",
            "planned",
        ),
        (12, "Calm Reef demo", "2027-03-10", "14:00", 30, "Room 2", BO, "[]", "", "planned"),
        (13, "Old Fjord sync", "2027-03-12", "09:00", 30, "", BO, "[]", "", "cancelled"),
    ],
    "mails": [
        (
            21,
            "inbox",
            ADA,
            f'["{ME}"]',
            "Question about Amber Mill",
            "Please look.",
            '["/team/amber.txt"]',
            "2027-02-27",
            None,
            None,
            0,
        ),
        (22, "sent", ME, f'["{ADA}"]', "Hello", "Hi.", "[]", "2027-02-27", None, None, 1),
    ],
    "files": [
        ("/team/amber.txt", ADA, "2027-02-01", "Project: Amber Mill\nDeadline: 2027-04-01", "{}"),
        ("/team/reef.txt", BO, "2027-02-02", "Project: Calm Reef", f'{{"{ADA}":"view"}}'),
    ],
    "tasks": [
        (31, "Draft the Amber Mill plan", ADA, "2027-03-20", "normal", "open", "", ""),
        (32, "Test the Calm Reef demo", BO, "2027-03-21", "low", "done", "", ""),
    ],
    "products": [("DE-1", "desk lamp", 2500, 10, "Elm Print"), ("CH-2", "chair", 9900, 2, "Oak")],
    "orders": [
        (41, "Amber Mill", "DE-1", 4, ADA, 51, "2027-02-20", "2027-03-05", "placed", 71),
        (42, "Calm Reef", "CH-2", 1, BO, 52, "2027-02-01", "2027-02-10", "delivered", None),
    ],
    "accounts": [(51, "travel account"), (52, "events account")],
    "transactions": [
        (61, 51, "2027-02-01", 50000, "bank", ""),
        (62, 52, "2027-02-01", 1000, "bank", ""),
    ],
    "invoices": [
        (71, "Elm Print", BO, 12000, "2027-03-15", "open", None),
        (72, "Oak Rentals", ADA, 900, "2027-03-16", "disputed", None),
    ],
}


def small_office() -> WorkspaceSuite:
    """Return a fresh office of two people."""
    return WorkspaceSuite(Database(Image.of(ROWS)))


def call(office: WorkspaceSuite, name: str, /, **arguments: Any) -> ToolResult:
    """Make one call as an environment does."""
    return execute_calls(office.tools(), [ToolCall(name, arguments)])[0]


def refusal(office: WorkspaceSuite, name: str, /, **arguments: Any) -> str:
    """Make a call that must be refused and change nothing; return the reason, in lower case."""
    before = office.state_hash()
    result = call(office, name, **arguments)
    assert not result.ok, result.value
    assert office.state_hash() == before
    return result.errors[0].for_model.lower()

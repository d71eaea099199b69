"""Goals: what is recognised in free text, and which changes explain which."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.workspace_support import ADA, BO, ROWS, small_office
from toolrl_env.data.procedural.workspace.goal import Change, Goal, Match, changes_between
from toolrl_env.data.procedural.workspace.references import long_date
from toolrl_env.data.procedural.workspace.rows import (
    Account,
    Contact,
    Event,
    File,
    Invoice,
    Mail,
    Order,
    Product,
    TaskRow,
    Transaction,
)
from toolrl_env.tools.suites.workspace import TABLES, Database, Image

DATE_FORMS = (
    "2027-03-04",
    "4 March 2027",
    "March 4, 2027",
    "on the 4th of March",
    "Mar. 4th",
    "MARCH 04",
    "04.03.2027",
    "4/3/2027",
    "It is 2027-03-04.",
)
OTHER_DATES = ("2027-03-05", "14 March 2027", "March 14", "2027-04-03", "12027-03-04", "", "march")
AMOUNT_FORMS = (
    "1250.00 EUR",
    "€1,250.00",
    "1250",
    "1.250,00 €",
    "1 250.00",
    "EUR 1250.0",
    "125000 cents",
    "The sum is 1250.",
    "(1250,00)",
)
OTHER_AMOUNTS = ("1250.50", "11250.00", "125.00", "12500", "125000", "1250.00.1", "", "1,25")


@pytest.mark.parametrize("text", DATE_FORMS)
def test_dates_are_recognised_however_they_are_written(text: str) -> None:
    assert Match("date", "2027-03-04").accepts(text)


@pytest.mark.parametrize("text", OTHER_DATES)
def test_other_dates_are_not_mistaken(text: str) -> None:
    assert not Match("date", "2027-03-04").accepts(text)


@pytest.mark.parametrize("text", AMOUNT_FORMS)
def test_amounts_are_recognised_however_they_are_written(text: str) -> None:
    assert Match("amount", 125000).accepts(text)


@pytest.mark.parametrize("text", OTHER_AMOUNTS)
def test_other_amounts_are_not_mistaken(text: str) -> None:
    assert not Match("amount", 125000).accepts(text)


@given(cents=st.integers(1, 99_999_999))
def test_every_amount_is_found_in_its_usual_forms(cents: int) -> None:
    for text in (f"{cents / 100:.2f} EUR", f"it is €{cents / 100:,.2f}.", f"{cents} cents"):
        assert Match("amount", cents).accepts(text)
        assert not Match("amount", cents + 1).accepts(text)


@given(day=st.dates())
def test_every_day_is_found_in_words(day: Any) -> None:
    if day.year >= 1000:
        assert Match("date", day.isoformat()).accepts(f"on {long_date(day.isoformat())}!")


@pytest.mark.parametrize(
    ("match", "good", "bad"),
    [
        (Match("is", 3), [3], [4, "3", None]),
        (Match("any"), [1, "x", None], []),
        (
            Match("text", "Amber Mill sync"),
            ["amber mill SYNC", ' "Amber  Mill sync." '],
            ["Amber Mill", "Amber Mill sync 2", ""],
        ),
        (
            Match("extends", ("old", "Checked twice.")),
            ["old\nChecked twice.", "old\n\n- checked  twice"],
            ["Checked twice.", "old", "older", "new old\nChecked twice."],
        ),
        (Match("number", 42), ["order 42", "42.", "#42!"], ["421", "order", "142"]),
    ],
)
def test_what_matches_accept(match: Match, good: list[Any], bad: list[Any]) -> None:
    assert all(match.accepts(value) for value in good)
    assert not any(match.accepts(value) for value in bad)


def test_changes_are_added_removed_and_changed_rows_without_private_ones() -> None:
    office = small_office()
    before = office.database.base.rows
    assert changes_between(before, office.database) == []
    office.authorise_payments("123456")
    assert changes_between(before, office.database) == []
    office.assign_task(31, BO)
    office.delete_mail(21)
    office.create_file("/a.txt", "x")
    found = {(c.kind, c.table, c.key) for c in changes_between(before, office.database)}
    assert found == {
        ("changed", "tasks", 31),
        ("removed", "mails", 21),
        ("added", "files", "/a.txt"),
    }
    office.assign_task(31, ADA)
    office.delete_file("/a.txt")
    assert [c.table for c in changes_between(before, office.database)] == ["mails"]


MOVE = Change("changed", "tasks", 31, {"assignee": Match("is", BO)})
DUE = Change("changed", "tasks", 31, {"due": Match("is", "2027-05-05")})
GONE = Change("removed", "mails", 21, {})


def note(words: str) -> Change:
    columns = {name: Match("any") for name in TABLES["tasks"].columns[1:]}
    return Change("added", "tasks", None, {**columns, "title": Match("text", words)})


def test_wishes_are_told_apart_and_each_change_counts_once() -> None:
    office = small_office()
    before = office.database.base.rows
    goal = Goal(((MOVE,), (DUE,), (GONE,), (note("same"),), (note("same"),)))

    def progress() -> tuple[bool, ...]:
        return goal.progress(before, office.database)

    assert progress() == (False, False, False, False, False, True)
    office.assign_task(31, BO)
    assert progress() == (True, False, False, False, False, True)
    office.set_task_due(31, "2027-05-06")
    assert progress() == (True, False, False, False, False, False)
    office.set_task_due(31, "2027-05-05")
    assert progress() == (True, True, False, False, False, True)
    office.create_task("Same!", ADA, "2027-05-05")
    assert progress() == (True, True, False, True, False, True)
    office.create_task("same", ADA, "2027-05-05")
    office.delete_mail(21)
    assert progress() == (True,) * 6
    office.create_task("same", ADA, "2027-05-05")
    assert progress() == (True,) * 5 + (False,)


def test_a_wish_of_two_changes_takes_both() -> None:
    office = small_office()
    goal = Goal(((MOVE, GONE),))
    office.assign_task(31, BO)
    assert goal.progress(office.database.base.rows, office.database) == (False, True)
    office.delete_mail(21)
    assert goal.progress(office.database.base.rows, office.database) == (True, True)


def test_the_named_tuples_are_the_tables_of_the_office() -> None:
    kinds = (Contact, Event, Mail, File, TaskRow, Product, Order, Account, Transaction, Invoice)
    names = [name for name, table in TABLES.items() if not table.private]
    assert [kind._fields for kind in kinds] == [TABLES[name].columns for name in names]
    assert set(ROWS) == set(TABLES)
    assert Database(Image.of(ROWS)).rows("contacts") == tuple(ROWS["contacts"])

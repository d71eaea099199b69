"""What is found in what a user says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolrl_env.wrappers.numeric.found_values import find_values

KINDS = """
quoted date time code number count name list fraction currency complement word phrase
"""
PLACE = {kind: place for place, kind in enumerate(KINDS.split())}


def found(text, kind):
    return [value.value for value in find_values(text) if value.kind == kind]


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ('Write "candle violet" in upper case.', "quoted", ["candle violet"]),
        ("Call it 'big one' and don't stop", "quoted", ["big one"]),
        ("test the regex `[aeiou]{2}` now", "quoted", ["[aeiou]{2}"]),
        ("from 1993-06-20 to 2003-03-19", "date", ["1993-06-20", "2003-03-19"]),
        ("on 5th October 2027", "date", ["2027-10-05"]),
        ("on March 9, 2027", "date", ["2027-03-09"]),
        ("on 31 February 2027", "date", []),
        ("at 06:00, at 6 pm, at 4:45 pm, at 12 am", "time", ["06:00", "18:00", "16:45", "00:00"]),
        ("at a rate of 3.42", "time", []),
        ("open 10:00-11:30", "time", ["10:00", "11:30"]),
        ("add 29 to -4 and 3.42, then 1,250", "number", [29, -4, 3.42, 1250]),
        ("78% of it, 10kg and 25-minute", "number", [78, 10, 25]),
        ("for four weeks, a dozen, Twenty-five", "count", [4, 12, 25]),
        ("someone, tens, fortytwo", "count", []),
        ("from UTC-3.5 to UTC+5:30, GMT+9:00", "number", [-3.5, 5.5, 9]),
        ("from UTC-3.5 to UTC+5:30", "time", []),
        ("on 24 Jan 1992 or Sept. 3, 2001", "date", ["1992-01-24", "2001-09-03"]),
        ("on 24 Janus 1992", "date", []),
        ("5% of it, 12.5 per cent", "fraction", [0.05, 0.125]),
        ("from euros to pounds sterling, $5 won", "currency", ["EUR", "GBP", "USD"]),
        ("dollarisation costs $ and US dollars", "currency", ["USD"]),
        ('said ["a b", "c"], [2, 2, 3]', "list", [["a b", "c"], [2, 2, 3]]),
        ("from 1993-06-20 at 06:00", "number", []),
        ("mail a.b@office.example now", "code", ["a.b@office.example"]),
        ("card LC-56761 of RJ76", "code", ["LC-56761", "RJ76"]),
        ("the colour #487420", "code", ["#487420"]),
        ("bump 3.11.2", "code", ["3.11.2"]),
        ("not 2: 02506038.", "code", ["02506038"]),
        ("call +44 20 4851 6191 today", "code", ["+44 20 4851 6191"]),
        ("remove /drafts/plan.txt", "code", ["/drafts/plan.txt"]),
        ("search for Ana Lucía Robles", "name", ["Ana Lucía Robles", "Lucía Robles"]),
        ("Hello! Japan: the area", "name", ["Japan"]),
        ("Schedule the dishwasher", "name", []),
        ("of 15, 46 and 60?", "list", [[15, 46, 60]]),
        ("from apple, yonder and apple.", "list", [["apple", "yonder", "apple"]]),
        ("between (3, -4) and [1.5, 2]", "list", [[3, -4], [1.5, 2]]),
        ("50 g of cottage cheese.", "complement", ["cottage cheese", "cottage"]),
        ("in the dining room, plus", "complement", ["dining room", "dining"]),
    ],
)
def test_each_kind(text, kind, expected):
    assert found(text, kind) == expected


def test_a_value_is_found_once_with_the_words_around_it():
    values = find_values("Add 3 kilometres to 3 kilometres.")
    (three,) = [value for value in values if value.value == 3]
    assert (three.start, three.end) == (4, 5)
    assert "kilom" in three.near
    assert three.kind == "number"


def test_an_integer_and_its_text_are_two_values():
    values = [(value.value, value.kind) for value in find_values('Check "42" and 42')]
    assert ("42", "quoted") in values
    assert (42, "number") in values


@given(st.text(max_size=400))
def test_any_text_at_all(text):
    values = find_values(text)
    assert len(values) <= 160
    assert [PLACE[value.kind] for value in values] == sorted(PLACE[value.kind] for value in values)
    for value in values:
        assert 0 <= value.start <= value.end <= len(text)
        assert value.value not in ("", [])
    assert values == find_values(text)


@pytest.mark.parametrize(
    "text",
    ["1" * 20_000, "a " * 10_000, "(" * 10_000, "A" * 10_000, "a.b@" * 3000, "1, " * 5000],
)
def test_hostile_text_is_no_trouble(text):
    assert len(find_values(text[:4000])) <= 160

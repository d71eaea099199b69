"""What may stand for a parameter, and the calls that are made of it."""

from __future__ import annotations

import pytest

from tests.wrappers.numeric_support import info_of, tool
from toolrl_env.wrappers.numeric.fitting import Fitter
from toolrl_env.wrappers.numeric.found_values import find_values
from toolrl_env.wrappers.numeric.proposals import propose, similarity
from toolrl_env.wrappers.numeric.visible import look


def fillers(text, name="x", **schema):
    (offered,) = look(info_of(text, tool("f", **{name: schema}))).tools
    return [filler.value for filler in Fitter(find_values(text), text).fillers(offered.slots[0])]


@pytest.mark.parametrize(
    ("text", "schema", "first"),
    [
        ("Add 5 and 2.5", {"type": "integer"}, 5),
        (
            "Is it 2027-01-02 or Oslo?",
            {"type": "string", "description": "YYYY-MM-DD"},
            "2027-01-02",
        ),
        ("Wake me at 6 pm in Oslo", {"type": "string", "description": "24-hour HH:MM"}, "18:00"),
        ('Count the letter d in "oyster d"', {"type": "string", "maxLength": 1}, "d"),
        ("Sort lemon, falcon and nectar", {"type": "array"}, ["lemon", "falcon", "nectar"]),
        ("upper case please", {"enum": ["lower", "upper"]}, "upper"),
        ("turn the lights off", {"type": "boolean"}, False),
        ("turn the lights on", {"type": "boolean"}, True),
        ("bump a major version", {"type": "string", "description": "major, minor"}, "major"),
        ("Check 42", {"type": "string"}, "42"),
        ("Say 3", {"type": ["null", "integer"]}, 3),
    ],
)
def test_what_seems_to_fit_best(text, schema, first):
    value = fillers(text, **schema)[0]
    assert value == first
    assert type(value) is type(first)


@pytest.mark.parametrize(
    ("text", "schema", "left_out"),
    [
        ("Add 5 and 50", {"type": "integer", "maximum": 10}, 50),
        ("Add 5 and 50", {"type": "integer", "minimum": 10}, 5),
        ("Add 2.5", {"type": "integer"}, 2.5),
        ('Say "long words"', {"type": "string", "maxLength": 4}, "long words"),
        ('Say "no"', {"type": "string", "minLength": 4}, "no"),
        ('Say "no"', {"type": "string", "pattern": "^y"}, "no"),
        ("of 1, 2 and 3", {"type": "array", "items": {"type": "string"}}, [1, 2, 3]),
        ("of 1, 2 and 3", {"type": "array", "maxItems": 2}, [1, 2, 3]),
    ],
)
def test_what_the_schema_forbids_is_left_out(text, schema, left_out):
    assert left_out not in fillers(text, **schema)


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("422.9 kg of it", "kilograms"),
        ("422.9kg of it", "kilograms"),
        ("read that as °C please", "celsius"),
        ("from K to C", "kelvin"),
        ("in ft, please", "feet"),
    ],
)
def test_units_are_known_by_their_symbols(text, option):
    others = ["kilograms", "celsius", "kelvin", "feet", "miles"]
    assert option in fillers(text, enum=others)[: 1 + ("to C" in text)]


@pytest.mark.parametrize("text", ["I'm here", "it's g.x", "come in kilts", "a.m."])
def test_letters_of_other_words_are_no_units(text):
    options = ["grams", "metres", "seconds", "miles", "kelvin"]
    assert fillers(text, enum=options) == options


def test_forms_that_only_some_parameters_ask_for():
    number, text = {"type": "number"}, {"type": "string"}
    assert fillers("at 5%", **number) == [5]
    assert fillers("at 5%", **number, description="As a fraction of one.")[0] in (5, 0.05)
    assert 0.05 in fillers("at 5%", **number, description="A decimal.")
    assert fillers("at 5%", **number, description="A decimal.", maximum=1) == [0.05]
    assert "EUR" not in fillers("ten euros", **text)
    assert fillers("ten euros", **text, description="ISO 4217 code of a currency.")[0] == "EUR"


def test_enumerations_keep_options_that_were_not_mentioned_behind_those_that_were():
    values = fillers("60 miles in inches", enum=["feet", "inches", "miles"])
    assert set(values[:2]) == {"inches", "miles"}
    assert values[2] == "feet"


def test_a_default_is_offered_and_no_value_twice():
    values = fillers("Add 5 and 5", type="integer", default=7)
    assert values == [5, 7]


def test_an_integer_may_stand_for_itself_written_as_a_decimal():
    assert fillers("rate 3.0", type="integer") == [3]


def test_calls_keep_the_order_of_what_was_said_and_avoid_using_a_value_twice():
    number = {"type": "number"}
    shown = look(info_of("From 7 take 3", tool("minus", a=number, b=number)))
    proposals, _ = propose(shown, 10)
    best = min(proposals, key=lambda proposal: proposal.rank)
    assert dict(best.call.arguments) == {"a": 7, "b": 3}
    assert {"a": 3, "b": 7} in [dict(proposal.call.arguments) for proposal in proposals]


def test_optional_parameters_are_left_out_and_filled():
    shown = look(
        info_of(
            "Split 85",
            tool("split", "", ["total"], total={"type": "number"}, tip={"type": "number"}),
        )
    )
    calls = [dict(proposal.call.arguments) for proposal in propose(shown, 10)[0]]
    assert {"total": 85} in calls
    assert all("total" in call for call in calls)


def test_ranks_are_within_a_tool():
    tools = [tool(f"t{n}", x={"type": "integer"}) for n in range(3)]
    proposals, _ = propose(look(info_of("Use 1 and 2", *tools)), 30)
    for index in range(3):
        ranks = [p.rank for p in proposals if p.tool == index]
        assert sorted(ranks) == list(range(len(ranks)))
        scores = [p.score for p in sorted(proposals, key=lambda p: p.rank) if p.tool == index]
        assert scores == sorted(scores, reverse=True)


def test_similarity_is_the_share_of_a_tools_words():
    shown = look(info_of("Convert 3 lengths", tool("convert_length", "Convert a length.")))
    assert similarity(shown, shown.tools[0]) == 1.0
    shown = look(info_of("Spell it", tool("convert_length", "Convert a length.")))
    assert similarity(shown, shown.tools[0]) == 0.0


def test_many_parameters_stay_cheap():
    slots = {f"p{n}": {"type": "integer"} for n in range(40)}
    proposals, _ = propose(look(info_of("1 2 3 4 5", tool("f", "", [], **slots))), 50)
    assert 0 < len(proposals) <= 50
    assert max(len(p.call.arguments) for p in proposals) <= 16

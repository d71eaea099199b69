"""The parts that turn the catalogue into scenes: values, phrasings, results, names, calls."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolrl_env.data.bundled.catalogue import load_catalogue, parse_value
from toolrl_env.data.bundled.dialects import call_syntax, masked, xlam_parameters
from toolrl_env.data.bundled.language import fill, indefinite
from toolrl_env.data.bundled.results import COMPUTED
from toolrl_env.data.bundled.scenes import Ledger, offer
from toolrl_env.data.bundled.values import Value, ValueSource, make_code, say_date, say_time
from toolrl_env.parsing import get_protocol

CATALOGUE = load_catalogue()
TOOLS = list(CATALOGUE.tools.values())


@pytest.mark.parametrize(
    ("tool", "arguments", "expected"),
    [
        ("split_bill", {"total": 90.0, "people": 4, "tip_percent": 20}, {"each": 27.0}),
        ("body_mass_index", {"height_cm": 200, "weight_kg": 80}, {"bmi": 20.0}),
        ("race_pace", {"distance_km": 10, "target_minutes": 55}, {"pace": "5:30"}),
        ("bump_version", {"version": "1.9.3", "part": "minor"}, {"next": "1.10.0"}),
        (
            "bump_version",
            {"version": "1.9.3", "part": "major", "pre": "rc"},
            {"next": "2.0.0-rc.1"},
        ),
        ("molar_mass", {"formula": "H2SO4", "digits": 3}, {"g_per_mol": 98.072}),
        ("convert_units", {"value": 10, "source": "feet", "target": "metres"}, {"result": 3.048}),
        ("matrix_determinant", {"matrix": [[2, 0, 1], [1, 1, 0], [0, 3, 4]]}, {"determinant": 11}),
        ("test_regex", {"pattern": "t", "text": "Tit"}, {"matches": 1}),
        ("test_regex", {"pattern": "t", "text": "Tit", "ignore_case": True}, {"matches": 2}),
        ("summarise_numbers", {"values": [1, 2, 6]}, {"mean": 3, "median": 2, "deviation": 2.16}),
        ("fuel_cost", {"distance_km": 200, "litres_per_100km": 5, "price": 2}, {"cost": 20.0}),
        (
            "local_time",
            {"time": "20:30", "source": "Lisbon", "target": "Kyoto"},
            {"there": "05:30"},
        ),
        ("nutrition_facts", {"food": "tempeh", "grams": 50}, {"kcal": 96, "protein_g": 10}),
    ],
)
def test_worked_out_results_are_right(
    tool: str, arguments: dict[str, object], expected: dict[str, object]
) -> None:
    result = COMPUTED[tool](arguments, Random(0))
    assert {key: result[key] for key in expected} == expected


def test_loans_and_distances_are_about_right() -> None:
    loan = {"principal": 100_000, "annual_rate": 0.06, "years": 30}
    assert COMPUTED["loan_payment"](loan, Random(0))["monthly"] == pytest.approx(599.55)
    way = {"start": "Lisbon", "end": "Porto"}
    assert COMPUTED["distance_between"](way, Random(0))["distance"] == pytest.approx(274, abs=8)
    miles = COMPUTED["distance_between"]({**way, "unit": "miles"}, Random(0))
    assert miles["distance"] == pytest.approx(170, abs=6)
    assert miles["unit"] == "miles"


def test_departures_come_after_the_time_that_was_asked_for() -> None:
    for seed in range(30):
        result = COMPUTED["train_departures"]({"after": "22:45", "towards": "Leeds"}, Random(seed))
        assert "22:45" < result["next"] < "23:59"
        assert result["terminus"] == "Leeds"


@given(st.integers(0, 23), st.sampled_from([0, 15, 30, 45]), st.integers(0, 9))
def test_a_time_is_said_unambiguously(hour: int, minute: int, seed: int) -> None:
    said = say_time(hour, minute, Random(seed))
    assert said.value == f"{hour:02}:{minute:02}"
    words = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
    if said.surface == said.value:
        return
    if said.surface == "noon":
        assert said.value == "12:00"
        return
    late = said.surface.endswith(("pm", "afternoon", "evening"))
    spoken = next((words.index(w) for w in words if w in said.surface.split()), None)
    digits = re.match(r"\d+", said.surface)
    clock = spoken if digits is None else int(digits[0])
    assert clock is not None
    assert clock % 12 + 12 * late == hour


@given(st.dates(date(2026, 1, 1), date(2030, 12, 31)), st.integers(0, 20))
def test_a_date_is_said_with_its_year(day: date, seed: int) -> None:
    said = say_date(day, Random(seed))
    assert said.value == day.isoformat()
    assert str(day.year) in said.surface
    assert str(day.day) in said.surface.replace(f"-0{day.day}", f"-{day.day}")


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("a week => 7", "int", ("a week", 7)),
        ("euros => EUR", "str", ("euros", "EUR")),
        ("Ghent", "str", ("Ghent", "Ghent")),
        ("4, 8 and 15", "list[str]", ("4, 8 and 15", ["4", "8", "15"])),
        ("[[1, 2], [3, 4]]", "list[list[float]]", ("[[1, 2], [3, 4]]", [[1, 2], [3, 4]])),
        ("3.5", "float", ("3.5", 3.5)),
    ],
)
def test_a_value_is_read_from_how_it_is_written(
    text: str, kind: str, expected: tuple[str, object]
) -> None:
    assert parse_value(text, kind) == expected


def test_numbered_slots_make_several_calls() -> None:
    tool = CATALOGUE.tools["search_flights"]
    given_ = {"origin": Value("Cork", "Cork"), "destination": Value("Oslo", "Oslo")}
    values = ValueSource(CATALOGUE.pools, Random(1))
    line = (
        "{origin} to {destination} on {date}, on to {destination2} on {date2} @origin2=destination"
    )
    filled = fill(line, tool, values, given_)
    first, second = filled.arguments
    assert (first["origin"], first["destination"]) == ("Cork", "Oslo")
    assert second["origin"] == "Oslo"
    assert second["date"] != first["date"]
    assert list(second) == ["origin", "destination", "date"]
    assert "@" not in filled.text


def test_a_literal_slot_is_said_one_way_and_means_another() -> None:
    tool = CATALOGUE.tools["switch_lights"]
    values = ValueSource(CATALOGUE.pools, Random(1))
    filled = fill("{on|Lights off|false} in the {room}!", tool, values)
    assert filled.text.startswith("Lights off in the ")
    assert filled.arguments[0]["on"] is False


def test_a_number_word_at_the_start_of_a_sentence_is_capitalised() -> None:
    tool = CATALOGUE.tools["buy_tickets"]
    given_ = {"quantity": Value("two", 2), "event_id": Value("EV1", "EV1")}
    values = ValueSource(CATALOGUE.pools, Random(1))
    assert fill("Yes! {quantity} for {event_id}.", tool, values, given_).text == "Yes! Two for EV1."


def test_values_of_one_kind_do_not_repeat_and_running_out_is_an_error() -> None:
    param = CATALOGUE.tools["deploy_service"].params["environment"]
    values = ValueSource(CATALOGUE.pools, Random(1))
    assert {values.draw(param).value, values.draw(param).value} == {"staging", "production"}
    with pytest.raises(ValueError, match="too few different values"):
        values.draw(param)


@given(st.integers(0, 1000))
def test_codes_follow_their_pattern(seed: int) -> None:
    assert re.fullmatch(r"X-[1-9]{3}[A-Z]", make_code("X-###@", Random(seed)))


def test_articles() -> None:
    for phrase, article in {"Irish": "an", "8-day": "an", "11.5 km": "an", "18": "an"}.items():
        assert indefinite(phrase) == article
    for phrase in ("Kenyan", "10", "110", "180", "Ukrainian", "one"[1:]):
        assert indefinite(phrase) == "a"


def test_the_ledger_uses_everything_before_anything_twice() -> None:
    ledger = Ledger(Random(2))
    taken = [ledger.take("x", ["a", "b", "c"]) for _ in range(6)]
    assert Counter(taken) == {"a": 2, "b": 2, "c": 2}
    assert set(taken[:3]) == {"a", "b", "c"}
    assert ledger.take("y", ["a"]) == "a"


@given(st.integers(0, 300))
def test_an_offer_holds_what_is_wanted_and_nothing_that_could_stand_in(seed: int) -> None:
    rng = Random(seed)
    wanted = rng.choice(TOOLS)
    tools = offer(CATALOGUE, rng, [wanted], 6)
    assert wanted in tools
    assert len(tools) == len({tool.name for tool in tools}) == 7
    assert all(t is wanted or CATALOGUE.compatible(t.name, wanted.name) for t in tools)
    without = offer(CATALOGUE, rng, [], 4, unwanted=wanted)
    assert wanted not in without
    assert len(without) == 4


@pytest.mark.parametrize("seed", range(5))
def test_masked_names_are_hammers_and_stay_the_same_within_a_row(seed: int) -> None:
    naming = masked(Random(seed))
    tool = TOOLS[seed]
    name = naming.tool(tool)
    assert re.fullmatch(r"[A-Za-z0-9_.]{5,15}", name)
    assert naming.tool(tool) == name
    for param in tool.params:
        assert re.fullmatch(r"[A-Za-z0-9_.]{4,10}", naming.param(tool, param))
        assert naming.param(tool, param) == naming.param(tool, param)


ARGUMENTS = st.recursive(
    st.text(max_size=8) | st.integers(-999, 999) | st.booleans() | st.floats(-1e3, 1e3),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.from_regex(r"[a-z]{1,6}_", fullmatch=True), ARGUMENTS, max_size=4))
def test_written_calls_are_read_back(arguments: dict[str, object]) -> None:
    printable = all(value.isprintable() for value in leaves(arguments) if isinstance(value, str))
    if not printable:
        return
    action = get_protocol("python").parse(f"[{call_syntax('Book Table', arguments)}]")
    assert [(call.name, call.arguments) for call in action.calls] == [("Book Table", arguments)]


def leaves(value: object) -> list[object]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in leaves(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


def test_xlam_documents_optional_parameters_in_the_type() -> None:
    documented = xlam_parameters(CATALOGUE.tools["daily_forecast"])
    assert documented["city"]["type"] == "str"
    assert documented["units"] == {
        "description": "Temperature scale. One of 'celsius', 'fahrenheit'.",
        "type": "str, optional",
        "default": "celsius",
    }

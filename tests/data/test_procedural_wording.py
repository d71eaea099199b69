"""Recipes, samplers and wording."""

from __future__ import annotations

import json
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.types import ToolCall
from toolrl_env.data.procedural import phrasing, samplers
from toolrl_env.data.procedural.drawing import Draw, split_of
from toolrl_env.data.procedural.recipe import Recipe, slots
from toolrl_env.data.procedural.recipes import RECIPES
from toolrl_env.data.procedural.recipes.lookup import OUTSIDE
from toolrl_env.data.procedural.wording import UNIT_WORDS, say
from toolrl_env.tools import CallValidator, as_parsed
from toolrl_env.tools.suites.toolbox import TOOLBOX


def test_every_tool_has_a_recipe() -> None:
    assert set(RECIPES) == set(TOOLBOX)
    assert sum(recipe.level == 1 for recipe in RECIPES.values()) >= 24


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_fits_its_tool(name: str) -> None:
    recipe, schema = RECIPES[name], TOOLBOX[name].spec.parameters
    required = set(schema["required"])
    assert set(recipe.options) == set(schema["properties"]) - required
    assert recipe.ask
    assert set(recipe.ask) <= required
    assert set(recipe.chained) <= required
    assert set(recipe.says) <= set(schema["properties"])
    assert len(recipe.direct) + len(recipe.story) >= 3
    assert bool(recipe.gives) <= bool(recipe.noun)
    for texts in (*recipe.ask.values(), *recipe.chained.values()):
        assert len(texts) >= 2
    validator = CallValidator([TOOLBOX[name].spec])
    for level in range(1, 6):
        for seed in range(30):
            arguments = recipe.sample(Random(seed), level)
            assert required <= set(arguments)
            assert validator.check([as_parsed(ToolCall(name, arguments))])[0].ok, arguments
            assert json.loads(json.dumps(arguments)) == arguments


def test_a_recipe_with_a_wrong_template_is_refused() -> None:
    def recipe(**more: object) -> Recipe:
        parts = {"direct": ("{a} {b}",), "story": (), **more}
        return Recipe("f", "do f", lambda r, level: {"a": 1, "b": 2}, **parts)  # type: ignore[arg-type]

    assert recipe().direct == ("{a} {b}",)
    for wrong in (
        {"direct": ("{a}",)},
        {"story": ("{a} {b} {c}",)},
        {"noun": ("{a} {a} {b}",)},
        {"ask": {"a": ("the a", "{a} {b}")}},
        {"chained": {"b": ("number", "{b}")}},
        {"options": {"b": ("{a}",)}},
    ):
        with pytest.raises(ConfigurationError, match="recipe 'f'"):
            recipe(**wrong)


def test_slots_are_listed_with_repetitions() -> None:
    assert slots("plain") == []
    assert slots("{x} and {x}") == ["x", "x"]


@pytest.mark.parametrize(
    ("kind", "value", "forms"),
    [
        ("", 1250, {"1250", "1,250"}),
        ("", 12.5, {"12.5"}),
        ("", 7, {"7", "seven"}),
        ("number", -3, {"-3"}),
        ("", "red fox", {'"red fox"', "'red fox'", "“red fox”"}),
        ("", ["a", "b", "c"], {"a, b, c", "a, b and c", "[a, b, c]"}),
        ("", [1, 2], {"1, 2", "1 and 2", "[1, 2]"}),
        ("", ["a"], {"a", "[a]"}),
        ("date", "2024-03-05", {"2024-03-05", "5 March 2024", "March 5, 2024", "5 Mar 2024"}),
        ("time", "14:30", {"14:30", "2:30 pm"}),
        ("time", "00:05", {"00:05", "12:05 am"}),
        ("time", "12:00", {"12:00", "12:00 pm"}),
        ("offset", 5.5, {"UTC+5.5", "UTC+5:30"}),
        ("offset", -3, {"UTC-3", "UTC-3:00"}),
        ("offset", 0, {"UTC+0", "UTC+0:00"}),
        ("unit", "kilometres", {"kilometres", "km"}),
        ("point", [3, 4.5], {"(3, 4.5)"}),
        ("plain", "upper", {"upper"}),
    ],
)
def test_forms_of_a_value(kind: str, value: object, forms: set[str]) -> None:
    said = {say(kind, value, Random(seed), 5) for seed in range(200)}
    assert said == forms


def test_level_one_says_values_as_the_tool_wants_them() -> None:
    for seed in range(50):
        rng = Random(seed)
        assert say("date", "2024-03-05", rng, 1) == "2024-03-05"
        assert say("time", "14:30", rng, 1) == "14:30"
        assert say("", 1250, rng, 1) == "1250"
        assert say("unit", "miles", rng, 1) == "miles"
        assert say("", "a b", rng, 1) == '"a b"'


def test_short_units_are_unambiguous() -> None:
    short = [words[1] for words in UNIT_WORDS.values()]
    assert len(set(short)) == len(short)


@settings(max_examples=60, deadline=None)
@given(st.integers(), st.integers(1, 5))
def test_samplers_stay_in_bounds(seed: int, level: int) -> None:
    rng = Random(seed)
    assert 10 <= samplers.amount(rng, level) < 4000 * level + 401
    found = samplers.numbers(rng, level)
    assert 3 <= len(found) <= 3 + level
    assert all(round(number, 2) == number for number in found)
    assert 2 <= len(samplers.phrase(rng, level).split()) <= 1 + level
    assert "1950-01-01" <= samplers.date(rng) <= "2049-12-31"
    assert "00:00" <= samplers.time_of_day(rng, level) <= "23:59"
    assert len(samplers.colour(rng)) == 7
    assert type(samplers.decimal(rng, 1, 9, 1)) is int


def test_split_of_is_stable_and_proportioned() -> None:
    assert [split_of(f"content {i}") for i in range(8)] == [
        split_of(f"content {i}") for i in range(8)
    ]
    shares = [split_of(f"content {i}") for i in range(5000)]
    assert abs(shares.count("train") - 4000) < 120
    assert abs(shares.count("validation") - 500) < 90
    assert abs(shares.count("test") - 500) < 90


def test_offers() -> None:
    for level in range(1, 6):
        for seed in range(60):
            draw = Draw(Random(seed), level, "train")
            offered = draw.offer(("gcd", "weekday"))
            assert {"gcd", "weekday"} <= set(offered)
            assert len(offered) == len(set(offered))
            hidden = draw.offer((), hidden="median")
            assert hidden
            assert not {"mean", "median", "spread", "std_dev"} & set(hidden)


def test_requests_outside_the_toolbox_name_their_slots() -> None:
    for goal, template in OUTSIDE:
        assert goal
        assert slots(template) == ["count", "place"]


def test_sentences_of_the_frame_name_no_number() -> None:
    for frame in (*phrasing.FRAMES, *(part for joiner in phrasing.JOINERS for part in joiner)):
        assert not any(character.isdigit() for character in frame)
    assert all(frame.count("{}") == 1 for frame in phrasing.FRAMES)
    assert phrasing.and_list(["a"]) == "a"

from __future__ import annotations

import pytest

from toolrl_env.core.errors import DataError
from toolrl_env.core.types import ToolCall
from toolrl_env.data.bfcl.plan import Plan
from toolrl_env.data.bfcl.scenario import CATEGORIES, parse_gold_call, read_scenarios
from toolrl_env.tools.suites.bfcl import Library, specs_of


@pytest.mark.parametrize(
    ("text", "name", "arguments"),
    [
        ("pwd()", "pwd", {}),
        ("ls(a=True)", "ls", {"a": True}),
        ("sort('final.pdf')", "sort", {"file_name": "final.pdf"}),
        ("mv('a', destination='b')", "mv", {"source": "a", "destination": "b"}),
        ("mean(numbers=[1, -2.5])", "mean", {"numbers": [1, -2.5]}),
        (
            "purchase_insurance('token', 'flight')",
            "purchase_insurance",
            {"access_token": "token", "insurance_type": "flight"},
        ),
    ],
)
def test_gold_calls(text: str, name: str, arguments: dict[str, object]) -> None:
    assert parse_gold_call(text) == ToolCall(name, arguments)


@pytest.mark.parametrize(
    "text",
    [
        "pwd",
        "1 + 1",
        "ls(",
        "ls(a=__import__('os'))",
        "os.system('x')",
        "system('x')",
        "ls(a=pwd())",
    ],
)
def test_anything_else_is_an_error_and_not_evaluated(text: str) -> None:
    with pytest.raises(DataError):
        parse_gold_call(text)


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_category_has_its_200_scenarios(category: str) -> None:
    scenarios = read_scenarios(category)
    assert [s.number for s in scenarios] == list(range(200))
    assert all(len(s.users) == len(s.gold) and all(s.users) for s in scenarios)
    assert all(s.late for s in scenarios) == (category == "miss_func")


def test_the_user_brings_held_out_functions_in_the_official_words(library: Library) -> None:
    for scenario in read_scenarios("miss_func"):
        for turn in scenario.late:
            assert scenario.users[turn] == library.more_functions


@pytest.mark.parametrize("category", CATEGORIES)
def test_the_tools_are_those_that_the_official_loader_gives(
    library: Library, category: str
) -> None:
    entries = library.entries(f"multi_turn_{category}", include_language_specific_hint=False)
    for entry, scenario in list(zip(entries, read_scenarios(category), strict=True))[::9]:
        plan = Plan(scenario)
        assert [f["name"] for f in entry["function"]] == [spec.name for spec in plan.tools(0)]
        for turn, functions in entry.get("missed_function", {}).items():
            offered = {spec.name for spec in plan.tools(int(turn))}
            assert {f["name"] for f in functions} <= offered
            before = {spec.name for spec in plan.tools(int(turn) - 1)}
            assert not {f["name"] for f in functions} & before


def test_gold_calls_only_documented_methods_of_the_classes() -> None:
    for category in CATEGORIES:
        for scenario in read_scenarios(category):
            names = {spec.name for spec in specs_of(scenario.classes)}
            assert {call.name for calls in scenario.gold for call in calls} <= names

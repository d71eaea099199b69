from __future__ import annotations

import pytest

from toolrl_env.core.types import ToolCall
from toolrl_env.data.bfcl.plan import Plan
from toolrl_env.data.bfcl.scenario import CATEGORIES, read_scenarios
from toolrl_env.tools import as_parsed
from toolrl_env.tools.suites.bfcl import World


def plan(category: str, number: int) -> Plan:
    return Plan(read_scenarios(category)[number])


def test_held_out_functions_arrive_last_and_stay() -> None:
    made = plan("miss_func", 0)
    assert made.scenario.late == {3: ("sort",)}
    names = [[spec.name for spec in made.tools(turn)] for turn in range(made.turns)]
    assert ["sort" in offered for offered in names] == [False, False, False, True, True]
    assert names[3] == [*names[2], "sort"]
    assert made.tools(0) is made.tools(2)


def test_the_flaws_of_the_official_gold_are_these_five() -> None:
    found = {
        scenario.id: flaws
        for category in CATEGORIES
        for scenario in read_scenarios(category)
        if (flaws := Plan(scenario).flaws)
    }
    ticket = ("gold calls close_ticket against its documentation",)
    assert found == {f"multi_turn_{c}_173": ticket for c in CATEGORIES} | {
        "multi_turn_miss_func_49": ("gold calls tail before it is offered",)
    }


def ok(made: Plan, turn: int, name: str, **arguments: object) -> bool:
    return made.validator(turn).check([as_parsed(ToolCall(name, arguments))])[0].ok


def test_a_flaw_is_admitted_where_gold_has_it_and_nowhere_else() -> None:
    flawed, sound = plan("base", 173), plan("base", 174)
    assert ok(flawed, 0, "close_ticket", ticket_id="ticket_001")
    assert not ok(flawed, 0, "close_ticket", ticket_id="ticket_001", more=1)
    assert not ok(flawed, 0, "close_ticket")
    assert not ok(flawed, 0, "get_ticket", ticket_id="ticket_001")
    assert "TicketAPI" not in sound.scenario.classes or not ok(
        sound, 0, "close_ticket", ticket_id="ticket_001"
    )


def test_an_early_function_is_admitted_but_not_shown() -> None:
    made = plan("miss_func", 49)
    assert "tail" not in {spec.name for spec in made.tools(1)}
    assert ok(made, 1, "tail", file_name="file3.txt")
    assert not ok(made, 1, "wc", file_name="file3.txt")
    assert ok(made, 3, "wc", file_name="file3.txt")


def test_checkpoints_are_the_states_after_each_turn() -> None:
    made = plan("base", 0)
    world = World(made.start)
    for calls, checkpoint in zip(made.scenario.gold, made.checkpoints, strict=True):
        texts = [world.call(call.name, call.arguments).text for call in calls]
        assert checkpoint.results.total() == len(texts)
        assert set(checkpoint.results) == set(texts)
        assert checkpoint.world.canonical() == world.canonical()


@pytest.mark.parametrize("category", ["base", "long_context"])
def test_long_contexts_begin_with_more(category: str) -> None:
    made = plan(category, 0)
    files = World(made.start).call("find", {"path": "/"}).value["matches"]
    assert (len(files) > 20) == (category == "long_context")


def test_turns_without_gold_calls_are_not_checked() -> None:
    made = plan("miss_func", 0)
    assert made.turns == 5
    assert made.checked == (0, 1, 3, 4)

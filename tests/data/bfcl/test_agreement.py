"""A part of ``benchmarks.quality.bfcl_agreement``, which plays all of it."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.quality.bfcl_agreement import Comparison, compare
from benchmarks.quality.bfcl_agreement import _trajectories as trajectories
from toolrl_env.data.bfcl import CATEGORIES
from toolrl_env.data.bfcl.plan import Plan
from toolrl_env.data.bfcl.scenario import read_scenarios
from toolrl_env.tools.suites.bfcl import Library

NUMBERS = (3, 49, 60, 90, 101, 131, 158, 173)


@pytest.fixture(scope="module")
def found() -> dict[str, list[Comparison]]:
    return {}


@pytest.mark.parametrize("category", CATEGORIES)
def test_the_official_checker_says_the_same(
    library: Library, category: str, found: dict[str, list[Comparison]]
) -> None:
    name = f"multi_turn_{category}"
    rows = {row["id"]: row for row in library.rows(name)}
    answers = {row["id"]: row["ground_truth"] for row in library.answers(name)}
    compared = []
    for number in NUMBERS:
        scenario = read_scenarios(category)[number]
        plan = Plan(scenario)
        for kind, calls in trajectories(plan, copies=1):
            row, answer = rows[scenario.id], answers[scenario.id]
            compared.append(compare(plan, kind, calls, row, answer))
    assert [c for c in compared if not c.same_check] == []
    assert all(c.official == "valid" for c in compared if c.kind == "gold")
    assert len(compared) >= 3 * len(NUMBERS)
    found[category] = compared


def test_the_damage_is_real_and_of_every_kind(found: dict[str, list[Comparison]]) -> None:
    compared = [c for comparisons in found.values() for c in comparisons]
    kinds = Counter(c.kind for c in compared)
    verdicts = Counter(c.official for c in compared if c.kind != "gold")
    assert set(kinds) == {"gold", "drop", "change", "swap"}
    assert verdicts["valid"] < 0.2 * verdicts.total()
    assert {"state", "response", "empty"} <= set(verdicts)

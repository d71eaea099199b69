from __future__ import annotations

import json
from typing import Any

import pytest

from toolrl_env.core.errors import ConfigurationError
from toolrl_env.data import gold_errors
from toolrl_env.data.hammer import Hammer
from toolrl_env.data.xlam import XLAM

Rows = list[dict[str, Any]]


def many_rows(count: int) -> Rows:
    tools = [
        {"name": n, "description": n, "parameters": {"p": {"type": "int", "default": 2}}}
        for n in ("one", "two", "three")
    ]
    answers = json.dumps([{"name": "two", "arguments": {"p": 2}}])
    return [
        {"query": f"query {i}", "answers": answers, "tools": json.dumps(tools)}
        for i in range(count)
    ]


def test_what_happens_to_a_row_depends_on_its_content_and_the_seed() -> None:
    rows = many_rows(30)
    tasks = [Hammer().tasks(row, "t") for row in rows]
    assert tasks == [Hammer().tasks({**row, "id": 99}, "t") for row in rows]
    assert tasks != [Hammer(seed=1).tasks(row, "t") for row in rows]


def test_the_shares() -> None:
    tasks = [Hammer().tasks(row, "t") for row in many_rows(1200)]
    masked = sum(first.gold.values[0]["name"] != "two" for first, *_ in tasks)
    extra = sum(len(found) == 2 for found in tasks)
    assert 0.62 < masked / 1200 < 0.71
    assert 0.10 < extra / 1200 < 0.15


def test_the_default_that_equals_the_gold_value_is_gone_and_tools_are_shuffled() -> None:
    tasks = [Hammer(mask_probability=0).tasks(row, "t")[0] for row in many_rows(60)]
    for task in tasks:
        two = next(tool for tool in task.tools if tool.name == "two")
        assert two.documented is not None
        assert two.documented["p"]["default"] != 2
    assert len({tuple(tool.name for tool in task.tools) for task in tasks}) == 6


def test_every_masked_gold_still_fits_its_tools(xlam_rows: Rows) -> None:
    for seed in range(5):
        for row in xlam_rows:
            for task in Hammer(mask_probability=1, irrelevance=1, seed=seed).tasks(row, "t"):
                assert gold_errors(task) == ()


def test_masking_changes_names_and_nothing_else(xlam_rows: Rows) -> None:
    row = xlam_rows[3]
    (plain,) = XLAM().tasks(row, "t")
    masked = Hammer(mask_probability=1, irrelevance=0).tasks(row, "t")[0]
    assert {tool.description for tool in masked.tools} == {tool.description for tool in plain.tools}
    assert not {tool.name for tool in masked.tools} & {tool.name for tool in plain.tools}
    assert masked.messages == plain.messages
    assert masked.category == plain.category
    values = [list(value["parameters"].values()) for value in masked.gold.values]
    assert values == [list(value["parameters"].values()) for value in plain.gold.values]


def test_the_irrelevant_twin_lacks_every_tool_that_would_do(xlam_rows: Rows) -> None:
    twin = Hammer(mask_probability=0, irrelevance=1).tasks(xlam_rows[3], "h-3")[1]
    assert (twin.id, twin.category) == ("h-3-irrelevant", "irrelevant")
    assert [tool.name for tool in twin.tools] == ["tide_table"]
    assert not twin.gold.has_call
    assert twin.gold.has_response


def test_rows_with_one_tool_or_no_answers_have_no_twin(xlam_rows: Rows) -> None:
    always = Hammer(irrelevance=1)
    assert [len(always.tasks(row, "t")) for row in xlam_rows] == [2, 2, 1, 2, 1]
    assert [len(Hammer(irrelevance=0).tasks(row, "t")) for row in xlam_rows] == [1] * 5


@pytest.mark.parametrize("share", [-0.1, 1.5, float("nan"), "half"])
@pytest.mark.parametrize("option", ["mask_probability", "irrelevance"])
def test_a_share_outside_of_0_to_1_is_refused(option: str, share: object) -> None:
    with pytest.raises(ConfigurationError, match=rf"{option} must be in \[0, 1\]"):
        Hammer(**{option: share})  # type: ignore[arg-type]

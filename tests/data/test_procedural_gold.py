"""Gold answers of the toolbox: run again, valid, parsed, derivable from the dialogue, unique."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterable
from typing import Any

import pytest

from toolrl_env.core.types import Task, ToolCall
from toolrl_env.data.procedural import ToolboxSource
from toolrl_env.data.procedural.drawing import _FIELD_OF
from toolrl_env.parsing import get_protocol, parse_ground_truth
from toolrl_env.tools import CallValidator, as_parsed, execute_calls, results_agree

LEVELS = (1, 2, 3, 4, 5)
SPLITS = ("train", "validation", "test")


def tasks(count: int, split: str = "train") -> Iterable[tuple[ToolboxSource, Task]]:
    for level in LEVELS:
        source = ToolboxSource(split, level)
        for index in range(count):
            yield source, source[index]


def gold_calls(task: Task) -> list[ToolCall]:
    return [ToolCall(value["name"], value["parameters"]) for value in task.gold.values]


@pytest.mark.parametrize("split", SPLITS)
def test_gold_calls_run_again_to_the_documented_results(split: str) -> None:
    for source, task in tasks(80, split):
        results = execute_calls(source.tools_for(task), gold_calls(task))
        assert all(result.ok and result.executed for result in results), task
        assert [result.value for result in results] == task.metadata["expected_results"]
        assert results_agree(task.metadata["expected_results"], results)


def test_observed_calls_of_a_dialogue_run_to_what_was_observed() -> None:
    seen = 0
    for source, task in tasks(150):
        for call_message, answer in zip(task.messages, task.messages[1:], strict=False):
            if answer.role == "tool":
                (result,) = execute_calls(source.tools_for(task), call_message.tool_calls)
                assert json.loads(answer.content) == result.value
                assert answer.name == call_message.tool_calls[0].name
                seen += 1
    assert seen > 30


def test_gold_calls_are_valid_calls_of_offered_tools() -> None:
    for _, task in tasks(150):
        checked = CallValidator(task.tools).check([as_parsed(call) for call in gold_calls(task)])
        assert all(result.ok for result in checked)


def test_gold_is_what_the_parser_makes_of_its_text() -> None:
    protocol = get_protocol("toolrl")
    for _, task in tasks(150):
        gold = parse_ground_truth(task.gold.text)
        assert gold == task.gold
        action = protocol.parse(task.gold.text)
        assert not action.issues
        assert protocol.layout_ok(action, gold.has_call, gold.has_response)


def test_gold_keeps_to_the_shape_of_its_category() -> None:
    for _, task in tasks(200):
        gold, offered = task.gold, {tool.name for tool in task.tools}
        assert gold.has_call is not gold.has_response
        assert gold.has_call is (task.category in {"single", "parallel", "dependent"})
        count = len(gold.values)
        assert count == len(task.metadata["expected_results"])
        if task.category == "parallel":
            assert count >= 2
            assert len({json.dumps(value, sort_keys=True) for value in gold.values}) == count
        elif gold.has_call:
            assert count == 1
        assert {value["name"] for value in gold.values} <= offered
        assert task.messages[-1].role in {"user", "tool"}
        assert task.system is None
        assert task.user is None
        json.dumps(task.metadata)


def test_dependent_tasks_show_a_result_and_use_it() -> None:
    stages = {1: 0, 2: 0}
    for _, task in tasks(300):
        if task.category != "dependent":
            continue
        stage = task.metadata["stage"]
        stages[stage] += 1
        assert len(task.messages) == (1 if stage == 1 else 3)
        if stage == 2:
            observed = json.loads(task.messages[-1].content)
            arguments = task.gold.values[0]["parameters"]
            assert observed in list(arguments.values())
            assert task.messages[1].tool_calls[0].name != task.gold.values[0]["name"]
    assert min(stages.values()) > 30


def test_irrelevant_tasks_offer_no_tool_of_the_field() -> None:
    within = outside = 0
    for _, task in tasks(250):
        if task.category == "irrelevant":
            fields = {_FIELD_OF[tool.name] for tool in task.tools}
            wanted = task.metadata["wanted"]
            within += wanted is not None
            outside += wanted is None
            if wanted is not None:
                assert _FIELD_OF[wanted] not in fields
                if _FIELD_OF[wanted] in {"money", "arithmetic"}:
                    assert not fields & {"money", "arithmetic"}
    assert within > 60
    assert outside > 20


def test_missing_parameters_are_required_ones_of_an_offered_tool() -> None:
    seen = 0
    for _, task in tasks(250):
        if task.category == "missing_parameter":
            name = task.metadata["missing"]
            assert any(name in tool.parameters["required"] for tool in task.tools)
            seen += 1
    assert seen > 80


# ---------------------------------------------------------------- derivable from the dialogue

NUMBER_WORDS = dict(
    zip(
        ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"],
        range(2, 12),
        strict=True,
    ),
    twelve=12,
)
UNITS = {
    "metres": "m", "kilometres": "km", "miles": "mi", "feet": "ft", "grams": "g",
    "kilograms": "kg", "pounds": "lb", "ounces": "oz", "litres": "l", "millilitres": "ml",
    "gallons": "gal", "celsius": "°C", "fahrenheit": "°F", "kelvin": "K",
}  # fmt: skip
DATE_FORMATS = ("%Y-%m-%d", "%d %B %Y", "%B %d, %Y", "%d %b %Y")
DATE = re.compile(r"\d{4}-\d\d-\d\d|\d{1,2} [A-Z][a-z]+ \d{4}|[A-Z][a-z]+ \d{1,2}, \d{4}")


def stated_dates(text: str) -> set[str]:
    found: set[str] = set()
    for match in DATE.findall(text):
        for layout in DATE_FORMATS:
            try:
                found.add(datetime.datetime.strptime(match, layout).date().isoformat())
            except ValueError:
                continue
    return found


def stated_times(text: str) -> set[str]:
    found: set[str] = set()
    for hour, minute, half in re.findall(r"(\d{1,2}):(\d\d)(?: (am|pm))?", text):
        shift = {"pm": 12, "am": 0, "": 0}[half]
        base = int(hour) % 12 if half else int(hour)
        found.add(f"{base + shift:02d}:{minute}")
    return found


def stated_numbers(text: str) -> set[float]:
    plain = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    found = {float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", plain)}
    found |= {NUMBER_WORDS[w] for w in re.findall(r"[a-z]+", text) if w in NUMBER_WORDS}
    for sign, hours, minutes in re.findall(r"UTC([+-])(\d+):(\d\d)", text):
        found.add((int(hours) + int(minutes) / 60) * (-1 if sign == "-" else 1))
    for value in re.findall(r"UTC([+-][\d.]*\d)", text):
        found.add(float(value))
    return found


def stated(value: Any, text: str, *, flag: str) -> bool:
    """Whether a reader of ``text`` can tell ``value``; rules apart from the generator's own."""
    if isinstance(value, bool):
        return flag in text
    if isinstance(value, int | float):
        return any(abs(value - number) < 1e-9 for number in stated_numbers(text))
    if isinstance(value, list):
        return all(stated(item, text, flag=flag) for item in value)
    return (
        value in text
        or value in stated_dates(text)
        or value in stated_times(text)
        or (value in UNITS and re.search(rf"(?<!\w){UNITS[value]}(?!\w)", text) is not None)
    )


@pytest.mark.parametrize("split", SPLITS)
def test_every_gold_argument_is_stated_in_the_dialogue(split: str) -> None:
    for _, task in tasks(200, split):
        text = "\n".join(m.content for m in task.messages if m.role in {"user", "tool"})
        for value in task.gold.values:
            for name, argument in value["parameters"].items():
                assert stated(argument, text, flag="n - 1"), (task.id, name, argument, text)


def test_the_reader_of_these_tests_can_say_no() -> None:
    text = "Convert 1,250 km at 2:30 pm on 5 March 2024 in UTC+5:30, seven times."
    for value in (1250, "kilometres", "14:30", "2024-03-05", 5.5, 7, [7, 5]):
        assert stated(value, text, flag="n - 1"), value
    for value in (125, "miles", "02:30", "2024-05-03", 6.5, 8, [7, 9], True, "metres"):
        assert not stated(value, text, flag="n - 1"), value


def test_lists_are_stated_in_order() -> None:
    for _, task in tasks(150):
        text = "\n".join(m.content for m in task.messages if m.role in {"user", "tool"})
        for value in task.gold.values:
            for argument in value["parameters"].values():
                if isinstance(argument, list) and all(isinstance(a, str) for a in argument):
                    pattern = r"\W+(?:and )?".join(map(re.escape, argument))
                    assert re.search(pattern, text), (task.id, argument)


def test_a_missing_parameter_really_is_missing() -> None:
    for _, task in tasks(250):
        if task.category == "missing_parameter":
            text = task.messages[-1].content
            if task.metadata["missing"] in {"date", "start", "end"} and "point" not in text:
                assert len(stated_dates(text)) <= 1
            assert "None" not in text
            assert "{" not in text


def test_one_dialogue_has_one_gold() -> None:
    """The same words with the same tools never ask for different calls."""
    seen: dict[Any, Any] = {}
    for split in (*SPLITS, "all"):
        for _, task in tasks(150, split):
            key = (
                tuple((m.role, m.content) for m in task.messages),
                tuple(sorted(tool.name for tool in task.tools)),
            )
            calls = sorted(json.dumps(value, sort_keys=True) for value in task.gold.values)
            assert seen.setdefault(key, calls) == calls


def test_texts_are_varied() -> None:
    for level in LEVELS:
        source = ToolboxSource(difficulty=level)
        found = [source[index] for index in range(300)]
        assert len({task.messages[-1].content for task in found}) > 270
        thoughts = {task.gold.text.split("</think>")[0] for task in found}
        assert len(thoughts) > 100


def test_gold_of_the_first_level_is_short() -> None:
    source = ToolboxSource(difficulty=1)
    lengths = sorted(len(source[index].gold.text) for index in range(300))
    assert lengths[150] < 190
    assert lengths[-1] < 300
    for index in range(100):
        tools = source[index].tools
        assert 2 <= len(tools) <= 4
        assert source[index].category == "single"

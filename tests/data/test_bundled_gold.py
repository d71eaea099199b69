"""The gold answers: valid under the tools' documentation, derivable, unique and top-scoring.

Every value of a gold argument must have been said. "Said" allows the normalisations that the
documentation asks for: ISO dates and 24-hour times, number words, percentages as decimals, and the
catalogue's own list of how an allowed value is put into words.
"""

from __future__ import annotations

import calendar
import itertools
import re
import warnings
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from tests.data.bundled_support import FOLDER, NAMES, produced, rows_of
from toolrl_env.core.types import Task
from toolrl_env.data import load
from toolrl_env.data.bundled.catalogue import ARROW, load_catalogue
from toolrl_env.data.bundled.language import SLOT
from toolrl_env.data.check import check_file, gold_errors
from toolrl_env.data.source import SampleDataWarning
from toolrl_env.parsing import get_protocol
from toolrl_env.prompts.default import DEFAULT
from toolrl_env.prompts.template import PromptTemplate
from toolrl_env.rewards import score_response

LOADED: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("toolace", {}),
    ("xlam", {}),
    ("hammer", {}),
    ("rlla", {"mixture": False}),
    ("api_bank", {"level": 1}),
    ("api_bank", {"level": 2}),
    ("api_bank", {"level": 3}),
)
MONTHS = [month.casefold() for month in calendar.month_name[1:]]
WORDS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
]


@cache
def tasks_of(dataset: str, level: int | None = None) -> tuple[Task, ...]:
    options = {"level": level} if level else {"mixture": False} if dataset == "rlla" else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SampleDataWarning)
        found = load.load_tasks(dataset, split="all", **options)
    assert found.is_sample
    assert not found.refused
    return found.tasks


def load_all(dataset: str, options: Mapping[str, Any]) -> tuple[Task, ...]:
    return tasks_of(dataset, options.get("level"))


@pytest.mark.parametrize(("dataset", "options"), LOADED)
def test_every_row_loads_and_every_gold_answer_validates(
    dataset: str, options: Mapping[str, Any]
) -> None:
    tasks = load_all(dataset, options)
    assert len(tasks) >= 200
    for task in tasks:
        assert not gold_errors(task), task.id


@pytest.mark.parametrize(("dataset", "options"), LOADED)
def test_every_gold_answer_is_in_its_own_layout(dataset: str, options: Mapping[str, Any]) -> None:
    protocol = get_protocol("toolrl")
    for task in load_all(dataset, options):
        action = protocol.parse(task.gold.text)
        assert protocol.layout_ok(action, task.gold.has_call, task.gold.has_response), task.id
        assert not action.issues


def test_the_file_report_is_clean() -> None:
    for name in NAMES:
        dataset, options = name.split("_")[0], {}
        if name.startswith("api_bank"):
            dataset, options = "api_bank", {"level": int(name[-1])}
        report = check_file(FOLDER / f"{name}.jsonl.gz", dataset, **options)
        assert report.rows == len(rows_of(name))
        assert (report.refused, report.invalid_gold) == ((), ())


@pytest.mark.parametrize(("dataset", "options"), LOADED)
def test_every_gold_value_was_said(dataset: str, options: Mapping[str, Any]) -> None:
    for task in load_all(dataset, options):
        text = conversation(task)
        for call in task.gold.values:
            for name, value in call["parameters"].items():
                assert was_said(value, text), (task.id, name, value, text)


def test_a_value_that_was_not_said_is_noticed() -> None:
    text = "book a table on 12 march 2027 at 7:30 pm for five at 4.5% with leeks and feta, 1,200"
    said: tuple[Any, ...] = ("2027-03-12", "19:30", 5, 0.045, ["leeks", "feta"], 1200, [[5], [12]])
    unsaid: tuple[Any, ...] = ("2027-03-13", "07:30", 6, 0.05, ["leeks", "kale"], 120, "business")
    assert all(was_said(value, text) for value in said)
    assert not any(was_said(value, text) for value in (*unsaid, False, None))


def conversation(task: Task) -> str:
    parts = [message.content for message in task.messages]
    return " ".join(parts).casefold().replace("\\u00", "u00")


def was_said(value: Any, text: str) -> bool:
    """Whether ``value`` follows from ``text`` (case-folded)."""
    if isinstance(value, (list, tuple)):
        return all(was_said(item, text) for item in value)
    if any(surface in text for surface in put_into_words().get(repr(value), ())):
        return True
    if isinstance(value, bool) or value is None:
        return False
    if isinstance(value, int | float):
        return value in numbers(text)
    return value.casefold() in text or value in dates(text) or value in times(text)


@cache
def put_into_words() -> dict[str, set[str]]:
    """Return how the catalogue says values, by ``repr`` of the value."""
    catalogue = load_catalogue()
    ways: dict[str, set[str]] = {}
    lines = [line for chain in catalogue.chains for line in chain.texts]
    for tool in catalogue.tools.values():
        lines.extend(itertools.chain.from_iterable(tool.lines.values()))
        lines.extend(text for m in tool.missing for text in (m.request, m.answer))
        arrows = [v for p in tool.params.values() for v in p.source.get("v", ())]
        for entry in (*arrows, *itertools.chain.from_iterable(catalogue.pools.values())):
            surface, arrow, value = str(entry).partition(ARROW)
            if arrow:
                ways.setdefault(repr(value), set()).add(surface.casefold())
    for line in lines:
        for match in SLOT.finditer(line):
            _, *literal = match[1].split("|")
            if literal:
                spelled = {"true": "True", "false": "False"}.get(literal[1])
                number = literal[1] if re.fullmatch(r"[\d.]+", literal[1]) else None
                key = spelled or number or repr(literal[1])
                ways.setdefault(key, set()).add(literal[0].casefold())
                ways.setdefault(repr(literal[1]), set()).add(literal[0].casefold())
    return ways


@cache
def numbers(text: str) -> frozenset[float]:
    plain = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    found = {float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", plain)}
    found |= {abs(n) for n in found}
    percent = re.findall(r"(\d+(?:\.\d+)?) ?(?:%|per ?cent)", plain)
    found |= {round(float(n) / 100, 6) for n in percent}
    found |= {float(i) for i, word in enumerate(WORDS) if re.search(rf"\b{word}\b", plain)}
    return frozenset(found)


@cache
def dates(text: str) -> frozenset[str]:
    month = "|".join(MONTHS)
    day = r"(\d{1,2})(?:st|nd|rd|th)?"
    found = {(y, m, d) for d, m, y in re.findall(rf"{day} ({month}) (\d{{4}})", text)}
    found |= {(y, m, d) for m, d, y in re.findall(rf"({month}) {day}, (\d{{4}})", text)}
    return frozenset(f"{y}-{MONTHS.index(m) + 1:02}-{int(d):02}" for y, m, d in found)


@cache
def times(text: str) -> frozenset[str]:
    found: set[str] = {"12:00"} if re.search(r"\bnoon\b", text) else set()
    for hour, minute, half in re.findall(r"\b(\d{1,2})(?::(\d\d))? ([ap]m)\b", text):
        found.add(f"{int(hour) % 12 + 12 * (half == 'pm'):02}:{minute or '00'}")
    words = "|".join(WORDS)
    pattern = rf"(half past )?({words}) in the (morning|afternoon|evening)"
    for past, word, part in re.findall(pattern, text):
        hour = WORDS.index(word) % 12 + 12 * (part != "morning")
        found.add(f"{hour:02}:{'30' if past else '00'}")
    return frozenset(found)


@pytest.mark.parametrize("name", NAMES)
def test_every_argument_names_the_words_it_comes_from(name: str) -> None:
    for scene in produced()[name].scenes:
        users = " ".join(turn.text for turn in scene.turns if turn.role == "user").casefold()
        for item in scene.evidence:
            assert item.surface.casefold() in users, (item, users)


@pytest.mark.parametrize("name", NAMES)
def test_optional_parameters_are_given_only_when_said(name: str) -> None:
    for scene in produced()[name].scenes:
        said = {(item.tool, item.param) for item in scene.evidence}
        for call in scene.calls:
            required = {p for p, param in call.tool.params.items() if param.required}
            assert required <= set(call.arguments), scene
            for param in set(call.arguments) - required:
                assert (call.tool.name, param) in said


@pytest.mark.parametrize("name", NAMES)
def test_no_two_offered_tools_fit_equally(name: str) -> None:
    catalogue = load_catalogue()
    for scene in produced()[name].scenes:
        names = [tool.name for tool in scene.tools]
        assert len(names) == len(set(names))
        for call in scene.calls:
            assert call.tool.name in names
            earlier = {c.tool.name for turn in scene.turns for c in turn.calls}
            for other in set(names) - earlier - {c.tool.name for c in scene.calls}:
                assert catalogue.compatible(call.tool.name, other)


def test_gold_calls_of_one_answer_differ() -> None:
    for name in NAMES:
        for scene in produced()[name].scenes:
            calls = [(call.tool.name, repr(dict(call.arguments))) for call in scene.calls]
            assert len(calls) == len(set(calls))


def test_a_missing_parameter_is_really_missing() -> None:
    for name in ("toolace", "rlla"):
        for scene in produced()[name].scenes:
            if scene.category == "missing_parameter":
                assert scene.about is not None
                given = {item.param for item in scene.evidence}
                required = {p for p, param in scene.about.params.items() if param.required}
                assert required - given
                assert scene.about in scene.tools


@pytest.mark.parametrize(("dataset", "options"), LOADED)
def test_every_gold_answer_scores_the_maximum(dataset: str, options: Mapping[str, Any]) -> None:
    for task in load_all(dataset, options):
        breakdown = score_response(task.gold.text, task.gold.text)
        assert breakdown["format"] == 1.0, task.id
        assert breakdown.total == (4.0 if task.gold.has_call else 1.0), task.id


def test_the_default_template_reproduces_every_rlla_prompt() -> None:
    for task in tasks_of("rlla"):
        assert DEFAULT.render(task.tools) == task.system
        assert DEFAULT.render_user(task.messages) == task.user


def test_a_prompt_of_api_bank_gives_its_template() -> None:
    for task in tasks_of("api_bank", 1)[:20]:
        assert PromptTemplate.derive(task) == DEFAULT

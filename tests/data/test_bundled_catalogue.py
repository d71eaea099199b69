"""The hand-written catalogue, and the parts that turn it into scenes."""

from __future__ import annotations

import re
from collections import Counter
from random import Random

import pytest

from toolrl_env.data.bundled.catalogue import ToolDoc, load_catalogue
from toolrl_env.data.bundled.language import SLOT, fill, fill_reply
from toolrl_env.data.bundled.results import make_result
from toolrl_env.data.bundled.values import ValueSource

CATALOGUE = load_catalogue()
TOOLS = list(CATALOGUE.tools.values())


def slots(line: str) -> set[str]:
    line = re.sub(r" @\w+=\w+$", "", line)
    names = (match[1].split("|")[0].rpartition(":")[2] for match in SLOT.finditer(line))
    return {name.rstrip("23") for name in names}


def required(tool: ToolDoc) -> set[str]:
    return {name for name, param in tool.params.items() if param.required}


def test_there_are_enough_tools_over_enough_domains() -> None:
    assert len(TOOLS) >= 60
    assert len({tool.domain for tool in TOOLS}) >= 15
    kinds = {param.kind for tool in TOOLS for param in tool.params.values()}
    assert {"str", "int", "float", "bool", "list[str]", "list[float]"} <= kinds


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_phrasings_say_all_that_a_call_needs(tool: ToolDoc) -> None:
    assert len(tool.lines["asks"]) >= 5
    assert len(tool.lines["reply"]) >= 2
    assert tool.missing
    for kind in ("asks", "clauses", "many"):
        for line in tool.lines[kind]:
            assert required(tool) <= slots(line) <= set(tool.params), line
    plain = [line for line in tool.lines["asks"] if slots(line) <= required(tool)]
    assert len(plain) >= 2, "later turns need requests without optional parameters"


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_follow_ups_change_something_and_replies_use_what_is_always_there(tool: ToolDoc) -> None:
    assert all(slots(line) for line in tool.lines["follow"])
    for line in tool.lines["reply"]:
        names = {m[1] for m in SLOT.finditer(line) if not m[1].startswith("=")}
        names = {name.rpartition(":")[2] for name in names}
        assert names <= required(tool), line


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_a_clarification_lacks_something_required_and_then_supplies_it(tool: ToolDoc) -> None:
    for lines in tool.missing:
        asked, answered = slots(lines.request), slots(lines.answer)
        assert required(tool) - asked, lines.request
        assert required(tool) <= asked | answered
        assert not asked & answered
        assert "?" in lines.question or "." in lines.question


def test_no_phrasing_occurs_twice() -> None:
    lines = Counter(line for tool in TOOLS for line in tool.lines["asks"])
    assert lines.most_common(1)[0][1] == 1


def test_every_allowed_value_has_a_default_that_is_allowed() -> None:
    for tool in TOOLS:
        for param in tool.params.values():
            if param.enum and param.default is not None:
                assert param.default in param.enum


def test_scenarios_and_chains_name_tools_and_parameters_that_exist() -> None:
    for scenario in CATALOGUE.scenarios:
        assert len(scenario.tools) >= 2
        for path in (path for group in scenario.links for path in group):
            tool, _, param = path.partition(".")
            assert param in CATALOGUE.tools[tool].params
    for chain in CATALOGUE.chains:
        second = CATALOGUE.tools[chain.second]
        first = CATALOGUE.tools[chain.first]
        for line in chain.texts:
            assert required(second) <= slots(line) | set(chain.bind)
        for param, source in chain.bind.items():
            assert param in second.params
            assert source[0] in "=$"
            assert source[0] == "=" or source[1:] in required(first)
    assert all(name in CATALOGUE.tools for pair in CATALOGUE.clashes for name in pair)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_results_fill_every_reply(tool: ToolDoc) -> None:
    rng = Random(3)
    for line in tool.lines["asks"]:
        filled = fill(line, tool, ValueSource(CATALOGUE.pools, rng))
        result = make_result(tool, filled.arguments[0], rng)
        assert result
        for reply in tool.lines["reply"]:
            text = fill_reply(reply, filled.said[0], result)
            assert "{" not in text
            assert text[0] == text[0].upper()

"""The catalogue: tools, how people ask for them, and which values can be said how.

A TOML file per domain holds the tools. A phrasing has slots: ``{city}`` draws a value, ``{a:city}``
puts *a* or *an* before it, ``{city2}`` belongs to a second call, ``{unit|in miles|miles}`` is said
as ``in miles`` and means ``miles``, and ``{=price}`` is taken from a tool's result.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, cast

__all__ = ["Catalogue", "Chain", "Clarification", "Param", "Scenario", "ToolDoc", "load_catalogue"]

FOLDER = Path(__file__).parent / "catalogue"
ARROW = " => "
SEPARATOR = " // "


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter of a tool.

    Attributes:
        name: The parameter's name.
        kind: ``str``, ``int``, ``float``, ``bool``, ``list[str]``, ``list[float]`` or
            ``list[list[float]]``.
        about: Description, for the model.
        required: Whether a call must have it.
        default: Documented default, or ``None`` if there is none.
        enum: Allowed values; empty if any.
        source: Where values come from: the remaining keys of the TOML table.
    """

    name: str
    kind: str
    about: str
    required: bool
    default: Any
    enum: tuple[str, ...]
    source: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Clarification:
    """A request that lacks something, the question it calls for, and the answer."""

    request: str
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class ToolDoc:
    """A tool with everything that people say around it.

    Attributes:
        name: Snake-case name.
        domain: E.g. ``"travel"``.
        about: Description, for the model.
        gist: What it does, as a verb phrase.
        topic: What it is about, as a noun phrase.
        params: Its parameters by name.
        results: Alternatives of a result; ``{"computed": True}`` if it is worked out.
        lines: Phrasings by kind: ``asks``, ``clauses``, ``many``, ``follow``, ``reply``.
        missing: Requests that lack a required parameter.
    """

    name: str
    domain: str
    about: str
    gist: str
    topic: str
    params: Mapping[str, Param]
    results: tuple[Mapping[str, Any], ...]
    lines: Mapping[str, tuple[str, ...]]
    missing: tuple[Clarification, ...]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A situation in which several different tools are wanted at once.

    Attributes:
        intros: Opening sentences.
        tools: Names of tools that fit.
        links: Groups of ``tool.parameter`` that share one value.
    """

    intros: tuple[str, ...]
    tools: tuple[str, ...]
    links: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """A second tool that needs what the first one returned.

    Attributes:
        first: Name of the tool called first.
        second: Name of the tool called next.
        bind: Parameter of the second tool → ``=key`` of the result or ``$param`` of the first.
        texts: What the user says in between.
    """

    first: str
    second: str
    bind: Mapping[str, str]
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Catalogue:
    """Everything that was written by hand."""

    tools: Mapping[str, ToolDoc]
    pools: Mapping[str, tuple[str, ...]]
    phrases: Mapping[str, tuple[str, ...]]
    scenarios: tuple[Scenario, ...]
    chains: tuple[Chain, ...]
    clashes: frozenset[frozenset[str]] = field(default_factory=frozenset[frozenset[str]])

    def compatible(self, first: str, second: str) -> bool:
        """Whether both tools may be offered together without a request fitting either."""
        return frozenset((first, second)) not in self.clashes


@cache
def load_catalogue() -> Catalogue:
    """Read the catalogue's files."""
    shared = {"pools", "phrases", "scenarios", "thoughts"}
    files = sorted(path for path in FOLDER.glob("*.toml") if path.stem not in shared)
    tools = [tool for path in files for tool in _tools(_read(path.stem))]
    situations = _read("scenarios")
    phrases = _read("phrases") | _read("thoughts")
    return Catalogue(
        tools={tool.name: tool for tool in tools},
        pools={name: tuple(values) for name, values in _read("pools").items()},
        phrases={name: _split(text) for name, text in phrases.items()},
        scenarios=tuple(_scenario(entry) for entry in situations["scenario"]),
        chains=tuple(_chain(entry) for entry in situations["chain"]),
        clashes=frozenset(frozenset(pair) for pair in situations["clashes"]),
    )


def parse_value(text: str, kind: str) -> tuple[str, Any]:
    """Split ``"surface => value"``; without an arrow the value is read from the surface.

    >>> parse_value("a week => 7", "int")
    ('a week', 7)
    >>> parse_value("leeks and feta", "list[str]")
    ('leeks and feta', ['leeks', 'feta'])
    """
    surface, arrow, value = text.partition(ARROW)
    if kind == "str":
        return surface, value if arrow else surface
    if kind == "list[str]" and not arrow:
        return surface, surface.replace(" and ", ", ").split(", ")
    return surface, json.loads(value if arrow else surface)


def _read(stem: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{stem}.toml").read_text(encoding="utf-8"))


def _split(text: str) -> tuple[str, ...]:
    return tuple(line for line in text.split("\n") if line.strip())


def _tools(document: Mapping[str, Any]) -> list[ToolDoc]:
    domain = cast("str", document["domain"])
    return [_tool(entry, domain) for entry in document["tool"]]


def _tool(entry: Mapping[str, Any], domain: str) -> ToolDoc:
    kinds = ("asks", "clauses", "many", "follow", "reply")
    result: dict[str, Any] | list[dict[str, Any]] = entry["result"]
    results = result if isinstance(result, list) else [result]
    missing = (line.split(SEPARATOR) for line in _split(entry["missing"]))
    return ToolDoc(
        name=entry["name"],
        domain=domain,
        about=entry["about"],
        gist=entry["gist"],
        topic=entry["topic"],
        params={name: _param(name, table) for name, table in entry["params"].items()},
        results=tuple(results),
        lines={kind: _split(entry.get(kind, "")) for kind in kinds},
        missing=tuple(Clarification(*parts) for parts in missing),
    )


def _param(name: str, table: Mapping[str, Any]) -> Param:
    optional = "default" in table or table.get("opt", False)
    source = {k: v for k, v in table.items() if k not in {"t", "d", "default", "opt"}}
    return Param(
        name=name,
        kind=table["t"],
        about=table["d"],
        required=not optional,
        default=table.get("default"),
        enum=tuple(table.get("enum", ())),
        source=source,
    )


def _scenario(entry: Mapping[str, Any]) -> Scenario:
    links = tuple(tuple(group) for group in entry.get("links", ()))
    return Scenario(_split(entry["intros"]), tuple(entry["tools"]), links)


def _chain(entry: Mapping[str, Any]) -> Chain:
    return Chain(entry["first"], entry["second"], entry["bind"], _split(entry["texts"]))

"""Filling phrasings: a line of the catalogue becomes text, arguments and their evidence."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from toolrl_env.data.bundled.catalogue import ToolDoc
from toolrl_env.data.bundled.values import Value, ValueSource

__all__ = ["Evidence", "Filled", "capitalised", "fill", "fill_reply"]

SLOT = re.compile(r"\{([^{}]*)\}")
LINK = re.compile(r" @(\w+)=(\w+)$")
SENTENCE_END = re.compile(r"[.?!] \Z")
VOWEL_SOUND = re.compile(r"(?i)[aeio]|u(?!n[ie]|s[ae])|8|11\b|18\b")


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where the value of an argument was said."""

    tool: str
    param: str
    surface: str
    value: Any


@dataclass(frozen=True, slots=True)
class Filled:
    """A phrasing with its slots filled.

    Attributes:
        text: What is said.
        arguments: Arguments of each call that was asked for, in order.
        said: How the arguments of each call were said.
        evidence: How each value was said.
    """

    text: str
    arguments: tuple[Mapping[str, Any], ...]
    said: tuple[Mapping[str, str], ...]
    evidence: tuple[Evidence, ...]


def fill(
    line: str, tool: ToolDoc, values: ValueSource, given: Mapping[str, Value] | None = None
) -> Filled:
    """Fill the slots of ``line``.

    Args:
        line: A phrasing of ``tool``.
        tool: The tool.
        values: Where new values come from.
        given: Values that are settled already, by slot.

    Returns:
        The text, and the arguments of as many calls as the slots' numbers say.
    """
    link, line = LINK.search(line), LINK.sub("", line)
    said: dict[str, Value] = {}

    def slot(match: re.Match[str]) -> str:
        name, *literal = match[1].split("|")
        article, _, name = name.rpartition(":")
        if literal:
            said[name] = Value(literal[0], _literal(tool, name, literal[1]))
        elif name not in said:
            said[name] = (given or {}).get(name) or values.draw(tool.params[name.rstrip("23")])
        surface = said[name].surface
        if isinstance(said[name].value, int) and SENTENCE_END.search(line, 0, match.start()):
            surface = capitalised(surface)
        return f"{indefinite(surface)} {surface}" if article else surface

    text = capitalised(SLOT.sub(slot, line)) if line.startswith("{") else SLOT.sub(slot, line)
    if link:
        said[link[1]] = said[link[2]]
    evidence = tuple(
        Evidence(tool.name, name.rstrip("23"), value.surface, value.value)
        for name, value in said.items()
    )
    calls = _calls(said, tool)
    arguments = tuple({name: v.value for name, v in call.items()} for call in calls)
    surfaces = tuple({name: v.surface for name, v in call.items()} for call in calls)
    return Filled(text, arguments, surfaces, evidence)


def _literal(tool: ToolDoc, name: str, text: str) -> Any:
    return text if tool.params[name].kind == "str" else json.loads(text)


def _calls(said: Mapping[str, Value], tool: ToolDoc) -> list[dict[str, Value]]:
    """One set of arguments per number, in the tool's order; all calls share what has no number."""
    shared = {name: v for name, v in said.items() if not name.endswith(("2", "3"))}
    calls = [shared]
    for number in ("2", "3"):
        own = {name[:-1]: v for name, v in said.items() if name.endswith(number)}
        if own:
            calls.append({**shared, **own})
    return [{name: call[name] for name in tool.params if name in call} for call in calls]


def fill_reply(line: str, said: Mapping[str, str], result: Mapping[str, Any]) -> str:
    """Fill a reply from what was said (``{city}``) and what came back (``{=price:.2f}``)."""

    def slot(match: re.Match[str]) -> str:
        name = match[1]
        if name.startswith("="):
            key, _, style = name[1:].partition(":")
            return format(result[key], style)
        article, _, name = name.rpartition(":")
        return f"{indefinite(said[name])} {said[name]}" if article else said[name]

    return capitalised(SLOT.sub(slot, line))


def indefinite(phrase: str) -> str:
    """Return the article that goes before ``phrase``.

    >>> indefinite("Irish"), indefinite("Ukrainian"), indefinite("Polish")
    ('an', 'a', 'a')
    """
    if re.match(r"(?i)u[kn]", phrase):
        return "a"
    return "an" if VOWEL_SOUND.match(phrase) else "a"


def capitalised(text: str) -> str:
    """Return ``text`` with its first letter in upper case."""
    return text[:1].upper() + text[1:]

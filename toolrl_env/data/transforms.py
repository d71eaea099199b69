"""Transforms of raw xLAM rows after Hammer (arXiv 2410.04587), pure and driven by a ``Random``.

Each takes and returns ``(tools, answers)`` in xLAM's raw form and leaves its arguments alone.
"""

from __future__ import annotations

import json
import random
import string
from collections.abc import Sequence
from typing import Any

from toolrl_env.data.dataset import as_object
from toolrl_env.data.xlam import RawCall, RawTool

__all__ = ["mask_names", "randomise_defaults", "remove_gold_tools", "shuffle_tools"]

_ALPHABET = string.ascii_letters + string.digits + "_."
FUNCTION_CHARS = (5, 15)
"""Shortest and longest masked function name."""
PARAMETER_CHARS = (4, 10)
"""Shortest and longest masked parameter name."""


def mask_names(
    tools: Sequence[RawTool], answers: Sequence[RawCall], rng: random.Random
) -> tuple[list[RawTool], list[RawCall]]:
    """Replace function and parameter names by random ones, alike in tools and answers.

    Function names get 5 to 15 characters and parameter names 4 to 10, of letters, digits, ``_`` and
    ``.``. Descriptions stay: they are what is left to go by. Names that occur in an answer and in
    no tool are masked as well.
    """
    functions: dict[str, str] = {}
    parameters: dict[str, dict[str, str]] = {}
    for name, keys in [(t["name"], t.get("parameters", {})) for t in tools] + [
        (a["name"], a["arguments"]) for a in answers
    ]:
        _extend(functions, [name], FUNCTION_CHARS, rng)
        _extend(parameters.setdefault(name, {}), keys, PARAMETER_CHARS, rng)
    masked_tools: list[RawTool] = []
    for tool in tools:
        masks = parameters[tool["name"]]
        docs = {masks[key]: doc for key, doc in tool.get("parameters", {}).items()}
        masked_tools.append({**tool, "name": functions[tool["name"]], "parameters": docs})
    masked_answers: list[RawCall] = []
    for answer in answers:
        masks = parameters[answer["name"]]
        values = {masks[key]: value for key, value in answer["arguments"].items()}
        masked_answers.append({"name": functions[answer["name"]], "arguments": values})
    return masked_tools, masked_answers


def _extend(
    names: dict[str, str], originals: Sequence[str], length: tuple[int, int], rng: random.Random
) -> None:
    """Give every name of ``originals`` that has none a mask that no other name has."""
    for original in originals:
        while original not in names:
            mask = "".join(rng.choices(_ALPHABET, k=rng.randint(*length)))
            if mask not in names.values():
                names[original] = mask


def randomise_defaults(
    tools: Sequence[RawTool], answers: Sequence[RawCall], rng: random.Random
) -> tuple[list[RawTool], list[RawCall]]:
    """Replace a documented default that a gold value is equal to by a random one of its type.

    So a gold value cannot be read off the documentation. Defaults that are not a string, a number
    or a boolean are left as they are.
    """
    gold: dict[tuple[str, str], set[str]] = {}
    for answer in answers:
        for key, value in answer["arguments"].items():
            gold.setdefault((answer["name"], key), set()).add(json.dumps(value))
    changed: list[RawTool] = []
    for tool in tools:
        docs: dict[str, Any] = {}
        for key, doc in tool.get("parameters", {}).items():
            taken = gold.get((tool["name"], key), set())
            fields = as_object(doc)
            docs[key] = doc
            if "default" in fields and json.dumps(fields["default"]) in taken:
                docs[key] = {**fields, "default": _other_value(fields["default"], taken, rng)}
        changed.append({**tool, "parameters": docs})
    return changed, list(answers)


def _other_value(value: Any, taken: set[str], rng: random.Random) -> Any:
    """Return a random value of the same type that is not among ``taken`` (as JSON), if one is."""
    for _ in range(20):
        if isinstance(value, bool):
            other: Any = not value
        elif isinstance(value, int):
            other = rng.randint(0, max(10, 2 * abs(value)))
        elif isinstance(value, float):
            other = round(rng.uniform(0.0, max(10.0, 2 * abs(value))), 2)
        elif isinstance(value, str):
            other = "".join(rng.choices(string.ascii_lowercase, k=rng.randint(4, 10)))
        else:
            return value
        if json.dumps(other) not in taken:
            return other
    return value


def shuffle_tools(
    tools: Sequence[RawTool], answers: Sequence[RawCall], rng: random.Random
) -> tuple[list[RawTool], list[RawCall]]:
    """Put the tools into a random order."""
    shuffled = list(tools)
    rng.shuffle(shuffled)
    return shuffled, list(answers)


def remove_gold_tools(
    tools: Sequence[RawTool], answers: Sequence[RawCall]
) -> tuple[list[RawTool], list[RawCall]]:
    """Take away every tool that an answer calls, so that none fits any more: no answers are left.

    As in ``MadeAgents/xlam-irrelevance-7.5k``. The list of tools may come back empty.
    """
    called = {answer["name"] for answer in answers}
    return [tool for tool in tools if tool["name"] not in called], []

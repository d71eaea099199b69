"""Official multi-turn rows → ``Scenario``: what the user says, what is there, what gold calls."""

from __future__ import annotations

import ast
import functools
import hashlib
import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from toolrl_env.core.errors import DataError
from toolrl_env.core.types import ToolCall
from toolrl_env.tools.suites.bfcl import load_library, method_owners

__all__ = ["CATEGORIES", "Scenario", "parse_gold_call", "read_scenarios"]

CATEGORIES = ("base", "miss_func", "miss_param", "long_context")
"""The multi-turn categories, of 200 scenarios each."""


@dataclass(frozen=True, slots=True, eq=False)
class Scenario:
    """One official multi-turn entry. Equal only to itself, so that plans can be kept by scenario.

    Attributes:
        id: The official id, e.g. ``"multi_turn_base_17"``.
        category: One of ``CATEGORIES``.
        number: Which of the 200 scenarios.
        classes: The simulated APIs involved, in the official order.
        config: Class name to its initial state; never changed.
        users: What the user says at the beginning of each turn.
        gold: The gold calls of each turn; ``()`` where the model should ask or decline.
        late: Turn to the names of the functions that are held out until it begins.
        digest: SHA-256 of the official row and its gold, in hexadecimal.
    """

    id: str
    category: str
    number: int
    classes: tuple[str, ...]
    config: Mapping[str, Any]
    users: tuple[str, ...]
    gold: tuple[tuple[ToolCall, ...], ...]
    late: Mapping[int, tuple[str, ...]]
    digest: str


@functools.cache
def read_scenarios(category: str) -> tuple[Scenario, ...]:
    """Return the 200 scenarios of a category, in the official order.

    Raises:
        ConfigurationError: The official library is not installed.
    """
    library = load_library()
    rows = library.rows(f"multi_turn_{category}")
    answers = {row["id"]: row["ground_truth"] for row in library.answers(f"multi_turn_{category}")}
    return tuple(_scenario(row, answers[row["id"]], category) for row in rows)


def _scenario(row: dict[str, Any], answer: list[list[str]], category: str) -> Scenario:
    more = load_library().more_functions
    users = (
        "\n".join(message["content"] for message in turn) if turn else more
        for turn in row["question"]
    )
    late: dict[str, list[str]] = row.get("missed_function", {})
    return Scenario(
        id=row["id"],
        category=category,
        number=int(row["id"].rsplit("_", 1)[1]),
        classes=tuple(row["involved_classes"]),
        config=row["initial_config"],
        users=tuple(users),
        gold=tuple(tuple(map(parse_gold_call, turn)) for turn in answer),
        late={int(turn): tuple(names) for turn, names in late.items()},
        digest=hashlib.sha256(json.dumps([row, answer]).encode()).hexdigest(),
    )


@functools.lru_cache(maxsize=4_096)
def parse_gold_call(text: str) -> ToolCall:
    """Return an official gold call, positional arguments named by the signature.

    Only the official gold is read by this, never a model's text; and it is not evaluated.

    Raises:
        DataError: It is not a call of a documented method with literal arguments.
    """
    try:
        node = ast.parse(text, mode="eval").body
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            raise DataError(f"the gold {text!r} is not a call")
        names = _parameters()[node.func.id]
        named = zip(names, node.args, strict=False)
        arguments = {name: ast.literal_eval(value) for name, value in named}
        arguments |= {str(word.arg): ast.literal_eval(word.value) for word in node.keywords}
    except (SyntaxError, ValueError, KeyError) as error:
        raise DataError(f"the gold call {text!r} cannot be read: {error}") from error
    return ToolCall(node.func.id, arguments)


@functools.cache
def _parameters() -> dict[str, tuple[str, ...]]:
    """Return each method's parameters in the order of its signature, not of its documentation."""
    classes: Mapping[str, Any] = load_library().classes
    return {
        method: tuple(inspect.signature(getattr(classes[owner], method)).parameters)[1:]
        for method, owner in method_owners().items()
    }

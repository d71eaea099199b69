"""Scenes: who says what, which tools are offered, which answer is right; no raw format yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Literal, TypeVar

from toolrl_env.data.bundled.catalogue import Catalogue, ToolDoc
from toolrl_env.data.bundled.language import Evidence

__all__ = ["Call", "Ledger", "Scene", "Turn", "offer"]

T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a tool of the catalogue."""

    tool: ToolDoc
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a conversation.

    Attributes:
        role: Who speaks.
        text: What is said; empty for calls and results.
        calls: Calls, if the assistant made any; for ``tool``, the calls that are answered.
        results: One result per call, for ``tool``.
    """

    role: Literal["user", "assistant", "tool"]
    text: str = ""
    calls: tuple[Call, ...] = ()
    results: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Scene:
    """One task.

    Attributes:
        category: Its kind.
        tools: The tools offered, in order.
        turns: The conversation; ends with what must be answered.
        calls: The right calls; empty if the right answer is a text.
        response: The right text; empty if the right answer is calls.
        about: The tool that the request is about, offered or not.
        evidence: Where each argument's value was said.
    """

    category: str
    tools: tuple[ToolDoc, ...]
    turns: tuple[Turn, ...]
    calls: tuple[Call, ...] = ()
    response: str = ""
    about: ToolDoc | None = None
    evidence: tuple[Evidence, ...] = ()


class Ledger:
    """Counts what has been used, so that no phrasing comes up often.

    Args:
        rng: Breaks ties.
    """

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._used: Counter[tuple[str, Hashable]] = Counter()

    def take(self, kind: str, options: Sequence[T]) -> T:
        """Return one of the options that were taken least often, and note it."""
        least = min(self._used[kind, option] for option in options)
        chosen = self._rng.choice([o for o in options if self._used[kind, o] == least])
        self._used[kind, chosen] += 1
        return chosen


def offer(
    catalogue: Catalogue,
    rng: Random,
    wanted: Sequence[ToolDoc],
    distractors: int,
    unwanted: ToolDoc | None = None,
) -> tuple[ToolDoc, ...]:
    """Return the wanted tools and some that do not fit, shuffled.

    Args:
        catalogue: Where the others come from.
        rng: Source of randomness.
        wanted: Tools that must be there.
        distractors: How many others, at most.
        unwanted: A tool that must not be there, nor any that could stand in for it.
    """
    asked = [*wanted, *([unwanted] if unwanted else [])]
    free = [
        tool
        for tool in catalogue.tools.values()
        if tool not in asked and all(catalogue.compatible(tool.name, a.name) for a in asked)
    ]
    near = [tool for tool in free if tool.domain in {a.domain for a in asked}]
    chosen = list(wanted)
    for _ in range(distractors):
        pool = near if near and rng.random() < 0.45 else free
        tool = rng.choice(pool)
        free.remove(tool)
        if tool in near:
            near.remove(tool)
        chosen.append(tool)
    rng.shuffle(chosen)
    return tuple(chosen)

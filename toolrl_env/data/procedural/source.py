"""``ToolboxSource``: an endless, index-addressed source of procedural tasks."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from toolrl_env.core.frozen import freeze
from toolrl_env.core.types import Task
from toolrl_env.data.procedural.categories import CATEGORIES, WEIGHTS
from toolrl_env.data.procedural.drawing import Draw
from toolrl_env.data.procedural.endless import EndlessSource
from toolrl_env.tools import Tool
from toolrl_env.tools.suites.toolbox import TOOLBOX, get_tool

__all__ = ["GENERATOR_VERSION", "LEVELS", "ToolboxSource"]

GENERATOR_VERSION = 1
"""Goes up with any change to what an index gives; part of every fingerprint."""
LEVELS = (1, 2, 3, 4, 5)
_NAMES = tuple(CATEGORIES)


class ToolboxSource(EndlessSource[Task]):
    """Requests that the toolbox can fulfil, and some that it cannot.

    Each gold call was run on the real tool when the task was made; ``metadata["expected_results"]``
    holds what it returned. Every gold argument is stated in the dialogue, if need be in another
    form (``wording``); an optional argument that is not mentioned is not in the gold call.

    Difficulty:

    1. one call, two to four tools of different fields, plain requests;
    2. three to five tools, decimals, several voices; also two calls, no fitting tool, a missing
       value;
    3. four to six tools with look-alikes, values in other forms, some requests as little stories,
       values over two turns, dependent steps;
    4. five to eight tools, up to three calls with repeated tools, small talk before the request;
    5. eight to twelve tools, three or four calls, mostly stories.

    Args:
        split: ``train``, ``validation``, ``test`` (disjoint by content, see ``drawing``), ``all``.
        difficulty: 1 to 5, or ``None`` to mix all five evenly.

    Raises:
        UnknownName: There is no such split.
        ConfigurationError: The difficulty is not one of 1 to 5.

    >>> source = ToolboxSource("train", difficulty=1)
    >>> source[3] == source[3], source.index_of(source[3].id)
    (True, 3)
    """

    name = "toolbox"
    levels = LEVELS
    generator = GENERATOR_VERSION
    remembered = 1024
    probed = 64

    def tools_for(self, task: Task) -> Sequence[Tool]:
        """Return the real tools that ``task`` offers, in its order.

        Raises:
            UnknownName: The task offers a tool that the toolbox does not have.
        """
        return tuple(get_tool(spec.name) for spec in task.tools)

    def _make(self, rng: Random, task_id: str) -> Task:
        level = rng.choice(LEVELS) if self.difficulty is None else self.difficulty
        category = rng.choices(_NAMES, WEIGHTS[level])[0]
        draft = CATEGORIES[category](Draw(rng, level, self.split))
        return Task(
            id=task_id,
            source=self.name,
            tools=tuple(TOOLBOX[name].spec for name in draft.offered),
            messages=draft.messages,
            gold=draft.gold,
            category=category,
            difficulty=level,
            metadata=freeze({"expected_results": list(draft.results), **draft.notes}),
        )

    def _task(self, made: Task) -> Task:
        return made

    def _tools(self) -> Any:
        return {name: tool.spec.as_openai() for name, tool in TOOLBOX.items()}

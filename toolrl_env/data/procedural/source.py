"""``ToolboxSource``: an endless, index-addressed source of procedural tasks."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from functools import cached_property
from random import Random
from typing import TYPE_CHECKING

from toolrl_env.core.checks import whole_number
from toolrl_env.core.errors import UnknownTask
from toolrl_env.core.frozen import freeze
from toolrl_env.core.types import Task
from toolrl_env.data.procedural.categories import CATEGORIES, WEIGHTS
from toolrl_env.data.procedural.drawing import Draw
from toolrl_env.data.source import fingerprint_of
from toolrl_env.data.split import check_split
from toolrl_env.tools import Tool
from toolrl_env.tools.suites.toolbox import TOOLBOX, get_tool

if TYPE_CHECKING:
    import numpy as np

__all__ = ["GENERATOR_VERSION", "LEVELS", "ToolboxSource"]

GENERATOR_VERSION = 1
"""Goes up with any change to what an index gives; part of every fingerprint."""
LEVELS = (1, 2, 3, 4, 5)
DRAWN = 1 << 31
"""``draw`` picks an index below this; greater ones exist and can be asked for."""
_REMEMBERED = 1024
_PROBED = 64
_NAMES = tuple(CATEGORIES)


class ToolboxSource:
    """Tasks made from their index alone: ``source[i]`` is the same on every machine, every time.

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
    is_sample = False
    size: int | None = None

    def __init__(self, split: str = "train", difficulty: int | None = None) -> None:
        check_split(split)
        if difficulty is not None:
            difficulty = whole_number("difficulty", difficulty, LEVELS[0], LEVELS[-1])
        self.split = split
        self.difficulty = difficulty
        self._prefix = f"toolbox-{split}-{'mixed' if difficulty is None else f'd{difficulty}'}-"
        self._remembered = functools.lru_cache(maxsize=_REMEMBERED)(self._make)

    def __reduce__(self) -> tuple[type[ToolboxSource], tuple[str, int | None]]:
        """Pickle and copy by the two arguments."""
        return type(self), (self.split, self.difficulty)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the generator's version, the arguments, the tools and the first tasks."""
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        options = {
            "generator": GENERATOR_VERSION,
            "difficulty": self.difficulty,
            "tools": {name: tool.spec.as_openai() for name, tool in TOOLBOX.items()},
        }
        probes = tuple(self._make(index) for index in range(_PROBED))
        return fingerprint_of(probes, self.name, self.split, options)

    def __getitem__(self, index: int) -> Task:
        """Return the task at ``index``; recent ones are remembered.

        Raises:
            UnknownTask: ``index`` is negative.
        """
        if index < 0:
            raise UnknownTask(f"{self.name} has tasks 0, 1, 2, … without end, not {index}")
        return self._remembered(index)

    def index_of(self, task_id: str) -> int:
        """Return the index within ``task_id``.

        Raises:
            UnknownTask: It is not an id of this source.
        """
        digits = task_id.removeprefix(self._prefix)
        if not task_id.startswith(self._prefix) or not _is_index(digits):
            raise UnknownTask(f"no task {task_id!r} here; ids look like {self._prefix + '17'!r}")
        return int(digits)

    def draw(self, rng: np.random.Generator) -> int:
        """Return an index drawn uniformly from the first 2**31."""
        return int(rng.integers(DRAWN))

    def tools_for(self, task: Task) -> Sequence[Tool]:
        """Return the real tools that ``task`` offers, in its order.

        Raises:
            UnknownName: The task offers a tool that the toolbox does not have.
        """
        return tuple(get_tool(spec.name) for spec in task.tools)

    def _make(self, index: int) -> Task:
        rng = Random(f"{self._prefix}{index}")
        level = rng.choice(LEVELS) if self.difficulty is None else self.difficulty
        category = rng.choices(_NAMES, WEIGHTS[level])[0]
        draft = CATEGORIES[category](Draw(rng, level, self.split))
        return Task(
            id=f"{self._prefix}{index}",
            source=self.name,
            tools=tuple(TOOLBOX[name].spec for name in draft.offered),
            messages=draft.messages,
            gold=draft.gold,
            category=category,
            difficulty=level,
            metadata=freeze({"expected_results": list(draft.results), **draft.notes}),
        )


def _is_index(digits: str) -> bool:
    """Return whether ``digits`` is a number as this module writes it (ASCII, no leading zero)."""
    plain = digits.isascii() and digits.isdigit() and len(digits) < 40
    return plain and (digits == "0" or not digits.startswith("0"))

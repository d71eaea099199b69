"""What every endless source shares: tasks made from their index alone, ids that say the index."""

from __future__ import annotations

import abc
import functools
from collections.abc import Sequence
from functools import cached_property
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

from toolrl_env.core.checks import whole_number
from toolrl_env.core.errors import UnknownTask
from toolrl_env.core.types import Task
from toolrl_env.data.source import fingerprint_of
from toolrl_env.data.split import check_split

if TYPE_CHECKING:
    import numpy as np

__all__ = ["DRAWN", "EndlessSource"]

DRAWN = 1 << 31
"""``draw`` picks an index below this; greater ones exist and can be asked for."""

Made = TypeVar("Made")


class EndlessSource(abc.ABC, Generic[Made]):
    """An index-addressed ``TaskSource``: ``source[i]`` is the same on every machine, every time.

    A subclass says what an index gives (``_make``, which may hold more than the task) and where
    the task is in it (``_task``).

    Args:
        split: ``train``, ``validation``, ``test`` or ``all``.
        difficulty: One of ``levels``, or ``None`` to mix them evenly.

    Attributes:
        levels: The difficulties, ascending without gaps.
        generator: Goes up with any change to what an index gives; part of every fingerprint.
        remembered: How many of the last tasks made are kept.
        probed: How many of the first tasks enter the fingerprint.

    Raises:
        UnknownName: There is no such split.
        ConfigurationError: The difficulty is none of ``levels``.
    """

    name: ClassVar[str]
    levels: ClassVar[Sequence[int]]
    generator: ClassVar[int]
    remembered: ClassVar[int]
    probed: ClassVar[int]
    is_sample = False
    size: int | None = None

    def __init__(self, split: str = "train", difficulty: int | None = None) -> None:
        check_split(split)
        if difficulty is not None:
            difficulty = whole_number("difficulty", difficulty, self.levels[0], self.levels[-1])
        self.split = split
        self.difficulty = difficulty
        level = "mixed" if difficulty is None else f"d{difficulty}"
        self._prefix = f"{self.name}-{split}-{level}-"
        self._recent = functools.lru_cache(maxsize=self.remembered)(self._made)

    def __reduce__(self) -> tuple[type[Self], tuple[str, int | None]]:
        """Pickle and copy by the two arguments."""
        return type(self), (self.split, self.difficulty)

    @abc.abstractmethod
    def _make(self, rng: Random, task_id: str) -> Made:
        """Make a task from random numbers that depend on its index alone."""

    @abc.abstractmethod
    def _task(self, made: Made) -> Task:
        """Return the task in what ``_make`` returned."""

    @abc.abstractmethod
    def _tools(self) -> Any:
        """Return, as JSON, the tools that a task may offer."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the generator's version, the arguments, the tools and the first tasks."""
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        options = {
            "generator": self.generator,
            "difficulty": self.difficulty,
            "tools": self._tools(),
        }
        probes = tuple(self._task(self._made(index)) for index in range(self.probed))
        return fingerprint_of(probes, self.name, self.split, options)

    def __getitem__(self, index: int) -> Task:
        """Return the task at ``index``; recent ones are remembered.

        Raises:
            UnknownTask: ``index`` is negative.
        """
        return self._task(self._at(index))

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

    def _at(self, index: int) -> Made:
        if index < 0:
            raise UnknownTask(f"{self.name} has tasks 0, 1, 2, … without end, not {index}")
        return self._recent(index)

    def _made(self, index: int) -> Made:
        task_id = f"{self._prefix}{index}"
        return self._make(Random(task_id), task_id)


def _is_index(digits: str) -> bool:
    """Return whether ``digits`` is a number as this module writes it (ASCII, no leading zero)."""
    plain = digits.isascii() and digits.isdigit() and len(digits) < 40
    return plain and (digits == "0" or not digits.startswith("0"))

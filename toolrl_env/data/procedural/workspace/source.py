"""``WorkspaceSource``: an endless, index-addressed source of tasks in the office."""

from __future__ import annotations

import functools
from functools import cached_property
from random import Random
from typing import TYPE_CHECKING

from toolrl_env.core.errors import ConfigurationError, UnknownName, UnknownTask
from toolrl_env.core.frozen import freeze
from toolrl_env.core.types import GroundTruth, Message, Task, ToolCall
from toolrl_env.data.procedural.workspace.phrases import THOUGHTS
from toolrl_env.data.procedural.workspace.scenario import LEVELS, Scenario, make_scenario
from toolrl_env.data.procedural.workspace.session import WorkspaceSession
from toolrl_env.data.procedural.workspace.world import pick
from toolrl_env.data.source import fingerprint_of
from toolrl_env.parsing import get_protocol
from toolrl_env.tools.suites.workspace import WorkspaceSuite

if TYPE_CHECKING:
    import numpy as np

__all__ = ["GENERATOR_VERSION", "SPLITS", "WorkspaceSource"]

GENERATOR_VERSION = 1
"""Goes up with any change to what an index gives; part of every fingerprint."""
SPLITS = ("train", "validation", "test", "all")
DRAWN = 1 << 31
"""``draw`` picks an index below this; greater ones exist and can be asked for."""
_SPECS = {tool.name: tool.spec for tool in WorkspaceSuite().tools()}
_REMEMBERED = 256
_PROBED = 48


class WorkspaceSource:
    """Tasks made from their index alone: ``source[i]`` is the same on every machine, every time.

    Each task is an office of its own, one to four things that the user wants done there, and a
    goal on the office's database. A task's difficulty is the number of calls of its gold
    trajectory, each of which was made for real when the task was made: look-ups of what the
    request refers to ("the owner of the file attached to the mail …"), and calls that write.

    From 2 calls on something may be left out of the request and must be asked for; from 3 on tools
    may fail for a moment; payments take the user's code, after which their tools appear; from 4 on
    a part of the request may come later, with tools of its own.

    Names of people, projects and firms belong to one split each (``names``), and every request
    holds some, so no request of one split occurs in another.

    Args:
        split: ``train``, ``validation``, ``test``, or ``all`` (each task then draws its split's
            names, 8 : 1 : 1).
        difficulty: 1 to 12 calls, or ``None`` to mix all evenly.

    Raises:
        UnknownName: There is no such split.
        ConfigurationError: The difficulty is not one of 1 to 12.

    >>> source = WorkspaceSource("train", difficulty=2)
    >>> source[3] == source[3], source.index_of(source[3].id)
    (True, 3)
    >>> source.open(source[3]).progress()[-1]
    True
    """

    name = "workspace"
    is_sample = False
    size: int | None = None

    def __init__(self, split: str = "train", difficulty: int | None = None) -> None:
        if split not in SPLITS:
            raise UnknownName("split", split, SPLITS)
        if difficulty is not None and (isinstance(difficulty, bool) or difficulty not in LEVELS):
            raise ConfigurationError(
                f"difficulty {difficulty!r} is not one of {LEVELS}, nor None for all of them"
            )
        self.split = split
        self.difficulty = difficulty
        self._prefix = f"workspace-{split}-{'mixed' if difficulty is None else f'd{difficulty}'}-"
        self._remembered = functools.lru_cache(maxsize=_REMEMBERED)(self._make)

    def __reduce__(self) -> tuple[type[WorkspaceSource], tuple[str, int | None]]:
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
            "tools": [spec.as_openai() for spec in _SPECS.values()],
        }
        probes = tuple(self._make(index)[0] for index in range(_PROBED))
        return fingerprint_of(probes, self.name, self.split, options)

    def __getitem__(self, index: int) -> Task:
        """Return the task at ``index``; recent ones are remembered.

        Raises:
            UnknownTask: ``index`` is negative.
        """
        return self._at(index)[0]

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

    def open(self, task: Task) -> WorkspaceSession:
        """Return a fresh office for the task; two sessions share nothing that changes.

        Raises:
            UnknownTask: The task is not of this source.
        """
        return WorkspaceSession(task.id, self._scenario(task))

    def gold_turns(self, task: Task) -> tuple[tuple[ToolCall, ...] | str, ...]:
        """Return the gold trajectory: batches of calls, questions to the user, reports.

        It was executed when the task was made, failures for a moment and repetitions included.

        Raises:
            UnknownTask: The task is not of this source.
        """
        return self._scenario(task).turns

    def _scenario(self, task: Task) -> Scenario:
        return self._at(self.index_of(task.id))[1]

    def _at(self, index: int) -> tuple[Task, Scenario]:
        if index < 0:
            raise UnknownTask(f"{self.name} has tasks 0, 1, 2, … without end, not {index}")
        return self._remembered(index)

    def _make(self, index: int) -> tuple[Task, Scenario]:
        rng = Random(f"{self._prefix}{index}")
        calls = pick(rng, LEVELS) if self.difficulty is None else self.difficulty
        split = pick(rng, ("train",) * 8 + SPLITS[1:3]) if self.split == "all" else self.split
        scenario = make_scenario(rng, split, calls)
        task_id = f"{self._prefix}{index}"
        task = Task(
            id=task_id,
            source=self.name,
            tools=tuple(_SPECS[name] for name in scenario.available(0, unlocked=False)),
            messages=(Message("user", scenario.phases[0].text),),
            gold=_gold(scenario.turns[0], pick(rng, THOUGHTS)),
            category=_category(scenario),
            difficulty=calls,
            metadata=freeze(
                {"calls": calls, "depth": scenario.depth, "features": list(scenario.features)}
            ),
        )
        return task, scenario


def _gold(turn: tuple[ToolCall, ...] | str, thought: str) -> GroundTruth:
    """Return the first gold turn as a gold answer, without filling the cache of parsed ones."""
    protocol = get_protocol("toolrl")
    if isinstance(turn, str):
        text = protocol.render((), think=thought, response=turn)
        return GroundTruth(text, has_call=False, has_response=True)
    values = tuple(freeze({"name": c.name, "parameters": c.arguments}) for c in turn)
    text = protocol.render(turn, think=thought)
    return GroundTruth(text, has_call=True, has_response=False, values=values)


def _category(scenario: Scenario) -> str:
    """Return the most special of a task's features."""
    ranked = ("follow_up", "missing_information", "payment_code", "transient_faults")
    return next((feature for feature in ranked if feature in scenario.features), "plain")


def _is_index(digits: str) -> bool:
    """Return whether ``digits`` is a number as this module writes it (ASCII, no leading zero)."""
    plain = digits.isascii() and digits.isdigit() and len(digits) < 40
    return plain and (digits == "0" or not digits.startswith("0"))

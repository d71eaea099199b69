"""``WorkspaceSource``: an endless, index-addressed source of tasks in the office."""

from __future__ import annotations

from random import Random
from typing import Any

from toolrl_env.core.frozen import freeze
from toolrl_env.core.types import GroundTruth, Message, Task, ToolCall
from toolrl_env.data.procedural.endless import EndlessSource
from toolrl_env.data.procedural.workspace.phrases import THOUGHTS
from toolrl_env.data.procedural.workspace.scenario import LEVELS, Scenario, make_scenario
from toolrl_env.data.procedural.workspace.session import SPECS, WorkspaceSession
from toolrl_env.data.procedural.workspace.world import pick
from toolrl_env.parsing import get_protocol

__all__ = ["GENERATOR_VERSION", "WorkspaceSource"]

GENERATOR_VERSION = 1
"""Goes up with any change to what an index gives; part of every fingerprint."""
_NAMED_SPLITS = ("train",) * 8 + ("validation", "test")


class WorkspaceSource(EndlessSource[tuple[Task, Scenario]]):
    """Requests of people in offices, with goals on the offices' databases.

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
    levels = LEVELS
    generator = GENERATOR_VERSION
    remembered = 256
    probed = 48

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

    def _make(self, rng: Random, task_id: str) -> tuple[Task, Scenario]:
        calls = pick(rng, LEVELS) if self.difficulty is None else self.difficulty
        split = pick(rng, _NAMED_SPLITS) if self.split == "all" else self.split
        scenario = make_scenario(rng, split, calls)
        task = Task(
            id=task_id,
            source=self.name,
            tools=tuple(SPECS[name] for name in scenario.available(0, unlocked=False)),
            messages=(Message("user", scenario.phases[0].text),),
            gold=_gold(scenario.turns[0], pick(rng, THOUGHTS)),
            category=_category(scenario),
            difficulty=calls,
            metadata=freeze(
                {"calls": calls, "depth": scenario.depth, "features": list(scenario.features)}
            ),
        )
        return task, scenario

    def _task(self, made: tuple[Task, Scenario]) -> Task:
        return made[0]

    def _tools(self) -> Any:
        return [spec.as_openai() for spec in SPECS.values()]


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

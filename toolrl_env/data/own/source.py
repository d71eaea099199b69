"""``OwnTasks``: tasks of your own over tools of your own, that can be played."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from toolrl_env.core.errors import ConfigurationError, DataError, UnknownName
from toolrl_env.core.types import GroundTruth, Task, ToolCall, ToolSpec
from toolrl_env.data.files import read_rows
from toolrl_env.data.gold import make_gold, thought_for
from toolrl_env.data.own.session import GoldEnd, OwnSession, OwnSnapshot
from toolrl_env.data.own.task import OwnTask, Turn, read_task
from toolrl_env.data.source import FiniteSource, RefusedRow, TaskSet
from toolrl_env.data.split import check_split, split_of
from toolrl_env.tools import CallLimits, CallValidator, as_parsed, run_calls
from toolrl_env.tools.combined import CombinedProvider
from toolrl_env.tools.toolkit import ToolLike, toolkit

__all__ = ["OwnTasks"]

_KEPT = 512
"""Tasks whose beginnings and gold ends are remembered."""
T = TypeVar("T")
Given = OwnTask | Task | Mapping[str, Any]


class OwnTasks(FiniteSource):
    """A ``SessionSource`` over your tools and your tasks.

    The tools are opened once at construction, to see what there is; each session has its own. The
    fingerprint changes with any task, tool or split; of goals it knows only how many there are.

    Args:
        tools: What ``toolkit`` takes, or a provider that it has made.
        tasks: ``OwnTask``, ``Task`` or rows (see ``read_task``), in any mixture; or a ``.json``,
            ``.jsonl``, ``.jsonl.gz`` or ``.parquet`` file of rows.
        split: ``train``, ``validation``, ``test`` (by a stable hash of the first message) or
            ``all``.
        limits: What each call may take.
        name: The source's name; it enters the fingerprint.

    Raises:
        ConfigurationError: Names of tools clash, ``tools`` is none, or a goal names no provider or
            cannot be sent to the process of isolated tools.
        DataError: A task cannot be used, names a tool that there is not, or has gold calls that
            break a schema; the split is empty.
        InfrastructureError: The tools cannot be opened, or the first goal raises.
    """

    def __init__(
        self,
        tools: ToolLike | Sequence[ToolLike],
        tasks: str | Path | Sequence[Given],
        split: str = "all",
        *,
        limits: CallLimits | None = None,
        name: str = "own",
    ) -> None:
        check_split(split)
        self.name, self.split = name, split
        self.provider = tools if isinstance(tools, CombinedProvider) else toolkit(tools)
        self.limits = limits or CallLimits()
        self._specs = self._look_at_tools()
        found = list(_given(tasks))
        chosen = [task for task in found if split in ("all", split_of(task.messages[0].content))]
        if found and not chosen:
            raise DataError(f"{name}: split {split!r} has none of the {len(found)} tasks")
        self._own = {task.id: task for task in chosen}
        checker = CallValidator(self._specs)
        shown = tuple(self._task(task, checker) for task in chosen)
        options = {"own": [_content(task) for task in chosen]}
        self.tasks = TaskSet(name, split, shown, options=options)
        self._starts: dict[str, OwnSnapshot] = {}
        self._ends: dict[str, GoldEnd] = {}
        with_goals = next((task for task in shown if self._own[task.id].goals), None)
        if with_goals is not None:  # a goal that cannot be asked is better known now
            self.open(with_goals).close()

    @property
    def waits(self) -> bool:
        """Whether calls wait on something outside of this process."""
        return self.provider.waits

    def __iter__(self) -> Iterator[Task]:
        """Iterate over the tasks in order."""
        return iter(self.tasks)

    def open(self, task: Task) -> OwnSession:
        """Return a session with tools of its own, after the task's setup.

        Raises:
            UnknownTask: The task is not of this source.
            InfrastructureError: The tools cannot be opened, or fail.
        """
        self.index_of(task.id)
        own = self._own[task.id]
        tools = self.provider.open(self.limits)
        try:
            session = OwnSession(own, tools, functools.partial(self._gold_end, own))
            start = self._starts.get(own.id)
            if start is None:
                session.begin()
                _keep(self._starts, own.id, session.snapshot())
            else:  # the setup is not made again, and a process is not started before it is needed
                session.restore(start)
        except BaseException:
            tools.close()
            raise
        return session

    def gold_turns(self, task: Task) -> tuple[tuple[ToolCall, ...] | str, ...]:
        """Return the gold trajectory, ``()`` if none was given.

        Raises:
            UnknownTask: The task is not of this source.
        """
        self.index_of(task.id)
        return self._own[task.id].gold

    # ------------------------------------------------------------------ inside

    def _look_at_tools(self) -> tuple[ToolSpec, ...]:
        opened = self.provider.open(self.limits)
        try:
            return tuple(opened.specs())
        finally:
            opened.close()

    def _task(self, own: OwnTask, checker: CallValidator) -> Task:
        """Return a task as it is shown, having checked what it says of the tools."""
        names = {spec.name for spec in self._specs}
        for name in own.tools:
            if name not in names:
                raise UnknownName(f"tool (task {own.id!r})", name, names)
        calls = [call for turn in own.gold if not isinstance(turn, str) for call in turn]
        for call, result in _checked(checker, (*own.setup, *calls)):
            if not result.ok:
                said = "; ".join(error.message for error in result.errors)
                raise DataError(f"task {own.id!r}: its call of {call.name!r} is not valid: {said}")
        parts = [part.name for part in self.provider.parts]
        for goal in own.goals:
            if goal.of is not None and goal.of not in parts:
                raise UnknownName(f"provider (a goal of task {own.id!r})", goal.of, parts)
            if goal.of is None and len(parts) > 1:
                known = ", ".join(parts)
                raise ConfigurationError(f"a goal of task {own.id!r} must say of which: {known}")
        offered = tuple(s for s in self._specs if not own.tools or s.name in own.tools)
        return Task(
            id=own.id,
            source=self.name,
            tools=offered,
            messages=own.messages,
            gold=_first(own.gold, own.answers),
            category=own.category,
        )

    def _gold_end(self, own: OwnTask) -> GoldEnd:
        """Play a task's gold calls once, on tools of their own.

        Raises:
            DataError: A gold call is refused.
        """
        end = self._ends.get(own.id)
        if end is None:
            opened = self.provider.open(self.limits)
            try:
                run_calls(opened, own.setup)
                before, values = opened.state_hash(), list[Any]()
                for turn in own.gold:
                    for result in () if isinstance(turn, str) else run_calls(opened, turn):
                        if not result.ok:
                            raise DataError(
                                f"task {own.id!r}: a gold call fails: {result.errors[0].message}"
                            )
                        values.append(result.value)
                after = opened.state_hash()
            finally:
                opened.close()
            end = GoldEnd(after, after != before, tuple(values))
            _keep(self._ends, own.id, end)
        return end


def _keep(kept: dict[str, T], key: str, value: T) -> None:
    """Keep a value, and forget the oldest if there are too many; threads may do so at once."""
    kept[key] = value
    if len(kept) > _KEPT:
        kept.pop(list(kept)[0], None)  # noqa: RUF015  # a copy, which no other thread changes


def _given(tasks: str | Path | Sequence[Given]) -> Iterator[OwnTask]:
    if not isinstance(tasks, str | Path):
        yield from (read_task(task, index) for index, task in enumerate(tasks))
        return
    for index, row in enumerate(read_rows(Path(tasks))):
        if isinstance(row, RefusedRow):
            raise DataError(f"{tasks}: {row.reason}")
        yield read_task(row, index)


def _checked(checker: CallValidator, calls: Sequence[ToolCall]) -> Iterator[tuple[ToolCall, Any]]:
    return zip(calls, checker.check([as_parsed(call) for call in calls]), strict=True)


def _first(gold: tuple[Turn, ...], answers: tuple[str, ...]) -> GroundTruth:
    """Return the first turn of gold as a gold answer; an expected answer where there is no gold."""
    turn: Turn = gold[0] if gold else (answers[0] if answers else "")
    if isinstance(turn, str):
        return make_gold((), turn, thought_for(0))
    return make_gold(turn, None, thought_for(len(turn)))


def _content(own: OwnTask) -> list[Any]:
    """Return what a task is judged by, as JSON, for the fingerprint."""
    gold = [turn if isinstance(turn, str) else _pairs(turn) for turn in own.gold]
    goals = [goal.of for goal in own.goals]
    return [own.id, gold, list(own.answers), goals, _pairs(own.setup)]


def _pairs(calls: Sequence[ToolCall]) -> list[Any]:
    return [[call.name, call.arguments] for call in calls]

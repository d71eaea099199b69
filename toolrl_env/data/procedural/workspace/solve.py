"""Solving a composed request for real: the gold trajectory, and the goal that it proves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from toolrl_env.core.types import ToolCall
from toolrl_env.data.procedural.workspace.compose import Composition
from toolrl_env.data.procedural.workspace.goal import Change, Goal, Match, changes_between
from toolrl_env.data.procedural.workspace.references import Reference
from toolrl_env.data.procedural.workspace.wish import Wish
from toolrl_env.tools.suites.workspace import LOCKED, TABLES, Database, WorkspaceSuite
from toolrl_env.tools.tool import ToolError

__all__ = ["Plan", "PlannedCall", "make_plan", "solve"]

_METHODS = WorkspaceSuite().methods()
_OWN_KEYS = frozenset({"files", "products"})


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """A call of the gold trajectory.

    Attributes:
        tool: The tool.
        arguments: Its arguments.
        needs: Earlier calls whose results are used, by index.
        phase: The earliest of the user's requests after which it can be made.
        shows: What the result must show, for a look-up.
        wish: The wish that it fulfils, or ``None``.
    """

    tool: str
    arguments: Mapping[str, Any]
    needs: frozenset[int]
    phase: int
    shows: Any = None
    wish: Wish | None = None


@dataclass(slots=True)
class Plan:
    """Every call that is needed, in an order in which they could be made."""

    calls: list[PlannedCall] = field(default_factory=list[PlannedCall])
    _seen: dict[str, int] = field(default_factory=dict[str, int])

    def look_up(self, reference: Reference, phase: int) -> frozenset[int]:
        """Add what finding a thing takes; return the call that shows it, if it takes any."""
        needs = frozenset[int]()
        for link in reference.links():
            if link.lookup is None:
                continue
            key = json.dumps([link.lookup.tool, link.lookup.arguments])
            if key not in self._seen:
                self._seen[key] = len(self.calls)
                call = PlannedCall(
                    link.lookup.tool, link.lookup.arguments, needs, phase, link.lookup.shows
                )
                self.calls.append(call)
            needs = frozenset({self._seen[key]})
        return needs

    @property
    def depth(self) -> int:
        """Length of the longest chain of calls of which each needs the one before."""
        depths: list[int] = []
        for call in self.calls:
            depths.append(1 + max((depths[need] for need in call.needs), default=0))
        return max(depths)


def make_plan(composition: Composition, code: str) -> Plan:
    """Return the calls that fulfil a request."""
    plan = Plan()
    shown: list[dict[str, frozenset[int]]] = []
    done: list[int] = []
    unlocked: int | None = None
    for command in composition.commands:
        found = {
            name: plan.look_up(reference, command.phase)
            for name, reference in command.references.items()
        }
        found |= {name: shown[number][slot] for name, (number, slot) in command.repeats.items()}
        needs = frozenset[int]().union(*found.values())
        if command.wish.tool in LOCKED:
            if unlocked is None:
                unlocked = len(plan.calls)
                plan.calls.append(
                    PlannedCall("authorise_payments", {"code": code}, frozenset(), command.phase)
                )
            needs |= {unlocked}
        if command.wish.uses_number:
            needs |= {done[-1]}
        shown.append(found)
        done.append(len(plan.calls))
        plan.calls.append(
            PlannedCall(
                command.wish.tool,
                command.wish.arguments,
                needs,
                command.phase,
                wish=command.wish,
            )
        )
    return plan


def solve(
    plan: Plan, database: Database, faults: Mapping[str, int]
) -> tuple[list[list[list[ToolCall]]], Goal] | None:
    """Make every call as soon as what it needs is known; try again what fails for a moment.

    Args:
        plan: The calls.
        database: The office; it is changed, and put back if this fails.
        faults: How often the first calls of a tool fail.

    Returns:
        For each phase the batches of calls, and the goal that was reached; ``None`` if a tool
        refuses, a look-up does not show what it should, or a wish changes nothing.
    """
    start = database.save()
    run = _Run(plan.calls, WorkspaceSuite(database), dict(faults))
    try:
        phases = [run.phase(n) for n in range(1 + max(call.phase for call in plan.calls))]
    except _NotAsPlanned:
        database.put(start)
        return None
    goal = Goal(tuple(run.fulfilled[index] for index in sorted(run.fulfilled)))
    if all(goal.progress(database.base.rows, database)):
        return phases, goal
    database.put(start)
    return None


class _NotAsPlanned(Exception):
    """A call did not do what the plan says. Stays in this module."""


@dataclass(slots=True)
class _Run:
    """The calls of a plan being made."""

    calls: list[PlannedCall]
    office: WorkspaceSuite
    faults: dict[str, int]
    done: set[int] = field(default_factory=set[int])
    fulfilled: dict[int, tuple[Change, ...]] = field(default_factory=dict[int, tuple[Change, ...]])

    def phase(self, number: int) -> list[list[ToolCall]]:
        """Make the calls of one phase; return them in batches."""
        waiting = [i for i, call in enumerate(self.calls) if call.phase == number]
        batches: list[list[ToolCall]] = []
        while waiting:
            ready = [index for index in waiting if self.calls[index].needs <= self.done]
            batches.append([ToolCall(self.calls[i].tool, self.calls[i].arguments) for i in ready])
            self.done |= {index for index in ready if self._make(index)}
            waiting = [index for index in waiting if index not in self.done]
        return batches

    def _make(self, index: int) -> bool:
        """Make a call and note what it changes; return whether it was not its turn to fail."""
        call, database = self.calls[index], self.office.database
        if self.faults.get(call.tool, 0):
            self.faults[call.tool] -= 1
            return False
        before = {name: database.rows(name) for name in TABLES} if call.wish else {}
        try:
            result = _METHODS[call.tool].fn(self.office, **call.arguments)
        except ToolError as error:
            raise _NotAsPlanned from error
        if call.wish is not None:
            changes = changes_between(before, database)
            self.fulfilled[index] = tuple(_wanted(change, call.wish) for change in changes)
            if not changes:
                raise _NotAsPlanned
        elif call.shows is not None and not _shows(call.tool, result, call.shows):
            raise _NotAsPlanned
        return True


def _shows(tool: str, result: Any, value: Any) -> bool:
    """Return whether a result shows a value, and, if it is a list of matches, nothing else."""
    if isinstance(result, str):
        return str(value) in result
    if isinstance(result, list):
        found = cast("list[Any]", result)
        unique = len(found) == 1 or tool == "list_accounts"
        return unique and any(_is_in(part, value) for part in found)
    return _is_in(result, value)


def _is_in(part: Any, value: Any) -> bool:
    """Return whether a value is ``part``, or one of the values in it."""
    if isinstance(part, dict):
        return any(_is_in(one, value) for one in cast("dict[str, Any]", part).values())
    if isinstance(part, list):
        return value in part
    return part == value


def _wanted(change: Change, wish: Wish) -> Change:
    """Return what happened as a wish: keys that the office chose and free columns do not count."""
    key = None if change.kind == "added" and change.table not in _OWN_KEYS else change.key
    columns = {
        name: wish.free.get((change.table, name), Match("is", match.value))
        for name, match in change.columns.items()
    }
    return Change(change.kind, change.table, key, columns)

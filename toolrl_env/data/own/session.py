"""``OwnSession``: one episode over tools of your own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from toolrl_env.core.errors import SnapshotError
from toolrl_env.core.types import ParsedCall, ToolResult, ToolSpec
from toolrl_env.data.own.task import OwnTask
from toolrl_env.data.search.answers import contains
from toolrl_env.tools import CallValidator, run_calls, values_agree
from toolrl_env.tools.combined import CombinedTools

__all__ = ["GoldEnd", "OwnSession", "OwnSnapshot"]


@dataclass(frozen=True, slots=True)
class GoldEnd:
    """What a task's gold trajectory leads to.

    Attributes:
        state: The tools' hash after it.
        changes: Whether that is another state than before it.
        values: What its calls return, in order.
    """

    state: str
    changes: bool
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class OwnSnapshot:
    """A session at one moment.

    Attributes:
        task_id: The task it belongs to.
        tools: The tools' state.
        said: The model's last response, or ``None``.
        values: What the calls of this episode returned, if that is what the task is judged by.
        progress: The truth of each predicate.
    """

    task_id: str
    tools: object
    said: str | None
    values: tuple[Any, ...]
    progress: tuple[bool, ...]


class OwnSession:
    """A ``Session`` of an ``OwnTask``.

    Args:
        task: The task.
        tools: Open tools, which belong to the session from here on.
        gold_end: What the gold trajectory leads to; asked only if the task is judged by it.
    """

    def __init__(
        self, task: OwnTask, tools: CombinedTools, gold_end: Callable[[], GoldEnd]
    ) -> None:
        self._task = task
        self._tools = tools
        self._gold_end = gold_end
        self._judged_by_gold = not (task.goals or task.answers)
        self._said: str | None = None
        self._values: tuple[Any, ...] = ()
        self._progress: tuple[bool, ...] = ()
        self._offered: tuple[ToolSpec, ...] = ()
        self._validator = CallValidator(())
        self._offer()

    def begin(self) -> None:
        """Make the calls of the task's setup, and look where that leads.

        Raises:
            InfrastructureError: A tool failed.
        """
        if self._task.setup:
            run_calls(self._tools, self._task.setup)
        self._look()

    @property
    def over(self) -> bool:
        """False: the model's response ends an episode."""
        return False

    def tools(self) -> Sequence[ToolSpec]:
        """Return the tools that are offered now."""
        return self._offered

    def execute(self, calls: Sequence[ParsedCall]) -> tuple[ToolResult, ...]:
        """Check each call against the offered tools, and run the valid ones in order.

        Raises:
            InfrastructureError: A tool failed.
        """
        results = run_calls(self._tools, calls, self._validator)
        if self._judged_by_gold:
            returned = (result.value for result in results if result.ok and result.executed)
            self._values = (*self._values, *returned)
        self._offer()
        self._look()
        return results

    def writes(self, calls: Sequence[ParsedCall]) -> tuple[bool, ...]:
        """Return, for each call, whether its tool may change the state."""
        return tuple(call.name is not None and self._tools.writes(call.name) for call in calls)

    def reply(self, response: str) -> None:
        """End the episode: the user has nothing to add."""
        self._said = response
        self._look()

    def progress(self) -> tuple[bool, ...]:
        """Return the truth of each goal, and whether the expected answer was given; or of gold."""
        return self._progress

    def gold(self) -> None:
        """Return ``None``: there is gold for the whole trajectory alone."""

    def outcome(self) -> float:
        """Return 1.0 if everything that is asked for is true, else 0.0."""
        return float(all(self._progress))

    def state_hash(self) -> str:
        """Return 64 hexadecimal digits of the tools' state and of what was said."""
        rest = json.dumps([self._task.id, self._said, self._values], sort_keys=True)
        return hashlib.sha256(f"{self._tools.state_hash()} {rest}".encode()).hexdigest()

    def snapshot(self) -> OwnSnapshot:
        """Return the whole state."""
        return OwnSnapshot(
            self._task.id, self._tools.snapshot(), self._said, self._values, self._progress
        )

    def restore(self, snapshot: object) -> None:
        """Put a state back.

        Raises:
            SnapshotError: It is not a snapshot of a session of this task.
        """
        if not isinstance(snapshot, OwnSnapshot) or snapshot.task_id != self._task.id:
            raise SnapshotError(f"not a snapshot of a session of {self._task.id!r}")
        self._tools.restore(snapshot.tools)
        self._said = snapshot.said
        self._values = snapshot.values
        self._progress = snapshot.progress
        self._offer()

    def close(self) -> None:
        """Close the tools."""
        self._tools.close()

    # ------------------------------------------------------------------ inside

    def _offer(self) -> None:
        """Bring the offered tools up to date."""
        specs = self._tools.specs()
        if self._task.tools:
            specs = tuple(spec for spec in specs if spec.name in self._task.tools)
        if specs != self._offered:
            self._offered = specs
            self._validator = CallValidator(specs)

    def _look(self) -> None:
        """Bring the progress up to date: here, where a failure is the step's, not the reader's."""
        task = self._task
        if self._judged_by_gold:
            self._progress = (self._reached(self._gold_end()),)
            return
        held = [self._part(goal.of).holds(goal.holds) for goal in task.goals]
        if task.answers:
            held.append(self._said is not None and contains(self._said, task.answers) == 1.0)
        self._progress = tuple(held)

    def _part(self, name: str | None) -> Any:
        return self._tools if name is None else self._tools.part(name)

    def _reached(self, end: GoldEnd) -> bool:
        if end.changes:
            return self._tools.state_hash() == end.state
        left = list(self._values)
        for value in end.values:
            at = next((i for i, other in enumerate(left) if values_agree(value, other)), None)
            if at is None:
                return False
            del left[at]
        return True

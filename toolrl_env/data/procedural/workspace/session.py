"""``WorkspaceSession``: one episode in the office."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from toolrl_env.core.errors import SnapshotError
from toolrl_env.core.frozen import freeze
from toolrl_env.core.types import ParsedCall, ToolResult, ToolSpec
from toolrl_env.data.procedural.workspace.scenario import Scenario
from toolrl_env.data.procedural.workspace.user import UserState, answer_to
from toolrl_env.tools import CallValidator, Tool, ToolError, execute_calls
from toolrl_env.tools.suites.workspace import Database, WorkspaceSuite

__all__ = ["SPECS", "WorkspaceSession", "WorkspaceSnapshot"]

_METHODS = WorkspaceSuite().methods()
SPECS = {
    name: replace(method.spec, parameters=freeze(method.spec.parameters))
    for name, method in _METHODS.items()
}
"""Every tool of the office by name; shared, so frozen."""
_WRITING = frozenset(name for name, method in _METHODS.items() if method.writes)


@dataclass(frozen=True, slots=True)
class WorkspaceSnapshot:
    """The whole state of a session. Picklable; some 25 KB.

    Attributes:
        task_id: The task it belongs to.
        database: The office.
        user: Where the conversation stands.
        faults: How often tools are still going to fail, by tool.
        failed: How many calls failed for a moment so far.
        held: Which wishes are fulfilled in this state, if that was worked out already.
    """

    task_id: str
    database: bytes
    user: UserState
    faults: tuple[tuple[str, int], ...]
    failed: int
    held: tuple[bool, ...] | None = None


@functools.lru_cache(maxsize=256)
def _validator(names: tuple[str, ...]) -> CallValidator:
    return CallValidator([SPECS[name] for name in names])


class WorkspaceSession:
    """A ``Session``: an office, its user, and a goal.

    Args:
        task_id: The task's id.
        scenario: The task.
    """

    def __init__(self, task_id: str, scenario: Scenario) -> None:
        self.task_id = task_id
        self._scenario = scenario
        self._office = WorkspaceSuite(Database(scenario.image))
        self._user = UserState()
        self._faults = dict(scenario.faults)
        self._failed = 0
        self._stage: tuple[int, bool] | None = None
        self._names: tuple[str, ...] = ()
        self._specs: tuple[ToolSpec, ...] = ()
        self._tools: tuple[Tool, ...] = ()
        self._held: tuple[int, tuple[bool, ...]] = (-1, ())
        self._offer()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the task and a snapshot."""
        return type(self), (self.task_id, self._scenario), self.snapshot()

    def __setstate__(self, state: WorkspaceSnapshot) -> None:
        """Restore the snapshot."""
        self.restore(state)

    @property
    def over(self) -> bool:
        """False: only the user's last word ends an episode."""
        return False

    @property
    def transient_failures(self) -> int:
        """How many calls failed for a moment so far, through no fault of the model's."""
        return self._failed

    def tools(self) -> Sequence[ToolSpec]:
        """Return the tools that are available now: more after a code or a further request."""
        return self._specs

    def execute(self, calls: Sequence[ParsedCall]) -> tuple[ToolResult, ...]:
        """Check each call against the tools available now, and run the valid ones in order.

        Raises:
            InfrastructureError: A tool raised something other than ``ToolError``.
        """
        results = execute_calls(self._tools, calls, _validator(self._names))
        self._offer()
        return results

    def writes(self, calls: Sequence[ParsedCall]) -> tuple[bool, ...]:
        """Return, for each call, whether its tool may change the office."""
        return tuple(call.name in _WRITING for call in calls)

    def reply(self, response: str) -> str | None:
        """Return what the user says to a response; ``None`` if they have nothing to add."""
        text, self._user = answer_to(response, self._scenario.phases, self._user)
        self._offer()
        return text

    def progress(self) -> tuple[bool, ...]:
        """Return which wishes are fulfilled and, last, whether nothing else was changed."""
        before, database = self._scenario.image.rows, self._office.database
        if self._held[0] != database.version:
            self._held = (database.version, self._scenario.goal.progress(before, database))
        return self._held[1]

    def gold(self) -> None:
        """Return ``None``: only the final database has a goal."""

    def outcome(self) -> float:
        """Return 1.0 if the goal is reached, else 0.0."""
        return float(all(self.progress()))

    def state_hash(self) -> str:
        """Return 64 hexadecimal digits: equal for states from which everything goes on equally."""
        user = (self._user.phase, self._user.patience, sorted(self._user.told))
        rest = json.dumps([self.task_id, user, sorted(self._faults.items()), self._failed])
        return hashlib.sha256(f"{self._office.state_hash()} {rest}".encode()).hexdigest()

    def snapshot(self) -> WorkspaceSnapshot:
        """Return the whole state."""
        return WorkspaceSnapshot(
            self.task_id,
            self._office.database.save(),
            self._user,
            tuple(sorted(self._faults.items())),
            self._failed,
            self._held[1] if self._held[0] == self._office.database.version else None,
        )

    def restore(self, snapshot: object) -> None:
        """Put a state back.

        Raises:
            SnapshotError: It is not a snapshot of a session of this task.
        """
        if not isinstance(snapshot, WorkspaceSnapshot) or snapshot.task_id != self.task_id:
            raise SnapshotError(f"not a snapshot of a session of {self.task_id}")
        self._office.database.put(snapshot.database)
        if snapshot.held is not None:
            self._held = (self._office.database.version, snapshot.held)
        self._user = snapshot.user
        self._faults = dict(snapshot.faults)
        self._failed = snapshot.failed
        self._offer()

    def close(self) -> None:
        """Close the database."""
        self._office.database.close()

    # ------------------------------------------------------------------ inside

    def _offer(self) -> None:
        """Bring the offered tools up to date."""
        stage = (self._user.phase, self._office.payments_unlocked)
        if stage != self._stage:
            self._stage = stage
            self._names = names = self._scenario.available(*stage)
            self._specs = tuple(SPECS[name] for name in names)
            self._tools = tuple(
                Tool(SPECS[name], functools.partial(self._run, name)) for name in names
            )

    def _run(self, name: str, /, **arguments: Any) -> Any:
        """Run a tool, unless it is its turn to fail."""
        left = self._faults.get(name, 0)
        if left:
            self._faults[name] = left - 1
            self._failed += 1
            raise ToolError(
                f"{name} is not available for a moment; nothing was changed, "
                "please make the same call again"
            )
        return _METHODS[name].fn(self._office, **arguments)

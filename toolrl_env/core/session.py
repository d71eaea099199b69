"""The interface between worlds and environments: a world runs tools, answers, and can be checked.

``TaskSource`` gives tasks; ``SessionSource`` gives tasks that can be played: for each task it opens
a ``Session``, one episode's live world. The multi-turn environment knows nothing else of a world.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from toolrl_env.core.types import GroundTruth, ParsedCall, Task, ToolCall, ToolResult, ToolSpec

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Session", "SessionSource", "TaskSource"]


class TaskSource(Protocol):
    """What an environment needs of a set of tasks, finite or endless."""

    @property
    def name(self) -> str:
        """The dataset's name, e.g. ``"toolace"``."""
        ...

    @property
    def split(self) -> str:
        """``train``, ``validation``, ``test`` or ``all``."""
        ...

    @property
    def fingerprint(self) -> str:
        """64 hexadecimal digits that change with any task, the split or an option."""
        ...

    @property
    def is_sample(self) -> bool:
        """Whether the tasks are this project's own sample instead of the dataset."""
        ...

    @property
    def size(self) -> int | None:
        """Number of tasks; ``None`` if the source is endless."""
        ...

    def __getitem__(self, index: int) -> Task:
        """Return the task at ``index`` (0-based). Raises ``UnknownTask`` if there is none."""
        ...

    def index_of(self, task_id: str) -> int:
        """Return the index of the task with this id. Raises ``UnknownTask`` if there is none."""
        ...

    def draw(self, rng: np.random.Generator) -> int:
        """Return the index of a task drawn uniformly with ``rng``."""
        ...


class Session(Protocol):
    """One episode's live world: tools that run, a user who answers, a goal that can be checked.

    Whatever the environment asks in a step may raise ``InfrastructureError``: the step is masked.
    """

    @property
    def over(self) -> bool:
        """Whether nothing more can happen, so that the episode ends; e.g. too many steps."""
        ...

    def tools(self) -> Sequence[ToolSpec]:
        """Return the tools that are available now; they may change between turns."""
        ...

    def execute(self, calls: Sequence[ParsedCall]) -> tuple[ToolResult, ...]:
        """Check each call, run the valid ones in order, and return one result per call.

        Raises:
            InfrastructureError: Something of ours failed. Never a model's fault.
        """
        ...

    def writes(self, calls: Sequence[ParsedCall]) -> tuple[bool, ...]:
        """Return, for each call, whether its tool may change the state; false if it is unknown."""
        ...

    def reply(self, response: str) -> str | None:
        """Return what the scripted user says to the model's response.

        ``None``: the user is done and the episode ends.
        """
        ...

    def progress(self) -> tuple[bool, ...]:
        """Return the truth of each goal predicate now; as many as in every other state.

        ``()``: the world has no goal to look at; only ``outcome`` tells success then.
        """
        ...

    def gold(self) -> GroundTruth | None:
        """Return the gold answer of the present turn alone (recorded dialogues), if there is one.

        ``None`` where only the whole trajectory or the final state has gold.
        """
        ...

    def outcome(self) -> float | None:
        """Return the world's own judgement of the episode as it ended, in ``[0, 1]``.

        Asked once the episode is over; ``None`` if the world does not judge.
        """
        ...

    def state_hash(self) -> str:
        """Return 64 hexadecimal digits of the canonical state, the same in every process."""
        ...

    def snapshot(self) -> object:
        """Return the whole state, picklable, sharing nothing with the session that goes on."""
        ...

    def restore(self, snapshot: object) -> None:
        """Put a state back; the snapshot may be restored again, here or in another session.

        Raises:
            SnapshotError: The snapshot is another task's or another kind of world's.
        """
        ...

    def close(self) -> None:
        """Give back what the world holds outside of Python's memory: processes, connections.

        May be called more than once; the session is not used afterwards.
        """
        ...


class SessionSource(TaskSource, Protocol):
    """Tasks that can be played."""

    def open(self, task: Task) -> Session:
        """Return a fresh world for the task; two sessions of one task share nothing that changes.

        Raises:
            UnknownTask: The task is not of this source.
            InfrastructureError: The world cannot be had now; ``reset`` passes it on.
        """
        ...

    def gold_turns(self, task: Task) -> tuple[tuple[ToolCall, ...] | str, ...]:
        """Return the proven gold trajectory: batches of calls, and responses to the user."""
        ...

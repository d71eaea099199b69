"""Where an environment gets its tasks: the ``TaskSource`` protocol and the finite ``TaskSet``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from toolrl_env.core.errors import DataError, UnknownTask, nearest
from toolrl_env.core.session import TaskSource
from toolrl_env.core.types import Message, Task, ToolSpec

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "FiniteSource",
    "RefusedRow",
    "SampleDataWarning",
    "TaskSet",
    "TaskSource",
    "fingerprint_of",
]


class SampleDataWarning(UserWarning):
    """The tasks are a sample that this project wrote itself, not the dataset of that name."""


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that cannot be a task.

    Attributes:
        index: 0-based index of the row in its file.
        reason: Why not, for a person.
    """

    index: int
    reason: str


@dataclass(frozen=True)
class TaskSet:
    """A finite, immutable set of tasks.

    Attributes:
        name: The dataset's name.
        split: ``train``, ``validation``, ``test`` or ``all``.
        tasks: The tasks, in file order, ids unique.
        refused: The rows of the whole file (every split) that could not be loaded, with reasons.
        is_sample: Whether the tasks are this project's own sample.
        licence: SPDX identifier of the data's licence, or ``""`` if unknown.
        options: Options the set was loaded with (they enter the fingerprint).

    Raises:
        DataError: Two tasks share an id, or there is no task.
    """

    name: str
    split: str
    tasks: tuple[Task, ...]
    refused: tuple[RefusedRow, ...] = ()
    is_sample: bool = False
    licence: str = ""
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        """Check that there are tasks and that their ids are unique."""
        if not self.tasks:
            raise DataError(f"{self.name}: split {self.split!r} has no tasks")
        if len(self._index) != len(self.tasks):
            seen: set[str] = set()
            twice = next(t.id for t in self.tasks if t.id in seen or seen.add(t.id))
            raise DataError(f"{self.name}: two tasks have the id {twice!r}")

    @property
    def size(self) -> int:
        """Number of tasks."""
        return len(self.tasks)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over name, split, options and every task's content, as hexadecimal digits."""
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        return fingerprint_of(self.tasks, self.name, self.split, self.options)

    @cached_property
    def _index(self) -> dict[str, int]:
        return {task.id: index for index, task in enumerate(self.tasks)}

    def __len__(self) -> int:
        """Return the number of tasks."""
        return len(self.tasks)

    def __iter__(self) -> Iterator[Task]:
        """Iterate over the tasks in order."""
        return iter(self.tasks)

    def __getitem__(self, index: int) -> Task:
        """Return the task at ``index``.

        Raises:
            UnknownTask: ``index`` is not in ``[0, size)``.
        """
        if not 0 <= index < len(self.tasks):
            raise UnknownTask(
                f"{self.name}/{self.split} has tasks 0 to {len(self.tasks) - 1}, not {index}"
            )
        return self.tasks[index]

    def index_of(self, task_id: str) -> int:
        """Return the index of the task with this id.

        Raises:
            UnknownTask: There is none; names the nearest id.
        """
        index = self._index.get(task_id)
        if index is None:
            close = nearest(task_id, self._index)
            hint = f" Did you mean {close!r}?" if close else f" Ids look like {self.tasks[0].id!r}."
            raise UnknownTask(f"no task {task_id!r} in {self.name}/{self.split}.{hint}")
        return index

    def draw(self, rng: np.random.Generator) -> int:
        """Return the index of a task drawn uniformly with ``rng``."""
        return int(rng.integers(len(self.tasks)))


class FiniteSource:
    """A ``TaskSource`` beside whose tasks a subclass holds something more, e.g. what follows them.

    Attributes:
        name: The dataset's name.
        split: ``train``, ``validation``, ``test`` or ``all``.
        is_sample: Whether the tasks are this project's own sample.
        tasks: The tasks.
    """

    name: str
    split: str
    is_sample: bool = False
    tasks: TaskSet

    @property
    def size(self) -> int:
        """Number of tasks."""
        return self.tasks.size

    @property
    def fingerprint(self) -> str:
        """64 hexadecimal digits that change with any task, the split or an option."""
        return self.tasks.fingerprint

    def __len__(self) -> int:
        """Return the number of tasks."""
        return len(self.tasks)

    def __getitem__(self, index: int) -> Task:
        """Return the task at ``index``.

        Raises:
            UnknownTask: There is none.
        """
        return self.tasks[index]

    def index_of(self, task_id: str) -> int:
        """Return the index of the task with this id.

        Raises:
            UnknownTask: There is none; names the nearest id.
        """
        return self.tasks.index_of(task_id)

    def draw(self, rng: np.random.Generator) -> int:
        """Return the index of a task drawn uniformly with ``rng``."""
        return self.tasks.draw(rng)


def fingerprint_of(
    tasks: Iterator[Task] | tuple[Task, ...],
    name: str,
    split: str,
    options: Mapping[str, Any],
) -> str:
    """Return the SHA-256, in hexadecimal, of a set of tasks and how it was loaded.

    Everything a model sees or is scored by enters, in order; key order in tool documentation
    counts, since it shows in the prompt.
    """
    digest = hashlib.sha256()
    digest.update(_encode([name, split, dict(sorted(options.items()))]))
    for task in tasks:
        digest.update(_encode(_task_content(task)))
    return digest.hexdigest()


def _encode(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), default=str).encode("ascii") + b"\n"


def _task_content(task: Task) -> list[Any]:
    tools = [_tool_content(tool) for tool in task.tools]
    messages = [_message_content(message) for message in task.messages]
    head = [task.id, task.source, task.category, task.difficulty, task.system, task.user]
    return [*head, tools, messages, task.gold.text]


def _tool_content(tool: ToolSpec) -> list[Any]:
    return [tool.name, tool.description, tool.parameters, tool.documented]


def _message_content(message: Message) -> list[Any]:
    calls = [[call.name, call.arguments] for call in message.tool_calls]
    return [message.role, message.content, message.thought, calls, message.name]

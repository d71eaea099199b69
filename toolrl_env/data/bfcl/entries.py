"""What both BFCL sources share: a finite set of tasks beside the official entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolrl_env.core.types import Task
from toolrl_env.data.source import TaskSet

if TYPE_CHECKING:
    import numpy as np

__all__ = ["OfficialTasks"]


class OfficialTasks:
    """A ``TaskSource`` over tasks that a subclass made from the official entries.

    Attributes:
        split: ``train``, ``validation``, ``test`` or ``all``.
        tasks: The tasks.
    """

    is_sample = False
    split: str
    tasks: TaskSet

    @property
    def size(self) -> int:
        """Number of tasks."""
        return self.tasks.size

    @property
    def fingerprint(self) -> str:
        """64 hexadecimal digits that change with any official entry, the split or the category."""
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

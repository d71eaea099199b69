"""The paper's training mixture: ToolACE, Hammer and xLAM tasks as 2 : 1 : 1."""

from __future__ import annotations

import hashlib

from toolrl_env.core.errors import DataError
from toolrl_env.core.types import Task
from toolrl_env.data.source import TaskSet

__all__ = ["mix"]


def mix(toolace: TaskSet, hammer: TaskSet, xlam: TaskSet, split: str) -> TaskSet:
    """Return the largest 2 : 1 : 1 mixture of the three, which must be of the same ``split``.

    Tasks keep their source and id; they alternate (two, one, one), so every stretch is balanced.
    Which tasks of each part are taken, and their order, follows a hash of their ids.

    Raises:
        DataError: There are too few tasks for one round.
    """
    rounds = min(len(toolace) // 2, len(hammer), len(xlam))
    if rounds == 0:
        raise DataError(f"rlla: split {split!r} is too small for a mixture of 2 : 1 : 1")
    first, second, third = _mixed(toolace), _mixed(hammer), _mixed(xlam)
    tasks: list[Task] = []
    for index in range(rounds):
        tasks += [*first[2 * index : 2 * index + 2], second[index], third[index]]
    parts = (toolace, hammer, xlam)
    return TaskSet(
        name="rlla",
        split=split,
        tasks=tuple(tasks),
        refused=tuple(row for part in parts for row in part.refused),
        is_sample=any(part.is_sample for part in parts),
        licence=" AND ".join(dict.fromkeys(part.licence for part in parts)),
        options={part.name: dict(part.options) for part in parts},
    )


def _mixed(part: TaskSet) -> list[Task]:
    return sorted(part, key=lambda task: hashlib.sha256(task.id.encode()).digest())

"""The paper's training mixture: ToolACE, Hammer and xLAM tasks as 2 : 1 : 1."""

from __future__ import annotations

from toolrl_env.core.errors import DataError
from toolrl_env.core.types import Task
from toolrl_env.data.source import TaskSet

__all__ = ["mix"]


def mix(toolace: TaskSet, hammer: TaskSet, xlam: TaskSet, split: str) -> TaskSet:
    """Return the largest 2 : 1 : 1 mixture of the three, which must be of the same ``split``.

    Tasks keep their source and id; they alternate (two, one, one), so every stretch is balanced.

    Raises:
        DataError: There are too few tasks for one round.
    """
    rounds = min(len(toolace) // 2, len(hammer), len(xlam))
    if rounds == 0:
        raise DataError(f"rlla: split {split!r} is too small for a mixture of 2 : 1 : 1")
    tasks: list[Task] = []
    for index in range(rounds):
        tasks += [toolace[2 * index], toolace[2 * index + 1], hammer[index], xlam[index]]
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

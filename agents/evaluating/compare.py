"""Comparing two results, task by task."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agents.evaluating.results import Results, TaskResult
from agents.statistics import Interval, bootstrap_difference, paired_test
from toolrl_env.core.errors import ConfigurationError

__all__ = ["Change", "Comparison", "compare"]


@dataclass(frozen=True, slots=True)
class Change:
    """How one measure changed on the same tasks.

    Attributes:
        before: Mean in the first results.
        after: Mean in the second.
        difference: ``after - before``, with its 95 % interval (paired bootstrap over tasks).
        p_value: Of the paired sign-flip test.
        tasks: How many tasks.
    """

    before: float
    after: float
    difference: Interval
    p_value: float
    tasks: int


@dataclass(frozen=True)
class Comparison:
    """Two results on the tasks that they share.

    Attributes:
        reward: Change of the mean reward.
        success: Change of the share of solved attempts.
        categories: For each category, the same two under ``reward`` and ``success``.
        gained: Tasks that were solved in less than half of the attempts before, and in at least
            half after.
        lost: The reverse.
        only_before: Tasks that only the first results have.
        only_after: Tasks that only the second results have.
        settings: Settings that differ: the value before and after.
    """

    reward: Change
    success: Change
    categories: Mapping[str, Mapping[str, Change]]
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    only_before: tuple[str, ...]
    only_after: tuple[str, ...]
    settings: Mapping[str, tuple[Any, Any]]


def compare(before: Results, after: Results) -> Comparison:
    """Compare two results on the tasks that both have.

    Raises:
        ConfigurationError: The tasks are of different sets, or none is in both.
    """
    for name in ("env_id", "fingerprint"):
        pair = [results.settings.as_json()[name] for results in (before, after)]
        if pair[0] != pair[1]:
            raise ConfigurationError(
                f"the results are of different tasks and do not compare: {name} is {pair[0]!r} "
                f"in the first and {pair[1]!r} in the second"
            )
    first = {task.task_id: task for task in before.tasks}
    second = {task.task_id: task for task in after.tasks}
    both = [(task, second[name]) for name, task in first.items() if name in second]
    if not both:
        raise ConfigurationError("the results share no finished task: choose the same --seed")
    categories: dict[str, list[tuple[TaskResult, TaskResult]]] = defaultdict(list)
    for pair in both:
        categories[pair[0].category].append(pair)
    return Comparison(
        reward=_change(both, _reward),
        success=_change(both, _success),
        categories={
            name: {"reward": _change(pairs, _reward), "success": _change(pairs, _success)}
            for name, pairs in sorted(categories.items())
        },
        gained=tuple(a.task_id for a, b in both if a.success < 0.5 <= b.success),
        lost=tuple(a.task_id for a, b in both if b.success < 0.5 <= a.success),
        only_before=tuple(name for name in first if name not in second),
        only_after=tuple(name for name in second if name not in first),
        settings=before.settings.differences(after.settings),
    )


def _change(
    pairs: Sequence[tuple[TaskResult, TaskResult]], measure: Callable[[TaskResult], float]
) -> Change:
    first = [measure(a) for a, _ in pairs]
    second = [measure(b) for _, b in pairs]
    return Change(
        before=sum(first) / len(first),
        after=sum(second) / len(second),
        difference=bootstrap_difference(first, second),
        p_value=paired_test(first, second),
        tasks=len(pairs),
    )


def _reward(task: TaskResult) -> float:
    return task.reward


def _success(task: TaskResult) -> float:
    return task.success

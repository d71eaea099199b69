"""Results: what the attempts of an evaluation add up to, as one JSON file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agents.evaluating.log import Attempt, Failure, read_object
from agents.evaluating.settings import Settings
from agents.files import write_json_atomically
from agents.statistics import Interval, bootstrap_mean, pass_at_k, pass_hat_k
from toolrl_env.core.errors import DataError

__all__ = ["Results", "TaskResult", "add_up", "read_results", "write_results"]

VERSION = 1


@dataclass(frozen=True, slots=True)
class TaskResult:
    """The finished attempts at one task.

    Attributes:
        task_id: Id of the task.
        task_index: Its index.
        category: Its category; may be empty.
        rewards: One for each attempt.
        successes: Whether each solved the task.
        turns: Answers given in each.
    """

    task_id: str
    task_index: int
    category: str
    rewards: tuple[float, ...]
    successes: tuple[bool, ...]
    turns: tuple[int, ...]

    @property
    def reward(self) -> float:
        """Mean over the attempts."""
        return sum(self.rewards) / len(self.rewards)

    @property
    def success(self) -> float:
        """Share of the attempts that solved the task."""
        return sum(self.successes) / len(self.successes)


@dataclass(frozen=True)
class Results:
    """What an evaluation found. Intervals are 95 % bootstrap intervals over tasks.

    Attributes:
        settings: What it depends on.
        k: Largest k of pass@k and pass^k.
        summary: ``reward``, ``success``, ``turns``, ``pass@1`` … and ``pass^1`` …; pass@k and
            pass^k over the tasks with at least k finished attempts. Empty if nothing is done.
        components: Each reward term.
        categories: For each category, ``reward`` and ``success``.
        tasks: Every task with a finished attempt, in order.
        failures: Attempts that failed. They have no reward and are in no mean.
        stopped: Why the run stopped early; empty if it did not.
    """

    settings: Settings
    k: int
    summary: Mapping[str, Interval]
    components: Mapping[str, Interval]
    categories: Mapping[str, Mapping[str, Interval]]
    tasks: tuple[TaskResult, ...]
    failures: tuple[Failure, ...] = ()
    stopped: str = ""

    @property
    def planned(self) -> int:
        """Attempts planned."""
        return len(self.settings.tasks) * self.settings.attempts

    @property
    def done(self) -> int:
        """Attempts finished."""
        return sum(len(task.rewards) for task in self.tasks)

    @property
    def complete(self) -> bool:
        """Whether every attempt is finished."""
        return self.done == self.planned


def add_up(
    settings: Settings,
    attempts: Mapping[tuple[int, int], Attempt],
    k: int,
    failures: Sequence[Failure] = (),
    stopped: str = "",
) -> Results:
    """Return what finished attempts add up to.

    Args:
        settings: Of the evaluation.
        attempts: The finished attempts, by task index and number.
        k: Largest k of pass@k and pass^k, at most ``settings.attempts``.
        failures: Attempts that failed.
        stopped: Why the run stopped early.
    """
    by_task: dict[int, list[Attempt]] = defaultdict(list)
    for index in settings.tasks:
        for number in range(settings.attempts):
            if (index, number) in attempts:
                by_task[index].append(attempts[index, number])
    tasks = tuple(_task(found) for found in by_task.values())
    categories: dict[str, list[TaskResult]] = defaultdict(list)
    for task in tasks:
        categories[task.category].append(task)
    return Results(
        settings=settings,
        k=k,
        summary=_summary(tasks, k) if tasks else {},
        components=_components(list(by_task.values())),
        categories={
            name: {
                "reward": bootstrap_mean([task.reward for task in found]),
                "success": bootstrap_mean([task.success for task in found]),
            }
            for name, found in sorted(categories.items())
        },
        tasks=tasks,
        failures=tuple(failures),
        stopped=stopped,
    )


def _task(attempts: Sequence[Attempt]) -> TaskResult:
    return TaskResult(
        task_id=attempts[0].task_id,
        task_index=attempts[0].task_index,
        category=attempts[0].category,
        rewards=tuple(attempt.reward for attempt in attempts),
        successes=tuple(attempt.is_success for attempt in attempts),
        turns=tuple(attempt.turns for attempt in attempts),
    )


def _summary(tasks: Sequence[TaskResult], k: int) -> dict[str, Interval]:
    summary = {
        "reward": bootstrap_mean([task.reward for task in tasks]),
        "success": bootstrap_mean([task.success for task in tasks]),
        "turns": bootstrap_mean([sum(task.turns) / len(task.turns) for task in tasks]),
    }
    estimators: dict[str, Callable[[int, int, int], float]] = {"@": pass_at_k, "^": pass_hat_k}
    for sign, estimate in estimators.items():
        for size in range(1, k + 1):
            enough = [task.successes for task in tasks if len(task.successes) >= size]
            if enough:
                values = [estimate(len(each), sum(each), size) for each in enough]
                summary[f"pass{sign}{size}"] = bootstrap_mean(values)
    return summary


def _components(groups: Sequence[Sequence[Attempt]]) -> dict[str, Interval]:
    names = dict.fromkeys(name for group in groups for each in group for name in each.components)
    means: dict[str, Interval] = {}
    for name in names:
        if name == "total":
            continue
        found = [[e.components[name] for e in group if name in e.components] for group in groups]
        means[name] = bootstrap_mean([sum(each) / len(each) for each in found if each])
    return means


def write_results(path: Path, results: Results) -> None:
    """Write the results as one JSON file, whole or not at all."""
    fields = asdict(results)
    fields["settings"] = results.settings.as_json()
    counts = {"planned": results.planned, "done": results.done, "complete": results.complete}
    write_json_atomically(path, {"version": VERSION, **counts, **fields})


def read_results(path: Path) -> Results:
    """Return what ``write_results`` wrote.

    Raises:
        DataError: The file cannot be read or holds no results.
    """
    fields = read_object(path)
    if fields.get("version") != VERSION:
        raise DataError(f"{path}: version is {fields.get('version')!r}; this reads {VERSION}")
    try:
        return _results(fields, path)
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path}: no results of an evaluation: {error!r}") from error


def _results(fields: Mapping[str, Any], path: Path) -> Results:
    return Results(
        settings=Settings.from_json(fields["settings"], path),
        k=fields["k"],
        summary=_intervals(fields["summary"]),
        components=_intervals(fields["components"]),
        categories={name: _intervals(each) for name, each in fields["categories"].items()},
        tasks=tuple(
            TaskResult(**{n: tuple(v) if isinstance(v, list) else v for n, v in task.items()})
            for task in fields["tasks"]
        ),
        failures=tuple(Failure(**failure) for failure in fields["failures"]),
        stopped=fields["stopped"],
    )


def _intervals(fields: Mapping[str, Any]) -> dict[str, Interval]:
    return {name: Interval(**interval) for name, interval in fields.items()}

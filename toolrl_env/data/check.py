"""``check_file``: which rows of a file are broken, and which gold answers do not validate."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from toolrl_env.core.types import ActionError, ParsedCall, Task
from toolrl_env.data.dataset import Dataset, as_object
from toolrl_env.data.files import read_rows
from toolrl_env.data.load import find_dataset, tasks_of
from toolrl_env.data.source import RefusedRow
from toolrl_env.data.split import split_of
from toolrl_env.rewards import score_response
from toolrl_env.tools import CallValidator

__all__ = [
    "CheckReport",
    "InvalidGold",
    "ShortGold",
    "check_file",
    "gold_errors",
    "gold_shortfall",
]


@dataclass(frozen=True, slots=True)
class InvalidGold:
    """A gold answer that does not fit the schemas of the tools it calls.

    Attributes:
        task_id: The task.
        errors: What does not fit.
    """

    task_id: str
    errors: tuple[ActionError, ...]


@dataclass(frozen=True, slots=True)
class ShortGold:
    """A gold answer that does not itself earn the highest reward of the default preset.

    Attributes:
        task_id: The task.
        reason: What it loses points for.
    """

    task_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What is in a dataset file.

    Attributes:
        path: The file.
        dataset: The dataset it was read as.
        rows: Number of rows.
        tasks: Number of tasks they make.
        refused: The rows that make none, with reasons.
        invalid_gold: Gold answers that do not validate against their own tools' schemas. They load
            all the same: real datasets have many.
        short_gold: Gold answers that do not earn the highest reward.
        categories: Number of tasks by category.
        splits: Number of tasks by split.
    """

    path: str
    dataset: str
    rows: int
    tasks: int
    refused: tuple[RefusedRow, ...]
    invalid_gold: tuple[InvalidGold, ...]
    short_gold: tuple[ShortGold, ...]
    categories: Mapping[str, int]
    splits: Mapping[str, int]


def check_file(path: str | Path, dataset: str | Dataset, **options: Any) -> CheckReport:
    """Read a whole file as ``dataset`` and report on it.

    Args:
        path: A ``.json``, ``.jsonl``, ``.jsonl.gz`` or ``.parquet`` file.
        dataset: The dataset's name, or a ``Dataset``.
        options: The dataset's own options.

    Raises:
        DataError: The file cannot be read at all, or is empty.
        UnknownName: No such dataset.
    """
    found = find_dataset(dataset, options)
    rows = list(read_rows(Path(path)))
    outcomes = list(tasks_of(found, rows, found.prefix))
    tasks = [outcome for outcome in outcomes if isinstance(outcome, Task)]
    invalid = [InvalidGold(task.id, errors) for task in tasks if (errors := gold_errors(task))]
    short = [ShortGold(task.id, reason) for task in tasks if (reason := gold_shortfall(task))]
    return CheckReport(
        path=str(path),
        dataset=found.name,
        rows=len(rows),
        tasks=len(tasks),
        refused=tuple(outcome for outcome in outcomes if isinstance(outcome, RefusedRow)),
        invalid_gold=tuple(invalid),
        short_gold=tuple(short),
        categories=dict(Counter(task.category for task in tasks).most_common()),
        splits=dict(Counter(split_of(task.messages[0].content) for task in tasks).most_common()),
    )


def gold_errors(task: Task) -> tuple[ActionError, ...]:
    """Return what in the gold calls of ``task`` does not fit its own tools' schemas."""
    calls = [_parsed(value) for value in task.gold.values]
    results = CallValidator(task.tools).check(calls)
    return tuple(error for result in results for error in result.errors)


def gold_shortfall(task: Task) -> str:
    """Return why the gold answer does not earn the default preset's highest reward, if it does not.

    Returns:
        The reasons of the terms that fall short; empty if the answer earns everything.
    """
    breakdown = score_response(task.gold.text, task.gold.text)
    short = [term for term in breakdown.terms if term.score < term.high]
    return "; ".join(f"{term.name}: {term.reason}" for term in short)


def _parsed(value: Any) -> ParsedCall:
    fields = as_object(value)
    name, arguments = fields.get("name"), fields.get("parameters")
    return ParsedCall(
        raw=json.dumps(value),
        span=(0, 0),
        value=value,
        name=name if isinstance(name, str) else None,
        arguments=cast("dict[str, Any]", arguments) if isinstance(arguments, dict) else None,
    )

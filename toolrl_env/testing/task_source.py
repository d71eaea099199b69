"""``check_dataset``: the promises of a task source."""

from __future__ import annotations

import pickle
from dataclasses import dataclass

import numpy as np

from toolrl_env.core.errors import ContractViolation, ToolRLError, UnknownTask
from toolrl_env.core.types import Task
from toolrl_env.data import InvalidGold, TaskSource, gold_errors
from toolrl_env.rewards import RewardConfig, score_response
from toolrl_env.testing.requirement import must_raise, require, schema_error

__all__ = ["DatasetReport", "check_dataset"]

_ENDLESS = 500


@dataclass(frozen=True, slots=True)
class DatasetReport:
    """What was checked.

    Attributes:
        tasks: Number of tasks looked at.
        invalid_gold: Gold answers that break their own tools' schemas. No violation, since many
            real rows do, but worth a look in a dataset of your own making.
    """

    tasks: int
    invalid_gold: tuple[InvalidGold, ...]


def check_dataset(source: TaskSource, *, limit: int | None = None) -> DatasetReport:
    """Check that a task source keeps every promise.

    Ids are unique and find their index again; unknown ones raise ``UnknownTask``; drawing obeys
    the generator; the fingerprint is 64 hexadecimal digits; pickling changes nothing; every task
    asks something, offers tools with valid JSON Schemas, and has a gold answer that earns the
    maximum of the paper's reward.

    Args:
        source: A ``TaskSet`` or anything that does what ``TaskSource`` says.
        limit: Look at this many tasks at most; ``None`` means all, of an endless source 500.

    Raises:
        ContractViolation: A promise is not kept; names the task.
    """
    subject = f"{source.name}/{source.split}"
    endless = source.size is None
    count = _ENDLESS if source.size is None else source.size
    tasks = [source[index] for index in range(count if limit is None else min(count, limit))]
    require(bool(tasks), subject, "there must be a task")
    _check_identity(subject, source, tasks)
    _check_drawing(subject, source)
    with must_raise(UnknownTask, subject, "index -1"):
        source[-1]
    if not endless:
        with must_raise(UnknownTask, subject, f"index {count}, the size,"):
            source[count]
    with must_raise(UnknownTask, subject, "the id 'no such task'"):
        source.index_of("no such task")
    for task in tasks:
        _check_task(f"{subject}, task {task.id!r}", task)
    checked = ((task.id, gold_errors(task)) for task in tasks)
    invalid = tuple(InvalidGold(task_id, errors) for task_id, errors in checked if errors)
    return DatasetReport(len(tasks), invalid)


def _check_identity(subject: str, source: TaskSource, tasks: list[Task]) -> None:
    for index, task in enumerate(tasks):
        found = source.index_of(task.id)
        require(found == index, subject, f"index_of({task.id!r}) is {found}, not {index}")
        require(source[index] == task, subject, f"task {index} is another the second time")
    digits = source.fingerprint
    hexadecimal = len(digits) == 64 and set(digits) <= set("0123456789abcdef")
    require(hexadecimal, subject, f"the fingerprint must be 64 hexadecimal digits: {digits!r}")
    twin: TaskSource = pickle.loads(pickle.dumps(source))
    same = twin.fingerprint == digits and twin[0] == tasks[0]
    require(same, subject, "pickling must change nothing")


def _check_drawing(subject: str, source: TaskSource) -> None:
    rng, again = np.random.default_rng(0), np.random.default_rng(0)
    drawn = [source.draw(rng) for _ in range(20)]
    require(drawn == [source.draw(again) for _ in range(20)], subject, "draw must obey its rng")
    outside = [index for index in drawn if index < 0 or index >= (source.size or float("inf"))]
    require(not outside, subject, f"draw returned {outside[:1]}, which is no index")
    if source.size is None or source.size > 3:
        require(len(set(drawn)) > 1, subject, "draw always returns the same index")


def _check_task(subject: str, task: Task) -> None:
    asked = bool(task.messages) and task.messages[-1].role in ("user", "tool")
    require(asked, subject, "the messages must end with what the model has to answer")
    require((task.system is None) == (task.user is None), subject, "system and user go together")
    for tool in task.tools:
        wrong = schema_error(tool.parameters)
        require(wrong is None, subject, f"tool {tool.name!r}: {wrong}")
    names = [tool.name for tool in task.tools]
    require(len(set(names)) == len(names), subject, f"two tools share a name: {names}")
    _check_gold(subject, task)


def _check_gold(subject: str, task: Task) -> None:
    try:
        breakdown = score_response(task.gold.text, task.gold.text)
    except ToolRLError as error:
        raise ContractViolation(f"{subject}: the gold answer is broken: {error}") from error
    _, high = RewardConfig().bounds(task.gold)
    reasons = "; ".join(term.reason for term in breakdown.terms if term.reason)
    best = breakdown.total == high
    require(best, subject, f"the gold answer earns {breakdown.total} of {high}: {reasons}")

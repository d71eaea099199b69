"""``DialogueSource``: recorded conversations as tasks that can be played turn by turn."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from toolrl_env.core.errors import ConfigurationError, DataError, UnknownName
from toolrl_env.core.types import Task, ToolCall
from toolrl_env.data.api_bank import APIBank
from toolrl_env.data.dataset import Dataset
from toolrl_env.data.dialogue.cut import Dialogue, cut_dialogue
from toolrl_env.data.dialogue.session import CONTINUATIONS, DialogueSession
from toolrl_env.data.dialogue.whole import find_beginnings
from toolrl_env.data.load import DATASETS, load_tasks
from toolrl_env.data.rlla import RLLA
from toolrl_env.data.source import FiniteSource, TaskSet
from toolrl_env.data.toolace import ToolACEConversations
from toolrl_env.tools import CallValidator

__all__ = ["RECORDED", "DialogueSource", "load_dialogues"]

RECORDED: dict[str, type[Dataset]] = {
    "toolace": ToolACEConversations,
    "rlla": RLLA,
    "api_bank": APIBank,
}
"""The datasets that hold dialogues, each in the form in which a row is a whole conversation."""


def load_dialogues(
    dataset: str | Dataset,
    data: str | Path | None = None,
    split: str = "train",
    continuation: str = "teacher_forced",
    **options: Any,
) -> DialogueSource:
    """Load the dialogues of a dataset.

    Args:
        dataset: ``"toolace"``, ``"rlla"``, ``"api_bank"``, or a ``Dataset`` of your own whose rows
            are whole conversations: the history as messages, the last answer as gold.
        data: As for ``load_tasks``. ``None`` reads our sample in the dataset's own raw format; for
            ``rlla`` that of the paper's files, never the mixture.
        split: As for ``load_tasks``.
        continuation: ``"teacher_forced"`` or ``"free_running"``.
        options: As for ``load_tasks``.

    Returns:
        The dialogues, in file order; the same object for the same arguments while the last eight
        are remembered.

    Raises:
        ConfigurationError: A value is not allowed, or the dataset's rows are single steps.
        DataError: The data cannot be used, or the split holds no dialogue of two steps or more.
    """
    _check_continuation(continuation)
    found: str | Dataset = dataset
    if isinstance(dataset, str) and dataset in DATASETS:
        if dataset not in RECORDED:
            raise ConfigurationError(
                f"{dataset} has no dialogues to replay: each of its rows is one request and one "
                f"answer; datasets with dialogues: {', '.join(RECORDED)}"
            )
        if dataset == "rlla" and options.setdefault("mixture", False):
            raise ConfigurationError(
                "mixture=True mixes single steps; the dialogues of its parts are those of 'toolace'"
            )
        own = {key: options.pop(key) for key in list(options) if key not in _LOADING}
        found = RECORDED[dataset].with_options(own)
    return _source(_Same(load_tasks(found, data, split, **options)), continuation)


_LOADING = ("on_bad_row", "revision")


def _check_continuation(continuation: str) -> None:
    if continuation not in CONTINUATIONS:
        raise UnknownName("continuation", continuation, CONTINUATIONS)


class _Same:
    """A task set as a key: equal to itself alone. ``load_tasks`` returns the same one again."""

    def __init__(self, whole: TaskSet) -> None:
        self.whole = whole

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.whole is self.whole

    def __hash__(self) -> int:
        return id(self.whole)


@lru_cache(maxsize=8)
def _source(key: _Same, continuation: str) -> DialogueSource:
    return DialogueSource(key.whole, continuation)


class DialogueSource(FiniteSource):
    """A ``SessionSource`` over the tasks of at least two steps; one task is one dialogue.

    A task shows what its dialogue shows before the assistant's first step, with that step's gold.

    Args:
        whole: Tasks with the whole history as messages and the last answer as gold.
        continuation: ``"teacher_forced"`` or ``"free_running"``; see ``DialogueSession``.

    Attributes:
        continuation: How a dialogue goes on after an answer.
        tasks: The tasks.
        left_out: The tasks of ``whole`` that are none here, by id, and why.

    Raises:
        UnknownName: No such continuation.
        DataError: No task has two steps or more.
    """

    def __init__(self, whole: TaskSet, continuation: str = "teacher_forced") -> None:
        _check_continuation(continuation)
        self.name, self.split, self.is_sample = whole.name, whole.split, whole.is_sample
        self.continuation = continuation
        self.left_out: dict[str, str] = {}
        self._dialogues: dict[str, Dialogue] = {}
        beginnings = find_beginnings(whole)
        for task in whole:
            if task.id in beginnings:
                self.left_out[task.id] = f"it is the beginning of {beginnings[task.id]}"
                continue
            self._add(task)
        if not self._dialogues:
            raise DataError(
                f"{whole.name}: split {whole.split!r} has no dialogue of two steps or more among "
                f"its {len(whole)} tasks"
            )
        digest = hashlib.sha256(f"{whole.fingerprint} {continuation}".encode())
        self._fingerprint = digest.hexdigest()
        self.tasks = TaskSet(
            name=whole.name,
            split=whole.split,
            tasks=tuple(dialogue.task for dialogue in self._dialogues.values()),
            refused=whole.refused,
            is_sample=whole.is_sample,
            licence=whole.licence,
            options={**whole.options, "mode": "multi_turn", "continuation": continuation},
        )

    def _add(self, task: Task) -> None:
        try:
            dialogue = cut_dialogue(task)
        except DataError as error:
            self.left_out[task.id] = str(error)
            return
        if len(dialogue.steps) > 1:
            self._dialogues[task.id] = dialogue
        else:
            self.left_out[task.id] = "it has one step: nothing follows its answer"

    @property
    def fingerprint(self) -> str:
        """64 hexadecimal digits that change with any row, the split, an option or continuation."""
        return self._fingerprint

    def dialogue(self, task: Task) -> Dialogue:
        """Return a task's recorded conversation.

        Raises:
            UnknownTask: The task is not of this source.
        """
        self.index_of(task.id)
        return self._dialogues[task.id]

    def open(self, task: Task) -> DialogueSession:
        """Return a fresh replay.

        Raises:
            UnknownTask: The task is not of this source.
        """
        dialogue = self.dialogue(task)
        return DialogueSession(dialogue, self.continuation, CallValidator(dialogue.task.tools))

    def gold_turns(self, task: Task) -> tuple[tuple[ToolCall, ...] | str, ...]:
        """Return, for each step, its recorded calls or, without calls, its words.

        Raises:
            UnknownTask: The task is not of this source.
        """
        return tuple(step.calls or step.response or "" for step in self.dialogue(task).steps)

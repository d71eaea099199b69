"""From a task to what an environment shows: done once per task, shared by every episode of it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from toolrl_env.core.errors import DataError
from toolrl_env.core.frozen import FrozenList
from toolrl_env.core.types import Task, ToolSpec
from toolrl_env.data.source import TaskSource
from toolrl_env.prompts import Prompter
from toolrl_env.tools import CallValidator

__all__ = ["PreparedTask", "TaskPreparer"]

_CACHED_TASKS = 4096


@dataclass(frozen=True, slots=True)
class PreparedTask:
    """A task with its prompt rendered and its validators built. Immutable, so it is shared.

    Attributes:
        index: Index in the task source.
        task: The task.
        messages: Chat messages of the prompt.
        tools: OpenAI-style tool descriptions, frozen.
        observation: The prompt as text.
        validator: Checks calls against the tools' schemas.
        is_sample: Whether the task is one of the samples bundled with the package.
    """

    index: int
    task: Task
    messages: Sequence[dict[str, Any]]
    tools: FrozenList
    observation: str
    validator: CallValidator
    is_sample: bool

    def info(
        self, messages: Sequence[dict[str, Any]] | None = None, tools: FrozenList | None = None
    ) -> dict[str, Any]:
        """Return ``info`` for this task, with fresh messages that a caller may extend.

        Args:
            messages: The conversation so far, if it has grown since the prompt.
            tools: The tools on offer now, if others than at the start.
        """
        task = self.task
        said = self.messages if messages is None else messages
        return {
            "messages": [dict(message) for message in said],
            "tools": list(self.tools if tools is None else tools),
            "task_id": task.id,
            "task_index": self.index,
            "source": task.source,
            "category": task.category,
            "is_sample": self.is_sample,
        }


class TaskPreparer:
    """Prepares tasks by index and remembers the 4096 used last. Threads may share one.

    Args:
        tasks: Where the tasks come from.
        prompter: Renders them.
        max_prompt: Longest prompt, in characters.
    """

    def __init__(self, tasks: TaskSource, prompter: Prompter, max_prompt: int) -> None:
        self._tasks = tasks
        self._prompter = prompter
        self._max_prompt = max_prompt
        self._remembered = functools.lru_cache(maxsize=_CACHED_TASKS)(self._build)

    def __reduce__(self) -> tuple[type[TaskPreparer], tuple[TaskSource, Prompter, int]]:
        """Pickle by the arguments: what is remembered stays behind."""
        return type(self), (self._tasks, self._prompter, self._max_prompt)

    def __call__(self, index: int) -> PreparedTask:
        """Return the prepared task.

        Raises:
            DataError: The prompt is longer than an observation may be.
        """
        return self._remembered(index)

    def text_after(
        self, text: str, messages: Sequence[dict[str, Any]], added: int, tools: FrozenList
    ) -> str:
        """Return the text of a conversation that has grown; see ``Prompter.text_after``."""
        return self._prompter.text_after(text, messages, added, tools)

    def offer(self, tools: Sequence[ToolSpec]) -> FrozenList:
        """Return tools as a model may be shown them; see ``Prompter.offer``."""
        return self._prompter.offer(tools)

    def _build(self, index: int) -> PreparedTask:
        task = self._tasks[index]
        messages = self._prompter.messages(task)
        tools = self._prompter.offer(task.tools)
        observation = self._prompter.text(messages, tools)
        if len(observation) > self._max_prompt:
            raise DataError(
                f"task {task.id!r}: its prompt has {len(observation)} characters, "
                f"more than the {self._max_prompt} that leave room for an answer"
            )
        return PreparedTask(
            index=index,
            task=task,
            messages=messages,
            tools=tools,
            observation=observation,
            validator=CallValidator(task.tools),
            is_sample=self._tasks.is_sample,
        )

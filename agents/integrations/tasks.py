"""Tasks as plain rows, as other trainers keep their data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from agents.env_kwargs import make_env, parse_env_kwargs
from toolrl_env.core.checks import whole_number
from toolrl_env.core.errors import ConfigurationError
from toolrl_env.envs.base import ToolUseEnv

__all__ = ["COLUMNS", "TaskRef", "TaskRow", "task_rows"]

COLUMNS = ("env", "env_kwargs", "task_index")
"""Columns of a dataset that name a task."""


@dataclass(frozen=True, slots=True)
class TaskRef:
    """Which task of which environment, in plain values that any dataset file can hold.

    Attributes:
        env: Registered environment id.
        env_kwargs: Keyword arguments for ``gym.make``, as a JSON object with sorted keys: equal
            for equal arguments.
        index: The task's index.

    >>> TaskRef.of("ToolRL-Toolbox-v0", {"split": "test", "difficulty": 1}, 7).env_kwargs
    '{"difficulty": 1, "split": "test"}'
    """

    env: str
    env_kwargs: str
    index: int

    @classmethod
    def of(cls, env: str, env_kwargs: Mapping[str, Any], index: int) -> TaskRef:
        """Return the reference to a task.

        Raises:
            ConfigurationError: ``env_kwargs`` cannot be written as JSON, or ``index`` is no
                integer >= 0.
        """
        try:
            text = json.dumps(dict(env_kwargs), sort_keys=True, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ConfigurationError(
                f"env_kwargs={env_kwargs!r:.200} is not JSON: {error}"
            ) from error
        return cls(env, text, whole_number("task_index", index))

    @classmethod
    def parse(cls, row: Mapping[str, Any]) -> TaskRef:
        """Read a reference out of a row, whatever else is in it.

        Raises:
            ConfigurationError: A column is missing or holds something else.
        """
        for name in COLUMNS:
            if name not in row:
                raise ConfigurationError(
                    f"the row has no {name!r}; it needs {', '.join(COLUMNS)} and has "
                    f"{', '.join(sorted(map(str, row))) or 'nothing'}"
                )
        env, kwargs = row["env"], row["env_kwargs"]
        for name, value in (("env", env), ("env_kwargs", kwargs)):
            if not isinstance(value, str):
                raise ConfigurationError(f"{name}={value!r:.80}; allowed: a str")
        return cls.of(env, parse_env_kwargs(kwargs), row["task_index"])

    def as_dict(self) -> dict[str, Any]:
        """Return the columns ``env``, ``env_kwargs`` (JSON text) and ``task_index``."""
        return dict(zip(COLUMNS, (self.env, self.env_kwargs, self.index), strict=True))

    def kwargs(self) -> dict[str, Any]:
        """Return the keyword arguments for ``gym.make``."""
        return parse_env_kwargs(self.env_kwargs)


@dataclass(frozen=True, slots=True)
class TaskRow:
    """What a model sees of a task before its first answer. The gold answer is not in it.

    Attributes:
        ref: The task.
        task_id: Its id.
        source: The dataset's name.
        category: The task's category; empty if it has none.
        messages: The conversation, OpenAI-style.
        tools: The tools on offer, OpenAI-style.
    """

    ref: TaskRef
    task_id: str
    source: str
    category: str
    messages: tuple[dict[str, Any], ...]
    tools: tuple[dict[str, Any], ...]


def task_rows(
    env: str, env_kwargs: Mapping[str, Any], indices: Iterable[int]
) -> tuple[TaskRow, ...]:
    """Return tasks of an environment as rows.

    Args:
        env: Registered environment id.
        env_kwargs: Keyword arguments for ``gym.make``.
        indices: The tasks, e.g. ``range(1000)``.

    Raises:
        ConfigurationError: There is no such environment, argument or task, or ``indices`` is empty.
        InfrastructureError: A task's world cannot be opened.
    """
    if not isinstance(indices, Iterable):
        raise ConfigurationError(f"indices={indices!r:.80}; allowed: integers, such as range(100)")
    made = make_env(env, env_kwargs)
    rows = []
    try:
        if not isinstance(made.unwrapped, ToolUseEnv):
            raise ConfigurationError(f"{env} is a {type(made.unwrapped).__name__}: no tool use")
        for index in indices:
            ref = TaskRef.of(env, env_kwargs, index)
            _, info = made.reset(seed=0, options={"task_index": ref.index})
            messages, tools = tuple(info["messages"]), tuple(info["tools"])
            about = (info["task_id"], info["source"], info.get("category", ""))
            rows.append(TaskRow(ref, *about, messages, tools))
    finally:
        made.close()
    if not rows:
        raise ConfigurationError(f"indices={indices!r:.80} names no task of {env}")
    return tuple(rows)

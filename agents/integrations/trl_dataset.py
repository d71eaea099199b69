"""Tasks as the dataset that TRL trains on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from datasets import Dataset, Features, Json, List, Value
from transformers import PreTrainedTokenizerBase

from agents.integrations.tasks import TaskRef, TaskRow, task_rows
from agents.prompting import ChatEncoder
from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.frozen import thaw

__all__ = ["TASK", "messages_of", "rows_dataset", "task_of", "trl_dataset"]

TASK = "task"
"""Key of a prompt's first message that says which task it is; no template writes it."""


def trl_dataset(
    env: str,
    env_kwargs: Mapping[str, Any],
    indices: Iterable[int],
    tokenizer: PreTrainedTokenizerBase | None = None,
) -> Dataset:
    """Return tasks as rows of ``prompt``, ``env``, ``env_kwargs``, ``task_index`` and labels.

    ``prompt`` is a conversation. Its first message also has ``"task"``, the task's columns: TRL
    gives a ``rollout_func`` the prompts alone, and two tasks may begin with the same words.

    Args:
        env: Registered environment id.
        env_kwargs: Keyword arguments for ``gym.make``.
        indices: The tasks, e.g. ``range(1000)``.
        tokenizer: If given, ``prompt`` is the text that its template writes, tools included. The
            protocol ``"native"`` needs this with ``TaskReward``: TRL hands a template the
            trainer's tools alone, never those of a row.

    Raises:
        ConfigurationError: There is no such environment, argument or task, or TRL would not give
            the model the ids that the template writes.
        InfrastructureError: A task's world cannot be opened.
    """
    rows = task_rows(env, env_kwargs, indices)
    if tokenizer is None:
        return rows_dataset(rows)
    encoder = ChatEncoder(tokenizer, env_kwargs.get("protocol", "toolrl"))
    return rows_dataset(rows, [_text(encoder, row) for row in rows])


def rows_dataset(
    rows: Sequence[TaskRow], texts: Sequence[str] = (), environments: Sequence[str] = ()
) -> Dataset:
    """Return rows as a dataset.

    Args:
        rows: The tasks.
        texts: Prompts as text, in the place of conversations.
        environments: A column ``environment``, for several of TRL's ``environment_factory``.
    """
    labels = {"task_id": "string", "source": "string", "category": "string"}
    kinds = {"env": "string", "env_kwargs": "string", "task_index": "int64", **labels}
    features: dict[str, Any] = {name: Value(kind) for name, kind in kinds.items()}
    features["prompt"] = Value("string") if texts else List(Json())
    columns: dict[str, Any] = {name: [] for name in features}
    columns["prompt"] = list(texts) or [_prompt(row) for row in rows]
    for row in rows:
        about = {name: getattr(row, name) for name in labels} | row.ref.as_dict()
        for name, value in about.items():
            columns[name].append(value)
    if environments:
        features["environment"] = Value("string")
        columns["environment"] = list(environments)
    return Dataset.from_dict(columns, features=Features(features))


def task_of(prompt: Any) -> TaskRef:
    """Return the task of a prompt.

    Raises:
        ConfigurationError: The prompt is none of ``trl_dataset``'s conversations.
    """
    first = prompt[0] if isinstance(prompt, Sequence) and prompt else None
    if not isinstance(first, Mapping) or not isinstance(first.get(TASK), Mapping):
        raise ConfigurationError(
            f"prompt={prompt!r:.200} does not say of which task it is; make the dataset with "
            "trl_dataset, without a tokenizer"
        )
    return TaskRef.parse(first[TASK])


def messages_of(prompt: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the conversation of a prompt as the environment has it."""
    return [{key: value for key, value in each.items() if key != TASK} for each in prompt]


def _prompt(row: TaskRow) -> list[dict[str, Any]]:
    messages = thaw(row.messages)
    messages[0][TASK] = row.ref.as_dict()
    return messages


def _text(encoder: ChatEncoder, row: TaskRow) -> str:
    """Return a prompt as text that TRL, which tokenises it, makes the encoder's ids of."""
    wanted = encoder.prompt({"messages": row.messages, "tools": row.tools})
    text = encoder.render(row.messages, row.tools, answer_next=True)
    start = encoder.tokenizer.bos_token or ""
    for candidate in (text, text.removeprefix(start)):  # TRL's tokeniser may add the start itself
        if tuple(encoder.tokenizer(text=candidate)["input_ids"]) == wanted:
            return candidate
    raise ConfigurationError(
        f"the prompt of task {row.task_id!r} holds the text of a control token, which TRL would "
        "make one of; use rollout_func, which does not"
    )

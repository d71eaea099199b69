"""Which of a dataset's tasks are the beginning of a longer dialogue of the same dataset."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from toolrl_env.core.types import Message, Task
from toolrl_env.data.dataset import as_object

__all__ = ["find_beginnings"]


def find_beginnings(tasks: Iterable[Task]) -> dict[str, str]:
    """Return the ids of the tasks that another contains, each with the longest such other's id.

    A task is contained if another dialogue starts with the same messages and goes on with this
    task's gold answer: the same calls, or the same words. Its last user message may be missing
    there, because API-Bank's rows end with a request of their own that asks for the call. Thoughts
    do not count.
    """
    goes_on: dict[bytes, str] = {}
    ends: list[tuple[Task, list[bytes]]] = []
    for task in sorted(tasks, key=lambda task: len(task.messages), reverse=True):
        digests = _digests(task.messages)
        ends.append((task, digests[-2:] if task.messages[-1].role == "user" else digests[-1:]))
        for before, message in zip(digests, task.messages[1:], strict=False):
            if message.role == "assistant":
                goes_on.setdefault(before + _answer(_calls(message), message.content), task.id)
    found: dict[str, str] = {}
    for task, places in ends:
        answer = _answer(_gold_calls(task), _words(task))
        for place in places:
            if place + answer in goes_on:
                found[task.id] = goes_on[place + answer]
    return found


def _digests(messages: Iterable[Message]) -> list[bytes]:
    """Return, for each message, the SHA-256 of the dialogue up to and including it."""
    digest, found = hashlib.sha256(), list[bytes]()
    for message in messages:
        digest.update(_encode([message.role, message.content, _calls(message)]))
        found.append(digest.digest())
    return found


def _calls(message: Message) -> list[Any]:
    return [[call.name, call.arguments] for call in message.tool_calls]


def _gold_calls(task: Task) -> list[Any]:
    values = [as_object(value) for value in task.gold.values]
    return [[value.get("name"), value.get("parameters")] for value in values]


def _words(task: Task) -> str:
    return task.gold.text.rpartition("<response>")[2].partition("</response>")[0].strip()


def _answer(calls: list[Any], words: str) -> bytes:
    """Return what makes an answer: its calls if it has any, else its words."""
    return _encode(calls or words.strip())


def _encode(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True).encode("ascii") + b"\n"

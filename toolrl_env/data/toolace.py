"""ToolACE (``Team-ACE/ToolACE``): dialogues over many APIs, one task per assistant turn.

Raw row: ``system``, whose text holds the functions as a JSON list, and ``conversations``, a list of
``{"from": "user" | "assistant" | "tool", "value": …}``; calls are written ``[f(a=1), g()]``.
Licence Apache-2.0.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, cast

from toolrl_env.core.errors import DataError
from toolrl_env.core.frozen import freeze
from toolrl_env.core.types import Message, ParseStatus, Task, ToolCall, ToolSpec
from toolrl_env.data.dataset import Dataset, Row, as_object, text_of
from toolrl_env.data.gold import category_of, make_gold, thought_for
from toolrl_env.parsing import get_protocol
from toolrl_env.prompts.specs import documented_tool

__all__ = ["ToolACE", "ToolACEConversations", "read_functions"]

_LIST_OF_OBJECTS = re.compile(r"\[\s*+\{")
_CANDIDATES = 64
"""Places of a system text that are looked at; so hostile rows cost no more than long ones."""
_ROLES = ("user", "assistant", "tool")


@dataclass(frozen=True)
class ToolACE(Dataset):
    """One task per assistant turn, with everything before it as the dialogue so far.

    The turns have no thoughts; a short neutral one of ours stands in (``toolrl_env.data.gold``).
    The row's system text asks for the ``python`` protocol, so it is not kept as the task's own.
    """

    name: ClassVar[str] = "toolace"
    columns: ClassVar[tuple[str, ...]] = ("system", "conversations")
    licence: ClassVar[str] = "Apache-2.0"
    hub: ClassVar[str | None] = "Team-ACE/ToolACE"
    samples: ClassVar[tuple[str, ...]] = ("toolace.jsonl.gz",)

    def tasks(self, row: Row, task_id: str) -> Sequence[Task]:
        """Return the row's tasks; the second assistant turn's id ends in ``-step2``, and so on.

        Raises:
            DataError: There is no turn of the assistant, or one that cannot be read.
        """
        tools = read_functions(text_of(row, "system"))
        history: list[Message] = []
        found: list[Task] = []
        for number, (role, text) in enumerate(_turns(row["conversations"])):
            if role == "assistant" and history:
                step = "" if not found else f"-step{len(found) + 1}"
                answer, task = self._step(task_id + step, tools, history, text, number)
                history.append(answer)
                found.append(task)
            elif role == "assistant":
                raise DataError("the conversation begins with the assistant")
            else:
                history.append(Message("user" if role == "user" else "tool", text))
        if not found:
            raise DataError("the conversation has no assistant turn")
        return found

    def _step(
        self,
        task_id: str,
        tools: tuple[ToolSpec, ...],
        history: list[Message],
        text: str,
        turn: int,
    ) -> tuple[Message, Task]:
        calls, response = _read_answer(text, turn)
        thought = thought_for(len(calls), after_tool=history[-1].role == "tool")
        task = Task(
            id=task_id,
            source=self.name,
            tools=tools,
            messages=tuple(history),
            gold=make_gold(calls, response, thought),
            category=category_of(len(calls)),
        )
        return Message("assistant", response or "", thought, calls), task


@dataclass(frozen=True)
class ToolACEConversations(ToolACE):
    """One task per conversation: its last assistant turn, with everything before it."""

    def tasks(self, row: Row, task_id: str) -> Sequence[Task]:
        """Return the row's one task, under the id of its first step.

        Raises:
            DataError: As for ``ToolACE``.
        """
        *_, last = ToolACE.tasks(self, row, task_id)
        return (replace(last, id=task_id),)


def _turns(conversations: object) -> list[tuple[str, str]]:
    if not isinstance(conversations, list | tuple):
        raise DataError(f"conversations is not a list but {type(conversations).__name__}")
    turns: list[tuple[str, str]] = []
    for number, turn in enumerate(cast("Sequence[Any]", conversations)):
        fields = as_object(turn)
        role, value = fields.get("from"), fields.get("value")
        if role not in _ROLES or not isinstance(value, str):
            raise DataError(
                f"turn {number} needs a 'from' of {', '.join(_ROLES)} and a 'value' that is text: "
                f"{str(turn)[:80]}"
            )
        turns.append((role, value))
    return turns


def _read_answer(text: str, turn: int) -> tuple[tuple[ToolCall, ...], str | None]:
    """Return the calls and the reply of an assistant turn; one of them is empty."""
    action = get_protocol("python").parse(text)
    if action.status is ParseStatus.NO_CALLS and action.response is not None:
        return (), action.response
    if action.status is not ParseStatus.CALLS:
        reason = action.issues[0].message if action.issues else action.status.value
        raise DataError(f"turn {turn}: the answer cannot be read: {reason}: {text[:80]!r}")
    calls = tuple(
        ToolCall(call.name, freeze(call.arguments))
        for call in action.calls
        if call.name is not None and call.arguments is not None
    )
    return calls, action.response


def read_functions(system: str) -> tuple[ToolSpec, ...]:
    """Return the functions that a ToolACE system text lists as JSON.

    Raises:
        DataError: It lists none.
    """
    decoder = json.JSONDecoder()
    for start in itertools.islice(_LIST_OF_OBJECTS.finditer(system), _CANDIDATES):
        try:
            value: Any = decoder.raw_decode(system, start.start())[0]
        except (ValueError, RecursionError):
            continue
        if all(map(_is_function, cast("list[Any]", value))):
            return tuple(_spec(function) for function in cast("list[dict[str, Any]]", value))
    raise DataError("the system text holds no JSON list of functions")


def _is_function(value: Any) -> bool:
    function = as_object(value)
    named = isinstance(function.get("name"), str)
    return named and isinstance(function.get("parameters", {}), dict)


def _spec(function: dict[str, Any]) -> ToolSpec:
    description = str(function.get("description", ""))
    return documented_tool(function["name"], description, function.get("parameters", {}))

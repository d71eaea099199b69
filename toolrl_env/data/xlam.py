"""xLAM function calling (``Salesforce/xlam-function-calling-60k``): one request, one answer.

Raw row: ``query``, and as JSON strings ``tools`` (``[{name, description, parameters}]``) and
``answers`` (``[{name, arguments}]``; empty where no tool fits). Licence CC-BY-4.0; gated.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from toolrl_env.core.errors import DataError
from toolrl_env.core.frozen import freeze
from toolrl_env.core.types import Message, Task, ToolCall, ToolSpec
from toolrl_env.data.dataset import Dataset, Row, text_of
from toolrl_env.data.gold import IRRELEVANT_REPLY, category_of, make_gold, thought_for
from toolrl_env.prompts.specs import documented_tool

__all__ = ["XLAM", "answer_task", "json_list", "read_xlam"]

RawTool = dict[str, Any]
RawCall = dict[str, Any]


@dataclass(frozen=True)
class XLAM(Dataset):
    """One task per row: the request, the tools in file order, the calls that answer it."""

    name: ClassVar[str] = "xlam"
    columns: ClassVar[tuple[str, ...]] = ("query", "answers", "tools")
    licence: ClassVar[str] = "CC-BY-4.0"
    hub: ClassVar[str | None] = "Salesforce/xlam-function-calling-60k"
    samples: ClassVar[tuple[str, ...]] = ("xlam.jsonl.gz",)

    def tasks(self, row: Row, task_id: str) -> Sequence[Task]:
        """Return the row's task."""
        tools, answers = read_xlam(row)
        return (answer_task(self.name, task_id, text_of(row, "query"), tools, answers),)


def read_xlam(row: Row) -> tuple[list[RawTool], list[RawCall]]:
    """Return the row's raw tools and answers, decoded and checked.

    Raises:
        DataError: They are not JSON or lack a field.
    """
    tools, answers = json_list(row["tools"], "tools"), json_list(row["answers"], "answers")
    for tool in tools:
        if not isinstance(tool.get("name"), str):
            raise DataError(f"a tool has no name: {str(tool)[:80]}")
        if not isinstance(tool.get("parameters", {}), dict):
            raise DataError(f"the parameters of tool {tool['name']!r} are not an object")
    for answer in answers:
        if not isinstance(answer.get("name"), str):
            raise DataError(f"an answer has no name: {str(answer)[:80]}")
        if not isinstance(answer.get("arguments"), dict):
            raise DataError(f"the arguments of answer {answer['name']!r} are not an object")
    return tools, answers


def json_list(value: object, column: str) -> list[dict[str, Any]]:
    """Return a list of objects that is there as JSON text or decoded already.

    Raises:
        DataError: It is something else.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{column} is not JSON: {error}") from None
    if not isinstance(value, list):
        raise DataError(f"{column} is not a list but {type(value).__name__}")
    for item in cast("list[Any]", value):
        if not isinstance(item, dict):
            raise DataError(f"{column} has an item that is not an object: {str(item)[:80]}")
    return cast("list[dict[str, Any]]", value)


def answer_task(
    source: str, task_id: str, query: str, tools: Sequence[RawTool], answers: Sequence[RawCall]
) -> Task:
    """Return the task that asks for ``answers``, or for a reply if there are none."""
    calls = tuple(ToolCall(answer["name"], freeze(answer["arguments"])) for answer in answers)
    irrelevant = not calls
    thought = thought_for(len(calls), irrelevant=irrelevant)
    return Task(
        id=task_id,
        source=source,
        tools=tuple(_spec(tool) for tool in tools),
        messages=(Message("user", query),),
        gold=make_gold(calls, IRRELEVANT_REPLY if irrelevant else None, thought),
        category="irrelevant" if irrelevant else category_of(len(calls)),
    )


def _spec(tool: RawTool) -> ToolSpec:
    description = str(tool.get("description", ""))
    return documented_tool(tool["name"], description, tool.get("parameters", {}))

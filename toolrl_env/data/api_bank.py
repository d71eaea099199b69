"""API-Bank (arXiv 2304.08244) as the paper processed it: a dialogue, then one call.

Raw row: ``system`` and ``user`` in the paper's layout, with schemas as JSON or as Python dict
displays; ``answer``, one ``{"name", "parameters"}`` or a list of them; ``other``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from toolrl_env.core.checks import whole_number
from toolrl_env.core.errors import DataError
from toolrl_env.core.frozen import freeze
from toolrl_env.core.types import Task, ToolCall
from toolrl_env.data.dataset import Dataset, Row, as_object, text_of
from toolrl_env.data.gold import category_of, make_gold, thought_for
from toolrl_env.prompts.toolrl_reader import read_dialogue, read_parameters, read_system

__all__ = ["LEVELS", "APIBank"]

LEVELS = (1, 2, 3)


@dataclass(frozen=True)
class APIBank(Dataset):
    """One task per row, with the row's own prompt.

    Attributes:
        level: 1, 2 or 3. Picks our sample; of a file, it says which level its rows are of.

    Raises:
        ConfigurationError: There is no such level.
    """

    level: int = 1

    name: ClassVar[str] = "api_bank"
    columns: ClassVar[tuple[str, ...]] = ("system", "user", "answer")

    def __post_init__(self) -> None:
        """Check the level."""
        level = whole_number("level", self.level, LEVELS[0], LEVELS[-1])
        object.__setattr__(self, "level", level)

    @property
    def prefix(self) -> str:
        """``api_bank-level<level>``."""
        return f"{self.name}-level{self.level}"

    def sample_files(self) -> tuple[str, ...]:
        """Return the bundled file of the level."""
        return (f"api_bank_level{self.level}.jsonl.gz",)

    def tasks(self, row: Row, task_id: str) -> Sequence[Task]:
        """Return the row's task."""
        system, user = text_of(row, "system"), text_of(row, "user")
        calls = _answer(row["answer"])
        other = row.get("other")
        task = Task(
            id=task_id,
            source=self.name,
            tools=read_system(system).tools,
            messages=read_dialogue(user).messages,
            gold=make_gold(calls, None, thought_for(len(calls))),
            category=category_of(len(calls)),
            system=system,
            user=user,
            difficulty=self.level,
            metadata={"other": freeze(other)} if other is not None else {},
        )
        return (task,)


def _answer(answer: object) -> tuple[ToolCall, ...]:
    listed = cast("list[Any]", answer) if isinstance(answer, list) else [answer]
    if not listed:
        raise DataError("answer is an empty list")
    calls: list[ToolCall] = []
    for call in listed:
        fields = as_object(call)
        name, parameters = fields.get("name"), fields.get("parameters")
        if isinstance(parameters, str):
            parameters = read_parameters(parameters)
        if not isinstance(name, str) or not isinstance(parameters, dict):
            raise DataError(f"a call of the answer lacks a name or parameters: {str(call)[:80]}")
        calls.append(ToolCall(name, freeze(parameters)))
    return tuple(calls)

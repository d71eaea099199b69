"""The paper's own files: ``instruction`` (system), ``input`` (user) and ``output`` (gold answer).

Their prompts are kept as they stand and are taken apart as well, into tools and messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from toolrl_env.core.errors import DataError
from toolrl_env.core.types import Task
from toolrl_env.data.dataset import Dataset, Row, text_of
from toolrl_env.data.gold import category_of
from toolrl_env.parsing import parse_ground_truth
from toolrl_env.prompts.toolrl_reader import read_dialogue, read_system

__all__ = ["RLLA"]


@dataclass(frozen=True)
class RLLA(Dataset):
    """One task per row; a row is one assistant step with its history.

    Attributes:
        mixture: Without a file of the paper's: whether to mix ToolACE, Hammer and xLAM tasks in the
            paper's proportion 2 : 1 : 1 (the default) or to read our sample in this raw format.
    """

    mixture: bool = True

    name: ClassVar[str] = "rlla"
    columns: ClassVar[tuple[str, ...]] = ("instruction", "input", "output")
    samples: ClassVar[tuple[str, ...]] = ("rlla.jsonl.gz",)

    def tasks(self, row: Row, task_id: str) -> Sequence[Task]:
        """Return the row's task.

        Raises:
            DataError: The prompt is not of the paper's layout, or the gold answer is empty.
            InvalidGroundTruth: The gold answer's calls are not JSON.
        """
        system, user = text_of(row, "instruction"), text_of(row, "input")
        output = text_of(row, "output")
        if not output.strip():
            raise DataError("output, the gold answer, is empty")
        gold = parse_ground_truth(output)
        task = Task(
            id=task_id,
            source=self.name,
            tools=read_system(system).tools,
            messages=read_dialogue(user).messages,
            gold=gold,
            category=category_of(len(gold.values)),
            system=system,
            user=user,
        )
        return (task,)

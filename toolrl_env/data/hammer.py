"""Hammer (arXiv 2410.04587): xLAM rows with masked names, and cases in which no tool fits.

Raw rows are xLAM's, those of ``MadeAgents/xlam-irrelevance-7.5k`` (``answers`` empty) included.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.types import Task
from toolrl_env.data import transforms
from toolrl_env.data.dataset import Dataset, Row, text_of
from toolrl_env.data.xlam import RawCall, RawTool, answer_task, read_xlam

__all__ = ["Hammer"]


@dataclass(frozen=True)
class Hammer(Dataset):
    """One task per xLAM row, and for some rows a second one without the tools it needs.

    Every row: a default that equals the gold value is made random, the tools are shuffled; and with
    ``mask_probability`` all function and parameter names are masked. What happens to a row depends
    on its content and ``seed`` alone, not on where it stands.

    Attributes:
        mask_probability: Share of rows whose names are masked, in [0, 1]. Hammer's is 2/3.
        irrelevance: Share of rows that yield a second task without the tools that answer it, in
            [0, 1]. 7,500 of 60,000 in Hammer, hence 1/8. Rows with one tool never do.
        seed: Changes every random choice.

    Raises:
        ConfigurationError: A share is not in [0, 1].
    """

    mask_probability: float = 2 / 3
    irrelevance: float = 1 / 8
    seed: int = 0

    name: ClassVar[str] = "hammer"
    columns: ClassVar[tuple[str, ...]] = ("query", "answers", "tools")
    licence: ClassVar[str] = "CC-BY-4.0"
    hub: ClassVar[str | None] = "Salesforce/xlam-function-calling-60k"
    samples: ClassVar[tuple[str, ...]] = ("xlam.jsonl.gz", "xlam_irrelevance.jsonl.gz")

    def __post_init__(self) -> None:
        """Check the shares."""
        for option, share in (
            ("mask_probability", self.mask_probability),
            ("irrelevance", self.irrelevance),
        ):
            if not isinstance(share, int | float) or not 0 <= share <= 1:  # pyright: ignore[reportUnnecessaryIsInstance]  # from a caller's keywords
                raise ConfigurationError(f"{option} must be in [0, 1], not {share!r}")

    def tasks(self, row: Row, task_id: str) -> Sequence[Task]:
        """Return the row's task, and the one without its tools if the row was drawn for that."""
        tools, answers = read_xlam(row)
        query = text_of(row, "query")
        rng = self._rng(query, tools, answers)
        mask, irrelevant = rng.random() < self.mask_probability, rng.random() < self.irrelevance
        found = [self._task(task_id, query, tools, answers, mask, rng)]
        fewer, none = transforms.remove_gold_tools(tools, answers)
        if irrelevant and answers and fewer:
            found.append(self._task(f"{task_id}-irrelevant", query, fewer, none, mask, rng))
        return found

    def _rng(self, query: str, tools: list[RawTool], answers: list[RawCall]) -> random.Random:
        content = json.dumps([self.seed, query, tools, answers])
        return random.Random(hashlib.sha256(content.encode("ascii")).digest())

    def _task(
        self,
        task_id: str,
        query: str,
        tools: list[RawTool],
        answers: list[RawCall],
        mask: bool,
        rng: random.Random,
    ) -> Task:
        tools, answers = transforms.randomise_defaults(tools, answers, rng)
        tools, answers = transforms.shuffle_tools(tools, answers, rng)
        if mask:
            tools, answers = transforms.mask_names(tools, answers, rng)
        return answer_task(self.name, task_id, query, tools, answers)

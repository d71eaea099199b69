"""Environments whose tasks are the rows of a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from toolrl_env.data import load_tasks
from toolrl_env.envs.single_turn import SingleTurnEnv

__all__ = ["DatasetEnv"]


class DatasetEnv(SingleTurnEnv):
    """A single-turn environment over one dataset, named by the class attribute ``dataset``.

    Args:
        data: ``None`` for our own sample in the dataset's raw format, a ``.json``, ``.jsonl``,
            ``.jsonl.gz`` or ``.parquet`` file, or ``"hub"``.
        split: ``"train"``, ``"validation"``, ``"test"`` or ``"all"``.
        data_options: Further keyword arguments of ``toolrl_env.data.load_tasks``, e.g.
            ``{"revision": …}``.
        kwargs: Those of ``ToolUseEnv``.

    Raises:
        ConfigurationError: An argument is not allowed; the message names it and what is.
        DataError: ``data`` cannot be used, or the split is empty.
        NetworkUnavailable: The hub cannot be reached.
    """

    dataset: ClassVar[str]

    def __init__(
        self,
        data: str | Path | None = None,
        split: str = "train",
        data_options: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(load_tasks(self.dataset, data, split, **(data_options or {})), **kwargs)

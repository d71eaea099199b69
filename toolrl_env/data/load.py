"""``load_tasks``: a dataset's name and where its rows are → a ``TaskSet``."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from toolrl_env.core.errors import ConfigurationError, DataError, UnknownName
from toolrl_env.core.types import Task
from toolrl_env.data.api_bank import APIBank
from toolrl_env.data.dataset import Dataset, Row
from toolrl_env.data.files import read_rows, version_of
from toolrl_env.data.hammer import Hammer
from toolrl_env.data.hub import hub_commit, hub_rows
from toolrl_env.data.mixture import mix
from toolrl_env.data.rlla import RLLA
from toolrl_env.data.source import RefusedRow, SampleDataWarning, TaskSet
from toolrl_env.data.split import check_split, in_split
from toolrl_env.data.toolace import ToolACE
from toolrl_env.data.xlam import XLAM

__all__ = ["DATASETS", "OnBadRow", "find_dataset", "load_tasks", "tasks_of"]

DATASETS: dict[str, type[Dataset]] = {
    dataset.name: dataset for dataset in (ToolACE, XLAM, Hammer, RLLA, APIBank)
}
"""The datasets by name."""

OnBadRow = Literal["refuse", "raise"]

_BUNDLED = Path(__file__).parent / "bundled"
_warned: set[str] = set()


def load_tasks(
    dataset: str | Dataset,
    data: str | Path | None = None,
    split: str = "train",
    *,
    on_bad_row: OnBadRow = "refuse",
    revision: str | None = None,
    **options: Any,
) -> TaskSet:
    """Load a dataset as tasks.

    Args:
        dataset: ``"toolace"``, ``"xlam"``, ``"hammer"``, ``"rlla"``, ``"api_bank"``, or a
            ``Dataset`` of your own.
        data: ``None`` for the sample that this project wrote in the dataset's raw format (with a
            ``SampleDataWarning``, once per process and dataset); a ``.json``, ``.jsonl``,
            ``.jsonl.gz`` or ``.parquet`` file; ``"hub"`` or ``"hub@<revision>"`` for the Hugging
            Face hub.
        split: ``"train"``, ``"validation"``, ``"test"`` (80, 10, 10 % by a stable hash) or
            ``"all"``.
        on_bad_row: ``"refuse"`` collects broken rows in ``TaskSet.refused``, ``"raise"`` stops at
            the first.
        revision: For the hub alone: the commit, branch or tag to take; ``None`` takes the newest
            commit. The task set's ``options`` record which commit it was.
        options: The dataset's own options, e.g. ``level=2`` for API-Bank.

    Returns:
        The tasks in file order. Samples load once per process; of files and commits, the last four
        that were loaded are remembered, files for as long as they do not change on disk.

    Raises:
        UnknownName: No such dataset, split or way to treat broken rows.
        ConfigurationError: No such option, a value that is not allowed, ``revision`` without the
            hub, or no ``data`` where there is no sample.
        DataError: The file cannot be used, every row is refused, or the split is empty.
        NetworkUnavailable: The hub cannot be reached, or refuses.
    """
    found = find_dataset(dataset, options)
    check_split(split)
    if on_bad_row not in ("refuse", "raise"):
        raise UnknownName("on_bad_row", on_bad_row, ("refuse", "raise"))
    if not isinstance(data, str | Path | None) or data == "":  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f"data must be None, a file or 'hub', not {data!r:.200}")
    name, _, named = str(data).partition("@")
    if name != "hub" and revision is not None:
        raise ConfigurationError(f"revision={revision!r} belongs to data='hub', not data={data!r}")
    if data is None:
        if not found.sample_files():
            raise ConfigurationError(f"{found.name} comes without a sample; pass data=<file>")
        _warn_once(found.name)
        return _load_sample(found, split)
    if name == "hub":
        return _load_hub(found, split, on_bad_row, revision or named or None)
    path = Path(data).absolute()
    return _load_file(found, split, on_bad_row, path, version_of(path))


def find_dataset(dataset: str | Dataset, options: dict[str, Any]) -> Dataset:
    """Return the dataset of that name with ``options``, or ``dataset`` itself.

    Raises:
        UnknownName: No such dataset.
        ConfigurationError: No such option, or options for a dataset that has them already.
    """
    if isinstance(dataset, Dataset):
        return dataset.with_options({**dataset.options(), **options}) if options else dataset
    if not isinstance(dataset, str) or dataset not in DATASETS:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise UnknownName("dataset", dataset, DATASETS)
    return DATASETS[dataset].with_options(options)


def _warn_once(name: str) -> None:
    if name not in _warned:
        _warned.add(name)
        warnings.warn(
            f"{name}: no data= was given, so these tasks are a sample written by the ToolRL-Env "
            "project in that dataset's format; they are not the dataset itself",
            SampleDataWarning,
            stacklevel=3,
        )


@lru_cache(maxsize=64)
def _load_sample(dataset: Dataset, split: str) -> TaskSet:
    if isinstance(dataset, RLLA) and dataset.mixture:
        parts = [_load_sample(part(), split) for part in (ToolACE, Hammer, XLAM)]
        return mix(*parts, split=split)
    paths = [_BUNDLED / file for file in dataset.sample_files()]
    for path in paths:
        if not path.is_file():
            raise DataError(
                f"{dataset.name}: our sample {path} is missing; write it with "
                "'python -m toolrl_env.data.bundled.generate'"
            )
    rows = (row for path in paths for row in read_rows(path))
    return _build(dataset, split, "raise", rows, origin="our sample", is_sample=True)


@lru_cache(maxsize=4)
def _load_file(
    dataset: Dataset,
    split: str,
    on_bad_row: OnBadRow,
    path: Path,
    version: tuple[int, int] | None,
) -> TaskSet:
    del version  # part of the key alone
    return _build(dataset, split, on_bad_row, read_rows(path), origin=str(path))


def _load_hub(dataset: Dataset, split: str, on_bad_row: OnBadRow, revision: str | None) -> TaskSet:
    if isinstance(dataset, RLLA) and dataset.mixture and revision is None:
        parts = [_load_hub(part(), split, on_bad_row, None) for part in (ToolACE, Hammer, XLAM)]
        return mix(*parts, split=split)
    return _load_commit(dataset, split, on_bad_row, hub_commit(dataset, revision))


@lru_cache(maxsize=4)
def _load_commit(dataset: Dataset, split: str, on_bad_row: OnBadRow, commit: str) -> TaskSet:
    rows = hub_rows(dataset, commit)
    return _build(dataset, split, on_bad_row, rows, origin=f"{dataset.hub}@{commit}", commit=commit)


def _build(
    dataset: Dataset,
    split: str,
    on_bad_row: OnBadRow,
    rows: Iterable[Row | RefusedRow],
    *,
    origin: str,
    is_sample: bool = False,
    commit: str | None = None,
) -> TaskSet:
    tasks: list[Task] = []
    refused: list[RefusedRow] = []
    total = 0
    prefix = f"{dataset.prefix}-sample" if is_sample else dataset.prefix
    for outcome in tasks_of(dataset, rows, prefix):
        if not isinstance(outcome, RefusedRow):
            total += 1
            if in_split(outcome, split):
                tasks.append(outcome)
        elif on_bad_row == "raise":
            raise DataError(f"{origin}: row {outcome.index}: {outcome.reason}")
        else:
            refused.append(outcome)
    if not tasks:
        raise DataError(_why_empty(f"{dataset.name} ({origin})", split, total, refused))
    return TaskSet(
        name=dataset.name,
        split=split,
        tasks=tuple(tasks),
        refused=tuple(refused),
        is_sample=is_sample,
        licence="Apache-2.0" if is_sample else dataset.licence,
        options=dataset.options() | ({"revision": commit} if commit else {}),
    )


def tasks_of(
    dataset: Dataset, rows: Iterable[Row | RefusedRow], prefix: str
) -> Iterator[Task | RefusedRow]:
    """Yield the tasks of ``rows`` in order, and a ``RefusedRow`` for every row that has none."""
    for index, row in enumerate(rows):
        if isinstance(row, RefusedRow):
            yield RefusedRow(index, row.reason)
            continue
        try:
            dataset.check_columns(row)
            tasks = dataset.tasks(row, f"{prefix}-{index}")
        except DataError as error:
            yield RefusedRow(index, str(error))
        else:
            yield from tasks


def _why_empty(name: str, split: str, total: int, refused: list[RefusedRow]) -> str:
    if total:
        return f"{name}: split {split!r} has no tasks; all splits together have {total}"
    if refused:
        first = refused[0]
        return f"{name}: every row is refused; row {first.index}: {first.reason}"
    return f"{name}: there are no rows"

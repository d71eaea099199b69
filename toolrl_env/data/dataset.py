"""``Dataset``: how the rows of one dataset become tasks. Subclass it to add a dataset.

A subclass is a frozen dataclass whose fields are the dataset's options; class variables say what
the raw rows look like and where they come from. ``load_tasks`` takes an instance as well as a name,
so a dataset can live outside this package.
"""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from toolrl_env.core.errors import ConfigurationError, DataError, nearest
from toolrl_env.core.types import Task

__all__ = ["Dataset", "Row", "as_object", "text_of"]

Row = Mapping[str, Any]
"""A raw row: column → value."""


@dataclass(frozen=True)
class Dataset(abc.ABC):
    """How the rows of one dataset become tasks."""

    name: ClassVar[str]
    """The dataset's name, e.g. ``"toolace"``."""
    columns: ClassVar[tuple[str, ...]]
    """Columns that every raw row must have; it may have more."""
    licence: ClassVar[str] = ""
    """SPDX identifier of the real data's licence; ``""`` if unknown."""
    hub: ClassVar[str | None] = None
    """Id on the Hugging Face hub, or ``None`` if it is not there in this form."""
    samples: ClassVar[tuple[str, ...]] = ()
    """Files of ``toolrl_env/data/bundled`` that hold our sample in the raw format."""

    @abc.abstractmethod
    def tasks(self, row: Row, task_id: str) -> Sequence[Task]:
        """Return the tasks of one row; further ids are made by appending to ``task_id``.

        Raises:
            DataError: The row cannot be a task; the message says why.
        """

    @property
    def prefix(self) -> str:
        """What task ids begin with."""
        return self.name

    def sample_files(self) -> tuple[str, ...]:
        """Return the bundled files for these options."""
        return self.samples

    def options(self) -> dict[str, Any]:
        """Return the options by name; they enter the fingerprint."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    def check_columns(self, row: Row) -> None:
        """Check that ``row`` has every column.

        Raises:
            DataError: It has not; names the missing, the found and the nearest.
        """
        missing = [column for column in self.columns if column not in row]
        if not missing:
            return
        found = [str(column) for column in row]
        hints = [f"{near!r} for {c!r}" for c in missing if (near := nearest(c, found))]
        raise DataError(
            f"{self.name} rows need the columns {', '.join(self.columns)}; missing: "
            f"{', '.join(missing)}; found: {', '.join(found) or 'none'}."
            + (f" Perhaps {', '.join(hints)}?" if hints else "")
        )

    @classmethod
    def with_options(cls, options: Mapping[str, Any]) -> Dataset:
        """Return an instance with ``options``.

        Raises:
            ConfigurationError: The dataset has no such option, or its value is not allowed.
        """
        allowed = [field.name for field in dataclasses.fields(cls)]
        for option in options:
            if option not in allowed:
                close = nearest(option, allowed)
                hint = f" Did you mean {close!r}?" if close else ""
                raise ConfigurationError(
                    f"dataset {cls.name!r} has no option {option!r}; "
                    f"it has: {', '.join(allowed) or 'none'}.{hint}"
                )
        return cls(**options)


def as_object(value: object) -> dict[str, Any]:
    """Return ``value`` if it is a JSON object, else an empty one."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def text_of(row: Row, column: str) -> str:
    """Return ``row[column]`` if it is text.

    Raises:
        DataError: It is something else.
    """
    value = row[column]
    if not isinstance(value, str):
        raise DataError(f"{column} is not text but {type(value).__name__}")
    return value

"""What ``toolrl score`` reads from, writes to and adds up, a row at a time."""

from __future__ import annotations

import contextlib
import gzip
import math
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from toolrl_env.core.errors import ConfigurationError, DataError
from toolrl_env.core.types import RewardBreakdown

__all__ = ["Output", "RowStream", "Statistics", "TermStatistics"]

STANDARD = "-"
_REFRESH = 256
_TOLERANCE = 1e-12


class RowStream:
    """The lines of a file or of standard input, with a progress bar.

    Iterates over ``(line number from 1, bytes)``; blank lines are left out.

    Args:
        path: A ``.jsonl`` or ``.jsonl.gz`` file, or ``-``.
        console: Where the progress bar goes, if it is a terminal.

    Raises:
        DataError: The file cannot be read; while iterating, also one that breaks off.
    """

    def __init__(self, path: Path, console: Console) -> None:
        self._path = path
        self._console = console
        self._stack = contextlib.ExitStack()
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        """Open the file."""
        if str(self._path) != STANDARD:
            try:
                self._file = self._stack.enter_context(self._path.open("rb"))
            except OSError as error:
                raise DataError(f"{self._path}: cannot be read: {error.strerror}") from error
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self._stack.close()

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """Yield line numbers and lines."""
        file = self._file
        lines = sys.stdin.buffer if file is None else file
        total = None if file is None else max(1, self._path.stat().st_size)
        if file is not None and self._path.name.endswith(".gz"):
            lines = gzip.GzipFile(fileobj=file)
        with _progress(self._console) as progress:
            bar = progress.add_task("scoring", total=total, rows=0)
            number = 0
            try:
                for number, line in enumerate(lines, 1):
                    if not line.isspace():
                        yield number, line
                    if number % _REFRESH == 0:
                        read = None if file is None else file.tell()
                        progress.update(bar, completed=read, rows=number)
            except (EOFError, OSError, zlib.error) as error:
                raise DataError(f"{self._path}, after line {number}: {error}") from error
            progress.update(bar, completed=total, rows=number)


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]} lines"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


class Output:
    """Where scored rows go.

    Args:
        source: The file that is scored.
        path: The output, ``-`` for standard output, ``None`` for one beside ``source``.
        overwrite: Whether an output that is there may be replaced.

    Raises:
        ConfigurationError: It is there already, or is the source itself.
        DataError: It cannot be written.
    """

    def __init__(self, source: Path, path: Path | None, overwrite: bool) -> None:
        if path is None:
            path = Path(STANDARD) if str(source) == STANDARD else _beside(source)
        self.name = str(path)
        self._path = path
        self._stack = contextlib.ExitStack()
        if self.name == STANDARD:
            return
        if path.exists() and str(source) != STANDARD and path.samefile(source):
            raise ConfigurationError(f"{path} is the file to be scored; write somewhere else")
        if path.exists() and not overwrite:
            raise ConfigurationError(f"{path} is there already; --overwrite replaces it")

    def __enter__(self) -> Self:
        """Open the output."""
        if self.name == STANDARD:
            self._file = sys.stdout
            return self
        try:
            self._file = self._stack.enter_context(self._path.open("w", encoding="utf-8"))
        except OSError as error:
            raise DataError(f"{self._path}: cannot be written: {error.strerror}") from error
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self._stack.close()

    def write(self, line: str) -> None:
        """Write a line."""
        self._file.write(line + "\n")


def _beside(source: Path) -> Path:
    stem = source.name.removesuffix(".gz").removesuffix(".jsonl").removesuffix(".json")
    return source.with_name(f"{stem}.scored.jsonl")


@dataclass
class TermStatistics:
    """Running figures of one term (Welford's method, so rows need not be kept).

    Attributes:
        count: Number of values.
        mean: Their mean.
        squares: Sum of squared differences from the mean.
        lowest: The lowest value.
        highest: The highest value.
        perfect: How many were at the highest that was possible for them.
    """

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0
    lowest: float = math.inf
    highest: float = -math.inf
    perfect: int = 0

    def add(self, value: float, possible: float) -> None:
        """Take in a value that could have been ``possible`` at most."""
        self.count += 1
        difference = value - self.mean
        self.mean += difference / self.count
        self.squares += difference * (value - self.mean)
        self.lowest, self.highest = min(self.lowest, value), max(self.highest, value)
        self.perfect += value >= possible - _TOLERANCE

    @property
    def half_width(self) -> float:
        """Half the width of the mean's 95 % confidence interval (normal); 0 for one value."""
        if self.count < 2:
            return 0.0
        return 1.96 * math.sqrt(self.squares / (self.count - 1) / self.count)


@dataclass
class Statistics:
    """Running figures of the total and of every term, in order of appearance."""

    terms: dict[str, TermStatistics] = field(default_factory=dict[str, TermStatistics])

    @property
    def count(self) -> int:
        """Number of rows."""
        return self.terms["total"].count if self.terms else 0

    def add(self, breakdown: RewardBreakdown) -> None:
        """Take in the reward of a row."""
        highest = sum(max(t.weight * t.low, t.weight * t.high) for t in breakdown.terms)
        self._term("total").add(breakdown.total, highest)
        for term in breakdown.terms:
            self._term(term.name).add(term.score, term.high)

    def _term(self, name: str) -> TermStatistics:
        return self.terms.setdefault(name, TermStatistics())

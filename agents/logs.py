"""Metrics of a run: one JSON line per step, TensorBoard scalars, and a bar for whoever watches."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

__all__ = ["RunLog", "StepBar", "read_metrics"]


class RunLog:
    """Writes ``metrics.jsonl`` and TensorBoard events into a folder.

    Args:
        out: The folder; made if it is missing.
        start: First step that will be written. Lines of later steps, left over from a run that
            went further than its last checkpoint, are dropped.
    """

    def __init__(self, out: Path, start: int = 0) -> None:
        from torch.utils.tensorboard import SummaryWriter  # slow to import

        out.mkdir(parents=True, exist_ok=True)
        self._path = out / "metrics.jsonl"
        kept = [row for row in read_metrics(self._path) if row["step"] < start]
        self._path.write_text("".join(json.dumps(row) + "\n" for row in kept))
        self._board = SummaryWriter(str(out / "tensorboard"), purge_step=start)

    def write(self, metrics: Mapping[str, float]) -> None:
        """Write one step's metrics; ``metrics["step"]`` counts from 0."""
        with self._path.open("a") as file:
            file.write(json.dumps(dict(metrics)) + "\n")
        for name, value in metrics.items():
            if name != "step":
                self._board.add_scalar(name, value, int(metrics["step"]))

    def close(self) -> None:
        """Flush everything."""
        self._board.close()


def read_metrics(path: Path) -> list[dict[str, float]]:
    """Return the rows of a ``metrics.jsonl``; none if the file is missing."""
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


class StepBar:
    """A progress bar with loss, reward and time left; plain lines where there is no terminal.

    Call it with each step's metrics.

    Args:
        title: What is running.
        total: Number of steps.
        console: Where to draw.
    """

    def __init__(self, title: str, total: int, console: Console | None = None) -> None:
        self._console = console or Console()
        self._title, self._total = title, total
        self._bar = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task(title, total=total, figures="")

    def __call__(self, metrics: Mapping[str, float]) -> None:
        """Show one more finished step."""
        shown = (name for name in ("loss", "reward", "format") if name in metrics)
        figures = "  ".join(f"{name} {metrics[name]:.3f}" for name in shown)
        done = int(metrics["step"]) + 1
        self._bar.update(self._task, completed=done, figures=figures)
        every = max(1, self._total // 10)
        if not self._console.is_terminal and (done % every == 0 or done == self._total):
            left = (self._total - done) * float(metrics["seconds"])
            self._console.print(
                f"{self._title}  {done}/{self._total}  {figures}  about {left:.0f} s left"
            )

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

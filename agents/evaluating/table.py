"""Results and comparisons as tables for a terminal."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from agents.evaluating.compare import Change, Comparison
from agents.evaluating.results import Results

__all__ = ["show_comparison", "show_results"]

_LISTED = 20
_WIDTH = 40


def show_results(results: Results, console: Console) -> None:
    """Print a summary table, one line a category, and what is missing."""
    settings = results.settings
    sample = ", our own sample" if settings.is_sample else ""
    title = f"{settings.agent} on {settings.env_id} (split {settings.split}{sample})"
    console.print(title, style="bold", markup=False, highlight=False)
    table = Table()
    table.add_column("measure")
    table.add_column("mean and 95 % interval", justify="right")
    for name, interval in results.summary.items():
        if name not in ("pass@1", "pass^1"):  # both are the success
            table.add_row(name, str(interval))
    for name, interval in results.components.items():
        table.add_row(f"  {escape(name)}", str(interval))
    console.print(table)
    if len(results.categories) > 1:
        _show_categories(results, console)
    tasks = f"{len(results.tasks)} tasks, {results.done} of {results.planned} attempts"
    console.print(tasks, highlight=False)
    kinds = Counter(failure.kind for failure in results.failures)
    for kind, count in sorted(kinds.items()):
        reason = next(each.reason for each in results.failures if each.kind == kind)
        said = f"{count} failed and have no reward: {kind}: {reason}"
        console.print(said, style="yellow", markup=False, highlight=False)
    if results.stopped:
        console.print(f"stopped: {results.stopped}", style="yellow", markup=False, highlight=False)
    if not results.complete:
        said = "run the same command again to play what is missing"
        console.print(said, style="yellow", highlight=False)


def _show_categories(results: Results, console: Console) -> None:
    counts = Counter(task.category for task in results.tasks)
    table = Table()
    for name in ("category", "tasks", "reward", "success"):
        table.add_column(name, justify="left" if name == "category" else "right")
    for name, means in results.categories.items():
        table.add_row(escape(name), str(counts[name]), str(means["reward"]), str(means["success"]))
    console.print(table)


def show_comparison(found: Comparison, console: Console) -> None:
    """Print how reward and success changed, in all and by category, and which tasks flipped."""
    table = Table()
    for name in ("", "tasks", "before", "after", "difference and 95 % interval", "p"):
        table.add_column(name, justify="left" if not name else "right")
    table.add_row("reward", *_cells(found.reward))
    table.add_row("success", *_cells(found.success))
    if len(found.categories) > 1:
        for name, changes in found.categories.items():
            table.add_row(escape(f"{name}: reward"), *_cells(changes["reward"]))
            table.add_row(escape(f"{name}: success"), *_cells(changes["success"]))
    console.print(table)
    lists = {
        "newly solved": found.gained,
        "no longer solved": found.lost,
        "only in the first": found.only_before,
        "only in the second": found.only_after,
    }
    for label, names in lists.items():
        if names or label.endswith("solved"):
            console.print(_listing(label, names), markup=False, highlight=False)
    for name, (before, after) in found.settings.items():
        said = f"setting {name}: {_short(before)} -> {_short(after)}"
        console.print(said, markup=False, highlight=False)


def _cells(change: Change) -> tuple[str, ...]:
    return (
        str(change.tasks),
        f"{change.before:.2f}",
        f"{change.after:.2f}",
        change.difference.signed(),
        f"{change.p_value:.4f}",
    )


def _listing(label: str, names: Sequence[str]) -> str:
    shown = ", ".join(names[:_LISTED]) + (" …" if len(names) > _LISTED else "")
    return f"{label}: {len(names)}" + (f" ({shown})" if names else "")


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= _WIDTH else f"{text[:_WIDTH]}…"

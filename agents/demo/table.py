"""The before/after table, for the terminal, for Markdown and for HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from agents.demo.pipeline import STAGES, DemoResult
from agents.statistics import Interval

__all__ = ["HEADERS", "example_indices", "markdown", "rows", "show"]

HEADERS = ("held-out tasks", *STAGES)
_LABELS = {"reward": "mean reward", "perfect": "perfect answers", "format": "right format"}


def rows(summaries: Mapping[str, Mapping[str, Interval]]) -> list[tuple[str, ...]]:
    """Return the table's rows: a label, then one cell per stage.

    Args:
        summaries: Per stage, ``Evaluation.summary()``.
    """
    table = []
    for name, label in _LABELS.items():
        cells = [_cell(name, summaries[stage][name]) for stage in STAGES]
        table.append((label, *cells))
    return table


def _cell(name: str, value: Interval) -> str:
    if name == "reward":
        return str(value)
    return f"{value.mean:.0%} [{value.low:.0%}, {value.high:.0%}]"


def markdown(headers: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table.

    >>> print(markdown(["a", "b"], [["1", "2"]]))
    | a | b |
    |---|---|
    | 1 | 2 |
    """
    body = [headers, ["---"] * len(headers), *lines]
    return "\n".join(
        "|" + "|".join(row) + "|" if row[0] == "---" else "| " + " | ".join(row) + " |"
        for row in body
    )


def example_indices(result: DemoResult, count: int = 3) -> list[int]:
    """Return the first held-out tasks that the warm start did not answer perfectly.

    Filled up with the first tasks of all if there are too few. Nothing looks at the trained
    model's answers, so the choice does not flatter it.
    """
    perfect = result.evaluations[STAGES[1]].perfect
    order = sorted(range(len(perfect)), key=lambda index: (perfect[index] == 1.0, index))
    return order[:count]


def show(result: DemoResult, console: Console) -> None:
    """Print the table and the examples."""
    console.rule("[bold]result")
    table = Table(title=f"{result.recipe.held_out} held-out tasks, 95 % bootstrap intervals")
    for header in HEADERS:
        table.add_column(header)
    summaries = {stage: got.summary() for stage, got in result.evaluations.items()}
    for row in rows(summaries):
        table.add_row(*map(Text, row))
    console.print(table)
    console.print(Text(f"reward gained by GRPO, paired by task: {result.gain.signed()}"))
    for index in example_indices(result):
        _show_example(result, index, console)
    console.rule()
    console.print(Text(f"checkpoint: {result.checkpoint}"))
    console.print(Text(f"loaded again, it repeats {result.reloaded:.0%} of its answers"))
    total, cpu = sum(result.seconds.values()), sum(result.cpu_seconds.values())
    console.print(f"{total:.0f} s in all ({cpu:.0f} s of processor time)")


def _show_example(result: DemoResult, index: int, console: Console) -> None:
    """Print one question, its gold answer, and the answers before and after GRPO."""
    before = result.evaluations[STAGES[1]]
    console.rule("example", align="left")
    console.print(Text(before.questions[index], style="bold"))
    console.print(Text(before.golds[index], style="green"))
    for stage in STAGES[1:]:
        got = result.evaluations[stage]
        console.print(Text(f"{stage}: reward {got.rewards[index]:.2f}", style="bold"))
        console.print(Text(got.answers[index]))

"""``toolrl check FILE``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from rich.console import Console
from rich.table import Table

from toolrl_env.cli.text import new_console, print_line
from toolrl_env.data import CheckReport, InvalidGold, check_file

__all__ = ["Check", "main"]

_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Check:
    """Say which rows of a dataset file are broken and why, and which gold answers do not validate.

    Exit status 1 if a row is broken. Gold answers that break their own tools' schemas load all the
    same (real datasets have many), so they are counted and shown but do not fail the check.

    Attributes:
        file: A .json, .jsonl, .jsonl.gz or .parquet file.
        dataset: Whose raw format it is in.
        level: API-Bank level of the file.
        all: Show every finding, not just the first 20 of each kind.
    """

    file: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="FILE")]
    dataset: Literal["toolace", "xlam", "hammer", "rlla", "api_bank"]
    level: Annotated[int | None, tyro.conf.arg(metavar="1-3")] = None
    all: bool = False


def main(arguments: Sequence[str]) -> int:
    """Check a file."""
    config = tyro.cli(Check, args=list(arguments), prog="toolrl check")
    options: dict[str, Any] = {} if config.level is None else {"level": config.level}
    report = check_file(config.file, config.dataset, **options)
    console = new_console()
    _print_counts(console, report)
    shown = None if config.all else _SHOWN
    refused = [f"row {row.index}: {row.reason}" for row in report.refused]
    _print_findings(console, "broken rows", refused, shown, "red")
    invalid = [_invalid(gold) for gold in report.invalid_gold]
    _print_findings(console, "gold answers that do not validate", invalid, shown, "yellow")
    return 1 if report.refused else 0


def _print_counts(console: Console, report: CheckReport) -> None:
    table = Table(title=f"{report.path} as {report.dataset}", title_justify="left")
    table.add_column("what")
    table.add_column("number", justify="right")
    table.add_row("rows", str(report.rows))
    table.add_row("tasks they make", str(report.tasks))
    table.add_row("broken rows", str(len(report.refused)))
    table.add_row("tasks whose gold does not validate", str(len(report.invalid_gold)))
    for kind, counts in (("category", report.categories), ("split", report.splits)):
        _add_counts(table, kind, counts)
    console.print(table)


def _add_counts(table: Table, kind: str, counts: Mapping[str, int]) -> None:
    table.add_section()
    for name, number in counts.items():
        table.add_row(f"{kind} {name}", str(number))


def _invalid(gold: InvalidGold) -> str:
    more = len(gold.errors) - 1
    return f"{gold.task_id}: {gold.errors[0].message}" + (f" And {more} more." if more else "")


def _print_findings(
    console: Console, title: str, findings: Sequence[str], shown: int | None, style: str
) -> None:
    if not findings:
        return
    print_line(console, f"{title}:", "bold")
    for finding in findings[:shown]:
        print_line(console, f"  {finding}", style)
    left = len(findings) - len(findings[:shown])
    if left:
        print_line(console, f"  and {left} more; --all shows them", style)

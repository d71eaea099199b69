"""``toolrl score FILE``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, cast

import tyro
from rich.console import Console
from rich.table import Table

from toolrl_env.cli.score_stream import Output, RowStream, Statistics
from toolrl_env.cli.text import new_console, print_line
from toolrl_env.core.errors import ConfigurationError, DataError, ToolRLError
from toolrl_env.core.types import RewardBreakdown
from toolrl_env.rewards import RewardConfig, score_response

__all__ = ["Score", "main"]

_SHOWN = 20
KEY = "toolrl"


@dataclass(frozen=True, kw_only=True)
class Score:
    """Score responses against ground truths, row by row, in constant memory.

    Each row is an object with "response" and "ground_truth", and "step" if rewards are scheduled.
    The output has every row as it was, in order, with one more field "toolrl": the line, the reward
    term by term, what was lost and why, and the error of a row that cannot be scored. Exit status 1
    if there was such a row.

    Attributes:
        file: A .jsonl or .jsonl.gz file, or - for standard input.
        out: Where the scored rows go, - for standard output; by default FILE.scored.jsonl.
        preset: Name of the reward.
        flags: Instead of a preset, switches of the paper's code, e.g. WITHLENGTH SCHEDULELENGTH.
        step: The training step of rows that have no "step".
        overwrite: Replace the output if it is there.
    """

    file: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="FILE")]
    out: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    preset: str = "toolrl"
    flags: tuple[str, ...] = ()
    step: int = 0
    overwrite: bool = False


def main(arguments: Sequence[str]) -> int:
    """Score a file."""
    config = tyro.cli(Score, args=list(arguments), prog="toolrl score")
    reward = _reward(config)
    errors = new_console(stderr=True)
    statistics = Statistics()
    bad, failure = 0, None
    with (
        RowStream(config.file, errors) as rows,
        Output(config.file, config.out, config.overwrite) as out,
    ):
        try:
            for line, data in rows:
                row, report = _score_line(data, reward, config.step)
                if isinstance(report, RewardBreakdown):
                    statistics.add(report)
                    row[KEY] = {"line": line, **_describe(report), "error": None}
                else:
                    bad += 1
                    row[KEY] = {"line": line, "reward": None, "error": report}
                    if bad <= _SHOWN:
                        print_line(errors, f"line {line}: {report}", "yellow")
                out.write(json.dumps(row))
        except DataError as error:  # the file breaks off: what was read is scored all the same
            failure = error
    if statistics.count + bad == 0:
        raise failure or DataError(f"{config.file}: there are no rows")
    if bad > _SHOWN:
        print_line(errors, f"and {bad - _SHOWN} more, all in the output", "yellow")
    console = errors if out.name == "-" else new_console()
    _print_table(console, statistics)
    print_line(console, f"{statistics.count} rows scored, {bad} not; written to {out.name}")
    if failure is not None:
        raise failure
    return 1 if bad else 0


def _reward(config: Score) -> RewardConfig:
    if config.flags and config.preset != "toolrl":
        raise ConfigurationError("give --preset or --flags, not both")
    if config.flags:
        return RewardConfig.from_reference_flags(config.flags)
    return RewardConfig.preset(config.preset)


def _score_line(
    data: bytes, reward: RewardConfig, step: int
) -> tuple[dict[str, Any], RewardBreakdown | str]:
    """Return the row, as far as it can be read, and its reward or what is wrong with it."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return {"raw": data.decode("utf-8", "replace")}, f"not UTF-8: {error.reason}"
    try:
        row: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        return {"raw": text}, f"not JSON: {error}"
    if not isinstance(row, dict):
        return {"raw": text}, f"not an object but {type(row).__name__}"
    row = cast("dict[str, Any]", row)
    for name in ("response", "ground_truth"):
        if not isinstance(row.get(name), str):
            there = f"is {type(row[name]).__name__}, not text" if name in row else "is missing"
            return row, f"{name!r} {there}"
    try:
        return row, score_response(
            row["response"], row["ground_truth"], reward, row.get("step", step)
        )
    except ToolRLError as error:
        return row, str(error)


def _describe(breakdown: RewardBreakdown) -> dict[str, Any]:
    reasons = {term.name: term.reason for term in breakdown.terms if term.reason}
    lost = [loss.message for loss in breakdown.losses]
    return {"reward": breakdown.as_dict(), "reasons": reasons, "lost": lost}


def _print_table(console: Console, statistics: Statistics) -> None:
    table = Table(title="rewards", title_justify="left")
    table.add_column("term")
    for column in ("n", "mean", "± 95 %", "lowest", "highest", "at its maximum"):
        table.add_column(column, justify="right")
    for name, term in statistics.terms.items():
        table.add_row(
            name,
            str(term.count),
            f"{term.mean:+.4f}",
            f"{term.half_width:.4f}",
            f"{term.lowest:+.4f}",
            f"{term.highest:+.4f}",
            f"{term.perfect / term.count:.1%}",
        )
    console.print(table)

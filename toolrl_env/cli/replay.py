"""``toolrl replay FILE``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from toolrl_env.cli.environment import import_module
from toolrl_env.cli.text import new_console, print_line
from toolrl_env.core.errors import DataError, ReplayMismatch
from toolrl_env.wrappers import BrokenLine, Replayer, iter_trajectories

__all__ = ["Replay", "main"]


@dataclass(frozen=True, kw_only=True)
class Replay:
    """Run the episodes of a trajectory file again; compare every observation, reward and state.

    Exit status 1 if one differs or a line cannot be read; a last line that a crash has cut is told
    but does not count.

    Attributes:
        file: A file that RecordTrajectories (or toolrl play --record) wrote.
        imports: Modules to import first, e.g. the one that registers your own environment.
    """

    file: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="FILE")]
    imports: tuple[str, ...] = ()


def main(arguments: Sequence[str]) -> int:
    """Replay a file."""
    config = tyro.cli(Replay, args=list(arguments), prog="toolrl replay")
    for module in config.imports:
        import_module(module)
    console = new_console()
    replayer = Replayer()
    equal = different = broken = 0
    for item in iter_trajectories(config.file):
        if isinstance(item, BrokenLine):
            broken += not item.cut
            print_line(console, f"line {item.line}: {item.reason}", "yellow")
            continue
        try:
            replayer.replay(item)
        except ReplayMismatch as mismatch:
            different += 1
            print_line(console, f"episode {equal + different}: {mismatch}", "red")
        else:
            equal += 1
    if equal + different + broken == 0:
        raise DataError(f"{config.file}: there are no episodes")
    summary = (
        f"{equal} of {equal + different} episodes are the same again; "
        f"{broken} lines could not be read"
    )
    print_line(console, summary, "red" if different or broken else "green")
    return 1 if different or broken else 0

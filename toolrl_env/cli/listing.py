"""``toolrl list``."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import gymnasium as gym
import tyro
from rich.table import Table

from toolrl_env.cli.text import new_console
from toolrl_env.core.errors import ConfigurationError
from toolrl_env.data import SampleDataWarning, TaskSource
from toolrl_env.envs.base import ToolUseEnv
from toolrl_env.registration import ENVIRONMENTS

__all__ = ["List", "main"]

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class List:
    """List the environments with the tasks that each has as it is, without data=.

    A sample was written by this project in that dataset's format; --data of the other commands
    (data= in Python) reads the dataset itself.
    """


def main(arguments: Sequence[str]) -> int:
    """Print the table."""
    tyro.cli(List, args=list(arguments), prog="toolrl list")
    table = Table(title="environments", title_justify="left")
    for column in ("id", "tasks from", *SPLITS):
        table.add_column(column, justify="right" if column in SPLITS else "left", no_wrap=True)
    table.add_column("what")
    for row in ENVIRONMENTS:
        try:
            sources = [_source(row.id, split) for split in SPLITS]
        except ConfigurationError:  # an optional package is missing; making it says which
            table.add_row(row.id, "not installed", *["?"] * len(SPLITS), row.summary)
            continue
        sizes = ["endless" if source.size is None else str(source.size) for source in sources]
        table.add_row(row.id, row.origin, *sizes, row.summary)
    new_console().print(table)
    return 0


def _source(env_id: str, split: str) -> TaskSource:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SampleDataWarning)  # the table says it
        base = gym.make(env_id, split=split).unwrapped
    assert isinstance(base, ToolUseEnv)
    return base.tasks

"""What the trainers' command lines share: settings from options, a progress bar, short refusals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import tyro
from transformers.utils import logging

from agents.logs import StepBar
from agents.refusals import short_refusals
from agents.session import RunConfig

__all__ = ["run_trainer"]

_C = TypeVar("_C", bound=RunConfig)


def run_trainer(
    kind: type[_C], train: Callable[[_C, StepBar], Path], title: str, description: str | None
) -> None:
    """Read settings from the command line, train, and say where the checkpoint is.

    What is wrong with the settings, the files or the environment is said in one line, with exit
    status 2.

    Args:
        kind: The settings.
        train: The trainer.
        title: Before the progress bar.
        description: Shown by ``--help``.
    """
    logging.disable_progress_bar()
    with short_refusals(title):
        config = tyro.cli(kind, description=description)
        with StepBar(title, config.steps) as bar:
            folder = train(config, bar)
    print(f"checkpoint: {folder}")

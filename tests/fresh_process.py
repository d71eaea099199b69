"""Whether a result depends on the process: programs run anew, with other hashes of strings."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

__all__ = ["in_fresh_processes"]


def in_fresh_processes(
    program: str, *arguments: str, seeds: Sequence[str] = ("1", "2")
) -> set[str]:
    """Return what a program prints in fresh processes: one text if it is always the same.

    Args:
        program: Python.
        arguments: Its ``sys.argv[1:]``.
        seeds: ``PYTHONHASHSEED`` of each process.
    """
    return {
        subprocess.run(
            [sys.executable, "-c", program, *arguments],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(["", *sys.path])},
        ).stdout
        for seed in seeds
    }

"""The few things of Linux that isolation needs and Python has no name for."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from pathlib import Path

__all__ = ["adopt_orphans", "children", "die_with_parent", "limit_memory"]

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def _prctl(option: int, value: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(option, value, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """Have this process killed when its parent ends."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def children() -> frozenset[int]:
    """Return the process ids of this process's children, zombies included."""
    own = str(os.getpid())
    found: set[int] = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_bytes()
            except OSError:  # it has just ended
                continue
            if stat.rpartition(b")")[2].split()[1].decode() == own:
                found.add(int(entry.name))
    return frozenset(found)


def limit_memory(more: int) -> None:
    """Let this process map ``more`` bytes beyond what it has mapped now."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    most = pages * resource.getpagesize() + more
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

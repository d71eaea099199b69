"""Servers to test with; none is left when a test ends."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from toolrl_env.tools.limits import CallLimits
from toolrl_env.tools.mcp import MCPServer

FAULTY = str(Path(__file__).with_name("faulty.py"))
QUICK = CallLimits(seconds=1.0)
PATIENT = CallLimits(seconds=60.0)


@pytest.fixture
def server():
    """Make a provider of the misbehaving server; it is closed at the end."""
    made = []

    def _server(mode="good", **options):
        made.append(MCPServer("faulty", sys.executable, ("-u", FAULTY, mode), **options))
        return made[-1]

    yield _server
    for provider in made:
        provider.close()
        assert provider.running() == 0


def exists(pid):
    """Whether a process is there and no zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


def gone(pid):
    """Wait until a process is gone; false if it stays."""
    for _ in range(1000):
        if not exists(pid):
            return True
        time.sleep(0.01)
    return False

"""Where verifiers finds our taskset and the tests' own, here and in programs that it starts."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FOLDERS = [
    ROOT / "tests/integrations/verifiers/tasksets",
    ROOT / "agents/integrations/verifiers/environment",
    ROOT,
]
sys.path[:0] = [str(folder) for folder in FOLDERS]
os.environ["PYTHONPATH"] = os.pathsep.join(map(str, FOLDERS))


@pytest.fixture
def no_threads_left():
    """Fail if the test leaves a thread."""
    before = set(threading.enumerate())
    yield
    left = [thread for thread in threading.enumerate() if thread not in before]
    for thread in left:
        thread.join(5)
    assert not [thread for thread in left if thread.is_alive()]

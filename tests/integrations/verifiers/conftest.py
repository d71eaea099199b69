"""Where verifiers finds our taskset and the tests' own, here and in programs that it starts."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import gymnasium as gym
import pytest

ROOT = Path(__file__).parents[3]
FOLDERS = [
    ROOT / "tests/integrations/verifiers/tasksets",
    ROOT / "agents/integrations/verifiers/environment",
    ROOT,
]
REGISTERED = "ToolRLSums-v0"
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


@pytest.fixture
def make():
    """Make environments of verifiers' that are closed in the end."""
    from agents.integrations.verifiers import VerifiersEnv
    from tests.integrations.verifiers.sums import sums

    made = []

    def make(source=None, **kwargs):
        made.append(VerifiersEnv(sums() if source is None else source, **kwargs))
        return made[-1]

    yield make
    for env in made:
        env.close()


@pytest.fixture
def registered():
    """Id of the small taskset."""
    from agents.integrations.verifiers import VerifiersEnv
    from tests.integrations.verifiers.sums import sums

    gym.register(REGISTERED, entry_point=lambda: VerifiersEnv(sums()))
    yield REGISTERED
    del gym.registry[REGISTERED]

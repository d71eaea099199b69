"""Fixtures of the OpenEnv tests, which run in a venv that has OpenEnv."""

from __future__ import annotations

import gymnasium as gym
import pytest

from tests.data.own.support import ROWS, Till, add
from toolrl_env.envs.own import OwnToolsEnv

OWN = "ToolRLServed-v0"


@pytest.fixture
def own_id():
    """Register a small multi-turn environment for the test."""
    gym.register(OWN, entry_point=lambda **kwargs: OwnToolsEnv([Till, add], ROWS, **kwargs))
    yield OWN
    del gym.registry[OWN]

"""For the tests of SkyRL: a pool of each test's own, and tools that a test can break."""

from __future__ import annotations

from contextlib import contextmanager

import gymnasium as gym
import skyrl_gym

from agents.integrations.pool import EnvPool
from agents.integrations.skyrl import ENV_CLASS, ToolRLTextEnv, register
from tests.data.own.support import ROWS, Till, add
from toolrl_env.envs.own import OwnToolsEnv

OWN = "ToolRLSkyRL-v0"


@contextmanager
def registered(monkeypatch):
    """Register ours with SkyRL-Gym, with a pool of its own and an environment over a till."""
    register()
    gym.register(OWN, entry_point=lambda **kwargs: OwnToolsEnv([Till, add], ROWS, **kwargs))
    with EnvPool() as pool:
        monkeypatch.setattr(ToolRLTextEnv, "pool", pool)
        yield
    del gym.registry[OWN]
    skyrl_gym.envs.deregister(ENV_CLASS)

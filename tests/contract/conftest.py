"""What every contract test runs on: every registered id, and variants that differ in kind."""

from __future__ import annotations

import warnings

import gymnasium as gym
import pytest

import toolrl_env  # noqa: F401  # registers the ids
from toolrl_env.data import SampleDataWarning

IDS = sorted(name for name in gym.registry if name.startswith("ToolRL-"))
VARIANTS = [(env_id, {}) for env_id in IDS] + [
    ("ToolRL-APIBank-v0", {"level": 2}),
    ("ToolRL-APIBank-v0", {"level": 3}),
    ("ToolRL-Toolbox-v0", {"difficulty": 5}),
    ("ToolRL-ToolACE-v0", {"protocol": "native"}),
    ("ToolRL-XLAM-v0", {"protocol": "python", "strict": True}),
]


def _name(variant):
    env_id, kwargs = variant
    return "-".join([env_id, *(f"{key}={value}" for key, value in kwargs.items())])


@pytest.fixture(params=VARIANTS, ids=_name)
def variant(request):
    """An id and keyword arguments for ``gym.make``."""
    return request.param


@pytest.fixture
def make(variant):
    """Make the variant's environment, as a user would, without the notice about samples."""
    env_id, kwargs = variant
    made = []

    def _make(**more):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SampleDataWarning)
            env = gym.make(env_id, **{**kwargs, **more})
        made.append(env)
        return env

    yield _make
    for env in made:
        env.close()


@pytest.fixture
def make_vec(variant):
    """Make the variant's vector environment in a given mode, with default arguments."""
    env_id, kwargs = variant
    made = []

    def _make(mode, num_envs=3, **more):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SampleDataWarning)
            env = gym.make_vec(
                env_id, num_envs=num_envs, vectorization_mode=mode, **{**kwargs, **more}
            )
        made.append(env)
        return env

    yield _make
    for env in made:
        env.close()

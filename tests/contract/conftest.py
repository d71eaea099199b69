"""What every contract test runs on: every registered id, and variants that differ in kind."""

from __future__ import annotations

import warnings

import gymnasium as gym
import pytest
from gymnasium.envs.registration import load_env_creator

import toolrl_env  # noqa: F401  # registers the ids
from toolrl_env.data import SampleDataWarning
from toolrl_env.envs.modes import EnvMaker
from toolrl_env.envs.multi_turn import MultiTurnEnv

IDS = sorted(name for name in gym.registry if name.startswith("ToolRL-"))
MAKERS = {name: load_env_creator(gym.spec(name).entry_point) for name in IDS}
DIALOGUE_IDS = [
    name
    for name, maker in MAKERS.items()
    if isinstance(maker, EnvMaker) and maker.multi_turn is not None
]
MULTI_TURN_IDS = [
    name
    for name, maker in MAKERS.items()
    if isinstance(maker, type) and issubclass(maker, MultiTurnEnv)
]
SINGLE_TURN = [(env_id, {}) for env_id in IDS if env_id not in MULTI_TURN_IDS] + [
    ("ToolRL-APIBank-v0", {"level": 2}),
    ("ToolRL-APIBank-v0", {"level": 3}),
    ("ToolRL-Toolbox-v0", {"difficulty": 5}),
    ("ToolRL-ToolACE-v0", {"protocol": "native"}),
    ("ToolRL-XLAM-v0", {"protocol": "python", "strict": True}),
]
RECORDED = [(env_id, {"mode": "multi_turn"}) for env_id in DIALOGUE_IDS] + [
    ("ToolRL-APIBank-v0", {"mode": "multi_turn", "level": 3, "protocol": "native"}),
    ("ToolRL-RLLA-v0", {"mode": "multi_turn", "strict": True, "protocol": "native"}),
]
MULTI_TURN = [(env_id, {}) for env_id in MULTI_TURN_IDS] + [
    *((env_id, kwargs | {"continuation": "free_running"}) for env_id, kwargs in RECORDED),
    ("ToolRL-BFCLMultiTurn-v0", {"category": "miss_func", "protocol": "native"}),
    ("ToolRL-Search-v0", {"protocol": "native", "answer_score": "f1", "top_k": 5}),
    ("ToolRL-Workspace-v0", {"difficulty": 6, "protocol": "python", "episode_reward": "shaped"}),
]

WORLDS = [variant for variant in MULTI_TURN if variant[1].get("mode") != "multi_turn"] + [
    *RECORDED[:1],
    (RECORDED[0][0], RECORDED[0][1] | {"continuation": "free_running", "protocol": "python"}),
]
"""For tests that take long: every world, and one dataset's dialogues for all of them."""


def _name(variant):
    env_id, kwargs = variant
    return "-".join([env_id, *(f"{key}={value}" for key, value in kwargs.items())])


@pytest.fixture(params=[*SINGLE_TURN, *MULTI_TURN, *RECORDED], ids=_name)
def variant(request):
    """An id and keyword arguments for ``gym.make``."""
    return request.param


@pytest.fixture(params=SINGLE_TURN, ids=_name)
def single_turn(request):
    """The same, of environments whose episodes are one answer."""
    return request.param


@pytest.fixture(params=[*MULTI_TURN, *RECORDED], ids=_name)
def multi_turn(request):
    """The same, of environments whose episodes go on."""
    return request.param


@pytest.fixture(params=MULTI_TURN, ids=_name)
def listening(request):
    """The same, of those in which the answer decides what follows."""
    return request.param


@pytest.fixture(params=RECORDED, ids=_name)
def recorded(request):
    """The same, of those in which a recorded answer takes the place of the model's."""
    return request.param


@pytest.fixture(params=WORLDS, ids=_name)
def world(request):
    """The same, without the dialogues of all datasets but one."""
    return request.param


@pytest.fixture
def make_world(world):
    """Make the environment of a world."""
    return _maker(world)


def _maker(variant):
    env_id, kwargs = variant

    def _make(**more):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SampleDataWarning)
            return gym.make(env_id, **{**kwargs, **more})

    return _make


@pytest.fixture
def make_single(single_turn):
    """Make a single-turn variant's environment."""
    return _maker(single_turn)


@pytest.fixture
def make_multi(multi_turn):
    """Make a multi-turn variant's environment."""
    return _maker(multi_turn)


@pytest.fixture
def make_listening(listening):
    """Make the environment of a variant in which the answer decides what follows."""
    return _maker(listening)


@pytest.fixture
def make_recorded(recorded):
    """Make the environment of a variant in which a recorded answer replaces the model's."""
    return _maker(recorded)


@pytest.fixture
def make(variant):
    """Make the variant's environment, as a user would, without the notice about samples."""
    return _maker(variant)


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

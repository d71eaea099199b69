"""Environments by id and arguments: what is wrong is named, with what is allowed."""

from __future__ import annotations

import gymnasium as gym
import pytest

from agents.env_kwargs import make_env, parse_env_kwargs
from toolrl_env.core.errors import ConfigurationError

TOOLBOX = "ToolRL-Toolbox-v0"


class Parent(gym.Env):
    observation_space = action_space = gym.spaces.Discrete(2)

    def __init__(self, tasks, *, colour="red"):
        self.tasks, self.colour = tasks, colour


class Child(Parent):
    def __init__(self, size, **kwargs):
        super().__init__(range(size), **kwargs)


@pytest.fixture
def child_id():
    gym.register("Child-v0", entry_point=Child)
    yield "Child-v0"
    del gym.registry["Child-v0"]


def test_arguments_reach_the_environment(child_id):
    env = make_env(child_id, {"size": 3, "colour": "blue"}).unwrapped
    assert (env.tasks, env.colour) == (range(3), "blue")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            {"size": 3, "color": "blue"},
            r"made: unknown argument 'color'; allowed: colour, size\. Did you mean 'colour'",
        ),
        ({"size": 3, "tasks": []}, "unknown argument 'tasks'; allowed: colour, size"),
        ({"colour": "blue"}, "Child-v0 cannot be made: .*missing 1 required .*'size'"),
        ({"size": "3"}, "Child-v0 cannot be made: 'str' object"),
    ],
)
def test_an_argument_that_is_not_taken_is_named(child_id, arguments, said):
    with pytest.raises(ConfigurationError, match=said):
        make_env(child_id, arguments)


def test_arguments_of_the_base_class_are_among_the_allowed():
    with pytest.raises(ConfigurationError, match=r"allowed: .*difficulty.*protocol.*'difficulty'"):
        make_env(TOOLBOX, {"difficlty": 1})


def test_a_function_that_makes_the_environment_says_what_it_can():
    with pytest.raises(ConfigurationError, match="'splt'"):
        make_env("ToolRL-ToolACE-v0", {"splt": "test"})


def test_what_is_no_json_object_is_refused():
    assert parse_env_kwargs('{"difficulty": 1}') == {"difficulty": 1}
    for text in ("", "[1]", "null", "{"):
        with pytest.raises(ConfigurationError, match="env_kwargs="):
            parse_env_kwargs(text)

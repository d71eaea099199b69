"""Agents of the user's own: what is wrong with one is said in words before anything is played."""

from __future__ import annotations

import re

import pytest

from agents.evaluating.own_agent import load_agent
from toolrl_env.core.errors import ConfigurationError

MODULE = """
class Good:
    def act(self, observations, infos):
        return ["hm"] * len(observations)

class Static:
    @staticmethod
    def act(observations, infos, mood="good"):
        return ["hm"] * len(observations)

class OneArgument:
    def act(self, observations):
        return ["hm"] * len(observations)

class ThreeArguments:
    def act(self, observations, infos, seeds):
        return ["hm"] * len(observations)

class NeedsPath:
    def __init__(self, path):
        self.path = path

    def act(self, observations, infos):
        return ["hm"] * len(observations)

class Predictor:
    def predict(self, observations):
        return observations

class Bug:
    def __init__(self):
        raise RuntimeError("the weights are gone")

    def act(self, observations, infos):
        return ["hm"] * len(observations)

def make():
    return Good()

ready = Good()
number = 3
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "my_agents.py").write_text(MODULE)
    (tmp_path / "needy.py").write_text("import no_such_package")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "my_agents", raising=False)
    return tmp_path


@pytest.mark.parametrize("name", ["Good", "Static", "make"])
def test_classes_and_functions_make_agents(name, folder):
    policy, source = load_agent("my_agents", name)
    assert policy.act(["a", "b"], [{}, {}]) == ["hm", "hm"]
    assert len(source) == 64


@pytest.mark.parametrize(
    ("module", "name", "said"),
    [
        ("my_agents", "OneArgument", "act must take (observations, infos): too many"),
        ("my_agents", "ThreeArguments", "(observations, infos): missing a required argument"),
        ("my_agents", "NeedsPath", "is called without arguments: missing a required"),
        ("my_agents", "Predictor", "has no act(observations, infos)"),
        ("my_agents", "ready", "is an agent already; name its class"),
        ("my_agents", "number", "has no class 'number'"),
        ("my_agents", "Goood", "has no class 'Goood'. Did you mean 'Good'?"),
        ("my_agents.py", "Good", "as in an import statement, my_agents:Good"),
        ("./my/agents.py", "Good", "as in an import statement, my.agents:Good"),
        ("needy", "Good", "cannot import 'needy': No module named 'no_such_package'. Hint"),
        ("nowhere_at_all", "Good", "cannot import 'nowhere_at_all'"),
        ("json", "dumps", "is called without arguments"),
    ],
)
def test_what_is_wrong_is_said(module, name, said, folder):
    with pytest.raises(ConfigurationError, match=re.escape(said)) as error:
        load_agent(module, name, " Hint")
    assert f"agent='{module}:{name}'" in str(error.value)


def test_a_bug_of_the_agent_keeps_its_traceback(folder):
    with pytest.raises(RuntimeError, match="the weights are gone"):
        load_agent("my_agents", "Bug")


def test_another_source_is_another_agent(folder):
    _, before = load_agent("my_agents", "Good")
    with (folder / "my_agents.py").open("a") as file:
        file.write("# changed")
    assert load_agent("my_agents", "Good")[1] != before

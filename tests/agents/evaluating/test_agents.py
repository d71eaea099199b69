from __future__ import annotations

import gymnasium as gym
import pytest

import toolrl_env  # noqa: F401
from agents.chat.options import ChatOptions
from agents.evaluating.agents import Sampling, choose_agent
from agents.openai import OpenAIPolicy
from agents.sb3 import SB3Config, train
from agents.sb3_policies import SB3Policy
from agents.scripted import GoldPolicy, NoisyGoldPolicy, RandomPolicy
from agents.transformers_policy import TransformersPolicy
from tests.agents.evaluating import flaky
from toolrl_env.core.errors import ConfigurationError

MINE = "tests.agents.evaluating.flaky"


def choose(what, protocol="native", **sampling):
    env = gym.make("ToolRL-Toolbox-v0", protocol=protocol).unwrapped
    given = Sampling(**{"temperature": 0.5, "max_new_tokens": 7, "batch_size": 3, **sampling})
    return choose_agent(what, env, given, ChatOptions())


def test_scripted_agents_speak_the_protocol_of_the_environment():
    assert type(choose("gold").policy) is GoldPolicy
    assert choose("gold").policy.protocol.name == "native"
    assert isinstance(choose("random").policy, RandomPolicy)
    assert choose("random").policy.protocol.name == "native"
    noisy = choose("noisy:0.3").policy
    assert isinstance(noisy, NoisyGoldPolicy)
    assert noisy.error_rate == 0.3


def test_a_folder_with_a_model(tiny_folder):
    chosen = choose(f"hf:{tiny_folder}", "toolrl")
    assert isinstance(chosen.policy, TransformersPolicy)
    assert (chosen.policy.temperature, chosen.policy.max_new_tokens) == (0.5, 7)
    assert chosen.settings["temperature"] == 0.5
    assert chosen.settings["dtype"] == "torch.float32"
    assert len(chosen.settings["weights_sha256"]) == 64
    again = choose(f"hf:{tiny_folder}", "toolrl", batch_size=4)
    assert again.settings == {**chosen.settings, "batch_size": 4}


def test_a_hosted_model():
    chosen = choose("openai:org/model:tag@http://127.0.0.1:9/v1/")
    with chosen.closing as policy:
        assert policy is chosen.policy
        assert isinstance(policy, OpenAIPolicy)
        assert (policy.model, policy.base_url) == ("org/model:tag", "http://127.0.0.1:9/v1")
        assert chosen.settings["fields"] == {"temperature": 0.5, "max_tokens": 7}
        assert chosen.report() == "0 replies paid for (0 tokens), 0 from the cache"


def test_a_model_of_stable_baselines3(tmp_path):
    settings = SB3Config(out=tmp_path, steps=64, envs=2, eval_episodes=2)
    chosen = choose(f"sb3:{train(settings)}", "python")
    assert isinstance(chosen.policy, SB3Policy)
    assert chosen.policy.protocol.name == "python"
    assert len(chosen.settings["model_sha256"]) == 64


def test_one_of_your_own():
    chosen = choose(f"{MINE}:Unreachable")
    assert isinstance(chosen.policy, flaky.Unreachable)
    assert chosen.settings == {}
    assert chosen.report() == ""


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("gould", r"allowed: gold, random, noisy:<rate>, hf:<path or id>.*Did you mean gold\?"),
        ("", "allowed: gold"),
        ("gold:1", "it is written gold"),
        ("noisy", "it is written noisy:<rate>"),
        ("noisy:lots", "rate of mistakes, 0 to 1"),
        ("noisy:2", "error_rate=2.0"),
        ("hf:", "it is written hf:"),
        ("hf:/no/such/folder", "cannot be loaded"),
        ("openai:model", "openai:<model>@<base url>"),
        ("openai:model@ftp://x", "openai:<model>@<base url>"),
        ("sb3:no/such.zip", "there is no such file"),
        (f"sb3:{__file__}", "is no model.zip of agents.sb3"),
        ("nosy:0.3", r"cannot import 'nosy'.*Did you mean noisy:<rate>\?"),
        (f"{MINE}:Nobody", "has no class 'Nobody'"),
        (f"{MINE}:FLAKY", "has no class 'FLAKY'"),
        (f"{MINE}:NoActor", "has no act"),
    ],
)
def test_others_are_refused_in_words(what, said):
    with pytest.raises(ConfigurationError, match=said):
        choose(what)

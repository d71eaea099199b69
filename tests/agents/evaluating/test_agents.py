from __future__ import annotations

import re
import sys

import gymnasium as gym
import pytest
import torch

import toolrl_env  # noqa: F401
from agents.chat.options import ChatOptions
from agents.evaluating.agents import Sampling, choose_agent
from agents.files import source_hash
from agents.openai import OpenAIPolicy
from agents.precision import choose_device, choose_dtype
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
    chosen = choose(f"hf:{tiny_folder}", "toolrl", device="cpu")
    assert isinstance(chosen.policy, TransformersPolicy)
    assert (chosen.policy.temperature, chosen.policy.max_new_tokens) == (0.5, 7)
    assert chosen.settings["temperature"] == 0.5
    assert not chosen.greedy
    assert chosen.settings["dtype"] == "float32"
    assert len(chosen.settings["weights_sha256"]) == 64
    again = choose(f"hf:{tiny_folder}", "toolrl", device="cpu", batch_size=4)
    assert again.settings == {**chosen.settings, "batch_size": 4}


def test_what_a_model_computes_on_and_in(tiny_folder):
    auto = choose(f"hf:{tiny_folder}", device="auto", dtype="auto")
    device, dtype = choose_device("auto"), choose_dtype("auto", choose_device("auto"))
    assert auto.policy.model.device.type == device.type
    assert auto.policy.model.dtype is dtype
    found = {}
    for dtype in ("float32", "bfloat16"):
        chosen = choose(f"hf:{tiny_folder}", device="cpu", dtype=dtype)
        assert chosen.policy.model.device == torch.device("cpu")
        assert str(chosen.policy.model.dtype) == f"torch.{dtype}"
        assert chosen.settings["device"] == "cpu"
        found[dtype] = chosen.settings
    assert found["float32"] == {**found["bfloat16"], "dtype": "float32"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"device": "cdua"},
            "unknown device 'cdua'; allowed: auto, cpu, cuda. Did you mean 'cuda'",
        ),
        ({"device": "cuda:99"}, "device='cuda:99'; torch sees"),
        ({"dtype": "float16"}, "unknown dtype 'float16'; allowed: auto, bfloat16, float32"),
    ],
)
def test_devices_and_formats_that_are_not_there(options, said, tiny_folder):
    with pytest.raises(ConfigurationError, match=re.escape(said)):
        choose(f"hf:{tiny_folder}", **options)


@pytest.mark.parametrize("what", ["gold", "sb3:model.zip", "my_module:MyAgent"])
@pytest.mark.parametrize("option", [{"device": "cuda"}, {"dtype": "float16"}])
def test_a_device_or_format_that_would_do_nothing_is_refused(what, option):
    ((name, value),) = option.items()
    said = f"{name}='{value}' has no effect on agent='{what}'"
    with pytest.raises(ConfigurationError, match=re.escape(said)):
        choose(what, **option)


def test_greedy_answers_are_marked(tiny_folder):
    assert choose(f"hf:{tiny_folder}", temperature=0.0).greedy
    assert not choose("gold", temperature=0.0).greedy


@pytest.mark.parametrize(
    ("package", "modules", "what", "extra"),
    [
        ("openai", ["openai"], "openai:m@http://127.0.0.1:9/v1", "openai"),
        ("stable_baselines3", ["sb3_policies", "sb3"], f"sb3:{__file__}", "sb3"),
        ("transformers", ["models", "models.smollm2"], "hf:smollm2", "agents"),
    ],
)
def test_a_package_that_is_missing_is_named(package, modules, what, extra, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, package, None)
    for name in modules:
        monkeypatch.delitem(sys.modules, f"agents.{name}", raising=False)
    said = re.escape(f"needs the package {package}: pip install -e '.[{extra}]'")
    with pytest.raises(ConfigurationError, match=said):
        choose(what)


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
    assert chosen.settings == {"source_sha256": source_hash(flaky)}
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
        ("hf:/no/such/folder", "'/no/such/folder': there is no such folder"),
        ("hf:runs/no/checkpoint", "there is no such folder"),
        ("hf:~/no-checkpoint", "there is no such folder"),
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

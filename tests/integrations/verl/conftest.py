"""A tiny model for verl to train, a server with it, and verl's own configuration."""

from __future__ import annotations

import copy
import sys
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf

from agents.models import load_folder, tiny
from agents.prompting import ChatEncoder

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # verl ships a package "tests", which hides ours
from verl_server import ModelServer  # noqa: E402  # found there, as by Ray's workers

ROOT = HERE.parents[2]
LOOP_CONFIG = ROOT / "agents/integrations/verl/agent_loop.yaml"
WORKSPACE = "ToolRL-Workspace-v0"
SMALL = (
    "actor_rollout_ref.rollout.name=vllm",
    "actor_rollout_ref.rollout.agent.num_workers=1",
    "reward.num_workers=1",
    "data.max_prompt_length=1024",
    "data.max_response_length=512",
)
BREVITY = 16.0  # on the end token's row of the tied head: a fresh model then ends its answers soon


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Keep torch on one thread."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    """A tiny model that has seen the workspace's words, whose answers are short."""
    model, tokenizer = tiny.create(WORKSPACE, {"difficulty": 1}, seed=0, texts=40)
    with torch.no_grad():
        model.get_input_embeddings().weight[tokenizer.eos_token_id] *= BREVITY
    path = tmp_path_factory.mktemp("tiny")
    model.save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


@pytest.fixture(scope="session")
def tokenizer(folder):
    """The model's tokenizer as transformers loads it."""
    return load_folder(folder)[1]


@pytest.fixture(scope="session")
def encoder(tokenizer):
    """The model's encoder."""
    return ChatEncoder(tokenizer)


@pytest.fixture
def server(folder):
    """Return a maker of servers."""
    return lambda **kwargs: ModelServer(folder, **kwargs)


@pytest.fixture(scope="session")
def make_config(folder):
    """Return a maker of verl's own configuration, with further overrides.

    verl's files are read once. An override must name a setting that there is, or begin with "+".
    """
    with initialize_config_module("verl.trainer.config", version_base=None):
        plain = compose("ppo_trainer", overrides=list(SMALL))
    plain.actor_rollout_ref.model.path = str(folder)
    plain.actor_rollout_ref.rollout.agent.agent_loop_config_path = str(LOOP_CONFIG)

    def make(*overrides: str):
        config = copy.deepcopy(plain)
        for override in overrides:
            name, _, value = override.partition("=")
            value = OmegaConf.from_dotlist([f"value={value}"]).value
            OmegaConf.update(config, name.lstrip("+"), value, force_add=name.startswith("+"))
        return config

    return make

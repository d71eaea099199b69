"""A tiny model learns to use what a tool returned: without it the answer is a guess among eight."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from agents import grpo, sft
from agents.evaluation import evaluate
from agents.models import load_folder
from agents.prompting import ChatEncoder
from agents.transformers_policy import TransformersPolicy
from tests.agents.two_turns import CODES, TWO_TURNS

CHANCE = 1 / len(CODES)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def warm(tmp_path_factory):
    """A model that looks first, and only half knows what to do with what it finds."""
    return sft.train(
        sft.SFTConfig(
            env=TWO_TURNS,
            model="tiny",
            out=tmp_path_factory.mktemp("warm"),
            steps=36,
            learning_rate=2e-3,
            dtype="float32",
        )
    )


def learn(warm, out, **changes):
    """Run GRPO; return the success of every step and the checkpoint."""
    successes = []
    settings = {
        "env": TWO_TURNS,
        "model": str(warm),
        "out": out,
        "steps": 60,
        "prompts": 8,
        "group_size": 8,
        "max_new_tokens": 8,
        "learning_rate": 5e-4,
        "dtype": "float32",
    }
    config = grpo.GRPOConfig(**settings | changes)
    folder = grpo.train(config, lambda metrics: successes.append(metrics["success"]))
    return np.array(successes), folder


def solved(folder, **kwargs):
    """Share of the 64 tasks that a checkpoint solves greedily."""
    model, tokenizer = load_folder(folder)
    policy = TransformersPolicy(model, ChatEncoder(tokenizer), max_new_tokens=8)
    return evaluate(policy, TWO_TURNS, kwargs, range(64)).summary()["perfect"].mean


def test_grpo_learns_to_answer_with_the_result(warm, tmp_path):
    successes, folder = learn(warm, tmp_path, credit="gigpo")
    assert successes[-10:].mean() > successes[:5].mean() + 0.15, successes.tolist()
    assert successes[-10:].mean() > 5 * CHANCE
    assert solved(folder) > 0.7
    assert solved(folder, hide=True) < 2 * CHANCE  # it reads the result, it did not learn the codes


def test_without_the_result_nothing_is_learnt(warm, tmp_path):
    successes, folder = learn(warm, tmp_path, credit="gigpo", env_kwargs='{"hide": true}', steps=30)
    assert successes[-10:].mean() < 2 * CHANCE, successes.tolist()
    assert solved(folder, hide=True) < 2 * CHANCE

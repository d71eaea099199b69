"""A tiny model learns to use a tool's result: without it the answer is a guess among eight."""

from __future__ import annotations

import numpy as np
import pytest

from agents import grpo, sft
from agents.evaluation import evaluate
from agents.models import load_folder
from agents.prompting import ChatEncoder
from agents.transformers_policy import TransformersPolicy
from tests.agents.two_turns import COST, TWO_TURNS
from toolrl_env.core.types import StopReason

BEST = 1 - 2 * COST
CHANCE = 1 / 8


def warm_start(out, seed):
    """Teach the layout and to look first; how the answer follows from the result is yet vague."""
    return sft.train(
        sft.SFTConfig(
            env=TWO_TURNS,
            model="tiny",
            out=out,
            seed=seed,
            steps=WARM_STEPS,
            learning_rate=2e-3,
            dtype="float32",
            threads=1,
        )
    )


WARM_STEPS = 60


def learn(warm, out, seed, **changes):
    """Run GRPO; return the successes of every step and the checkpoint."""
    successes = []
    folder = grpo.train(
        grpo.GRPOConfig(
            env=TWO_TURNS,
            model=str(warm),
            out=out,
            seed=seed,
            steps=40,
            prompts=8,
            group_size=8,
            max_new_tokens=8,
            learning_rate=5e-4,
            dtype="float32",
            threads=1,
            **changes,
        ),
        lambda metrics: successes.append(metrics["success"]),
    )
    return successes, folder


def held_out(folder):
    """Greedy answers to all 64 tasks."""
    model, tokenizer = load_folder(folder)
    policy = TransformersPolicy(model, ChatEncoder(tokenizer), max_new_tokens=8)
    return evaluate(policy, TWO_TURNS, {"split": "test"}, range(64))

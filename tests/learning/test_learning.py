"""A tiny model from scratch learns: the warm start on a registered environment, RL on a toy."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
import torch

from agents import grpo, ppo, sft
from agents.evaluation import evaluate
from agents.models import load_folder
from agents.prompting import ChatEncoder
from agents.transformers_policy import TransformersPolicy
from toolrl_env.core.types import RewardBreakdown, StopReason, TermScore
from toolrl_env.spaces import UnicodeText

TOY = "ToolRLToy-v0"
WORDS = ("red", "green", "blue", "pink", "grey", "gold", "lime", "navy")


class ToyEnv(gym.Env[str, str]):
    """Repeat the user's word in brackets; a warm start that ends early gets some words wrong."""

    def __init__(self, split: str = "train") -> None:
        self.observation_space = self.action_space = UnicodeText(1000)
        self.split = split

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        index = (options or {}).get("task_index")
        self.index = int(self.np_random.integers(8)) if index is None else index
        return WORDS[self.index], self._info()

    def step(self, action):
        right = self.gold_answer() == action
        terms = (
            TermScore("format", float(action[:1] + action[-1:] == "[]"), 0.0, 1.0),
            TermScore("correctness", 3.0 if right else -3.0, -3.0, 3.0),
        )
        breakdown = RewardBreakdown(sum(term.score for term in terms), terms)
        extra = {"reward": breakdown.as_dict(), "breakdown": breakdown}
        info = self._info() | extra | {"stop_reason": StopReason.ANSWERED}
        return action, breakdown.total, True, False, info

    def gold_answer(self):
        return f"[ {WORDS[self.index]} ]"

    def _info(self):
        messages = [{"role": "user", "content": WORDS[self.index]}]
        return {"messages": messages, "tools": [], "task_id": str(self.index)}


gym.register(TOY, entry_point=ToyEnv)


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def half_taught(folder, seed):
    """A model whose warm start ended early."""
    return sft.train(
        sft.SFTConfig(env=TOY, model="tiny", out=folder, seed=seed, steps=14, learning_rate=2e-3)
    )


@pytest.mark.parametrize("seed", [0, 1])
def test_grpo_raises_the_reward(tmp_path, seed):
    warm = half_taught(tmp_path / "sft", seed)
    rewards = []
    folder = grpo.train(
        grpo.GRPOConfig(
            env=TOY,
            model=str(warm),
            out=tmp_path / "grpo",
            seed=seed,
            steps=70,
            prompts=8,
            group_size=8,
            max_new_tokens=16,
            learning_rate=5e-4,
        ),
        lambda metrics: rewards.append(metrics["reward"]),
    )
    assert np.mean(rewards[-5:]) > np.mean(rewards[:5]) + 1.5, rewards
    before, after = (held_out(place, TOY, {"split": "test"}, 8, 16) for place in (warm, folder))
    assert after >= before


def test_ppo_raises_the_reward(tmp_path):
    seed = 0
    warm = half_taught(tmp_path / "sft", seed)
    lines = []
    folder = ppo.train(
        ppo.PPOConfig(
            env=TOY,
            model=str(warm),
            out=tmp_path / "ppo",
            seed=seed,
            steps=30,
            prompts=48,
            max_new_tokens=16,
            learning_rate=5e-4,
            value_learning_rate=1e-2,
        ),
        lines.append,
    )
    rewards = [row["reward"] for row in lines]
    assert np.mean(rewards[-5:]) > np.mean(rewards[:5]) + 1.0, rewards
    explained = [row["explained_variance"] for row in lines]
    assert np.mean(explained[10:]) > 0.1, explained
    before, after = (held_out(place, TOY, {"split": "test"}, 8, 16) for place in (warm, folder))
    assert after >= before


def test_the_warm_start_teaches_the_layout_of_a_registered_environment(tmp_path):
    kwargs = {"difficulty": 1, "template": "short"}
    folder = sft.train(
        sft.SFTConfig(
            env="ToolRL-Toolbox-v0",
            env_kwargs='{"difficulty": 1, "template": "short"}',
            model="tiny",
            out=tmp_path,
            steps=80,
            learning_rate=4e-3,
            warmup_steps=10,
            decay_steps=20,
        )
    )
    assert held_out(folder, "ToolRL-Toolbox-v0", kwargs | {"split": "test"}, 24, 80) > -2.6


def held_out(folder, env_id, kwargs, tasks, tokens):
    """Mean held-out reward of a checkpoint, greedy."""
    return mean_reward(*load_folder(folder), env_id, kwargs, tasks, tokens)


def mean_reward(model, tokenizer, env_id, kwargs, tasks, tokens):
    """Mean reward of a model, greedy."""
    policy = TransformersPolicy(model, ChatEncoder(tokenizer), max_new_tokens=tokens)
    return evaluate(policy, env_id, kwargs, range(tasks)).summary()["reward"].mean

"""TorchRL's PPO on a plain make_vec loop learns to pick the right call of held-out tasks."""

from __future__ import annotations

import torch

from agents.integrations.torchrl_config import VectorPPOConfig
from agents.integrations.torchrl_ppo import build, greedy_reward, make_envs, train
from tests.learning.test_sb3 import random_reward

TASKS = range(80)


def test_picking_calls_is_learnt():
    torch.set_num_threads(1)
    config = VectorPPOConfig(env_kwargs='{"difficulty": 1}', updates=8)
    rewards = []
    actor = train(config, lambda _, reward: rewards.append(reward))
    torch.manual_seed(0)
    untrained, _ = build(make_envs(config)[1])
    assert random_reward({"difficulty": 1}) < 1.0
    assert rewards[0] < 0.5
    assert rewards[-1] > rewards[0] + 1.5
    assert greedy_reward(actor, config, TASKS) > max(3.3, greedy_reward(untrained, config, TASKS))

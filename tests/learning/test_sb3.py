"""PPO on candidate actions learns to pick the right call of held-out tasks."""

from __future__ import annotations

import json

import gymnasium as gym
import pytest

from agents import sb3
from agents.sb3_policies import SB3Policy
from toolrl_env.wrappers import CandidateActions

TOOLBOX = "ToolRL-Toolbox-v0"


def reward_of(answer_of, kwargs, tasks=120):
    env = gym.make(TOOLBOX, split="test", **kwargs)
    total = 0.0
    for index in range(tasks):
        observation, info = env.reset(options={"task_index": index})
        total += env.step(answer_of(observation, info))[1]
    return total / tasks


def random_reward(kwargs, tasks=120):
    env = CandidateActions(gym.make(TOOLBOX, split="test", **kwargs))
    env.action_space.seed(0)
    total = 0.0
    for index in range(tasks):
        _, info = env.reset(options={"task_index": index})
        total += env.step(env.action_space.sample(info["action_mask"].astype("int8")))[1]
    return total / tasks


@pytest.mark.parametrize(
    ("algo", "kwargs", "steps", "low", "high"),
    [
        ("ppo", {}, 4096, 0.0, 1.2),  # all difficulties; the best candidates earn 2.6
        ("maskable_ppo", {"difficulty": 1}, 3072, 1.0, 3.0),  # the best candidates earn 3.9
    ],
)
def test_picking_calls_is_learnt(algo, kwargs, steps, low, high, tmp_path):
    settings = {"env_kwargs": json.dumps(kwargs), "algo": algo, "steps": steps}
    path = sb3.train(sb3.SB3Config(out=tmp_path, eval_episodes=0, **settings))
    policy = SB3Policy.load(path)
    learnt = reward_of(lambda observation, info: policy.act([observation], [info])[0], kwargs)
    assert random_reward(kwargs) < low
    assert learnt > high

"""PPO on candidate actions learns to pick the right call of held-out tasks."""

from __future__ import annotations

import gymnasium as gym
import pytest

from agents import sb3
from agents.sb3_policies import SB3Policy
from toolrl_env.wrappers import CandidateActions

KWARGS = {"difficulty": 1, "split": "test"}


def reward_of(answer_of, tasks=80):
    env = gym.make("ToolRL-Toolbox-v0", **KWARGS)
    total = 0.0
    for index in range(tasks):
        observation, info = env.reset(options={"task_index": index})
        total += env.step(answer_of(observation, info))[1]
    return total / tasks


def random_reward(tasks=80):
    env = CandidateActions(gym.make("ToolRL-Toolbox-v0", **KWARGS))
    env.action_space.seed(0)
    total = 0.0
    for index in range(tasks):
        _, info = env.reset(options={"task_index": index})
        total += env.step(env.action_space.sample(info["action_mask"].astype("int8")))[1]
    return total / tasks


@pytest.mark.parametrize("algo", ["ppo", "maskable_ppo"])
def test_picking_calls_is_learnt(algo, tmp_path):
    path = sb3.train(
        sb3.SB3Config(
            env_kwargs='{"difficulty": 1}', algo=algo, out=tmp_path, steps=5120, eval_episodes=0
        )
    )
    policy = SB3Policy.load(path)
    learnt = reward_of(lambda observation, info: policy.act([observation], [info])[0])
    assert random_reward() < 1.0
    assert learnt > 3.0

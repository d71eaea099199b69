"""TorchRL's loss and advantages on a plain make_vec loop: masks, advantages, modes, refusals."""

from __future__ import annotations

import sys

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode
from tensordict.nn import TensorDictModule
from torch import nn
from torchrl.objectives.value import GAE

from agents.candidate_network import CandidateNetwork
from agents.gae import gae
from agents.integrations.torchrl_config import VectorPPOConfig
from agents.integrations.torchrl_ppo import (
    as_tensordict,
    build,
    greedy_reward,
    main,
    make_envs,
    sampler,
    train,
)
from agents.integrations.vector_rollout import collect, start
from tests.agents.integrations.counting import COUNTING
from toolrl_env.core.errors import ConfigurationError, InfrastructureError
from toolrl_env.core.types import FailureKind
from toolrl_env.envs.toolbox import ToolboxEnv
from toolrl_env.wrappers.numeric.candidate_actions import CandidateLayout

EASY = '{"difficulty": 1}'


def config(**changes):
    small = {"env_kwargs": EASY, "num_envs": 3, "steps": 4, "updates": 2, "epochs": 1}
    return VectorPPOConfig(**({**small, "candidates": 8, "minibatch": 8} | changes))


def weights(actor):
    return torch.cat([value.flatten() for value in actor.state_dict().values()])


# ------------------------------------------------------------------ the whole


@pytest.mark.parametrize("autoreset", ["same_step", "next_step"])
@pytest.mark.parametrize(
    ("env", "kwargs"), [("ToolRL-Toolbox-v0", EASY), ("ToolRL-Workspace-v0", '{"max_turns": 2}')]
)
def test_every_mode_of_make_vec_trains_to_the_same_weights(autoreset, env, kwargs):
    trained = [
        weights(train(config(mode=mode, autoreset=autoreset, env=env, env_kwargs=kwargs)))
        for mode in ("sync", "async", "vector_entry_point")
    ]
    assert torch.equal(trained[0], trained[1])
    assert torch.equal(trained[0], trained[2])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        actor, _ = build(make_envs(config())[1])
    assert not torch.equal(trained[0], weights(actor))


def test_a_seed_decides_everything_and_the_global_generator_stays():
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first, again, other = (weights(train(config(seed=seed))) for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_progress_is_reported():
    reports = []
    train(config(), lambda *report: reports.append(report))
    assert [number for number, _ in reports] == [1, 2]
    assert all(-3.0 <= reward <= 4.0 for _, reward in reports)


def test_the_command_line_says_the_rewards_and_writes_the_weights(tmp_path, monkeypatch, capsys):
    out = tmp_path / "deep" / "network.pt"
    options = ["--env-kwargs", EASY, "--updates", "1", "--num-envs", "2", "--steps", "2"]
    command = ["torchrl_ppo", *options, "--eval-tasks", "3", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", command)
    main()
    printed = capsys.readouterr().out
    assert "update 1: reward " in printed
    assert "on 3 tasks" in printed
    network = CandidateNetwork(make_envs(VectorPPOConfig(env_kwargs=EASY, num_envs=1))[1])
    network.load_state_dict(torch.load(out, weights_only=True))


# ------------------------------------------------------------------ the parts


def test_actions_are_drawn_and_only_from_the_mask():
    envs, layout = make_envs(config(num_envs=1, candidates=32))
    actor, _ = build(layout)
    moment = start(envs, 0)
    torch.manual_seed(0)
    observation = np.repeat(moment.observation, 2000, axis=0)
    mask = np.repeat(moment.mask, 2000, axis=0)
    mask[:, 3:] = False
    action, log_prob = sampler(actor)(observation, mask)
    counts = np.bincount(action, minlength=4)
    assert (counts[:3] > 400).all()  # an untrained policy is nearly even
    assert counts[3:].sum() == 0
    np.testing.assert_allclose(np.exp(log_prob), 1 / 3, atol=0.02)


def test_probabilities_that_the_loss_sees_are_those_of_sampling():
    envs, layout = make_envs(config())
    actor, _ = build(layout)
    rollout, _ = collect(envs, sampler(actor), start(envs, 0), 6)
    data = as_tensordict(rollout)
    distribution = actor.get_dist(data)
    torch.testing.assert_close(distribution.log_prob(data["action"]), data["action_log_prob"])
    assert distribution.entropy().isfinite().all()
    assert data.batch_size == (3, 6)


class _Value(nn.Module):
    """Says something else of every state of the counting environment."""

    def forward(self, observation):
        return (observation @ torch.tensor([0.7, -0.3])).unsqueeze(-1)


@pytest.mark.parametrize("autoreset", [AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP])
@pytest.mark.parametrize("cut", [False, True])
def test_torchrls_advantages_are_those_of_each_episode_alone(autoreset, cut):
    lengths = (1, 3, 2)
    envs = gym.make_vec(
        COUNTING,
        num_envs=2,
        vectorization_mode="sync",
        vector_kwargs={"autoreset_mode": autoreset},
        lengths=lengths,
        cut=cut,
        fail=12,
    )

    def act(observation, mask):
        return mask.argmax(axis=1), np.zeros(len(mask), np.float32)

    rollout, _ = collect(envs, act, start(envs, 0), 13)
    value = TensorDictModule(_Value(), ["observation"], ["state_value"])
    data = GAE(gamma=0.9, lmbda=0.8, value_network=value)(as_tensordict(rollout))

    def say(seen):
        return float(_Value()(torch.as_tensor(seen)))

    for env in range(2):
        rows = np.flatnonzero(rollout.valid[env])
        ends = [*np.flatnonzero(rollout.done[env][rows]), len(rows) - 1]
        first = 0
        for end in dict.fromkeys(ends):
            episode, last = rows[first : end + 1], rows[end]
            after = 0.0 if rollout.terminated[env, last] else say(rollout.following[env, last])
            values = np.array([say(seen) for seen in rollout.observation[env, episode]])
            rewards = rollout.reward[env, episode].astype(float)
            expected = gae(rewards, values, after, 0.9, 0.8)
            found = data["advantage"][env, episode, 0].numpy()
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
            first = end + 1


def test_the_greedy_reward_is_of_the_test_split(monkeypatch):
    splits, honest = [], ToolboxEnv.step

    def step(self, action):
        splits.append((self.tasks.split, self.tasks.index_of(self.task.id)))
        return honest(self, action)

    monkeypatch.setattr(ToolboxEnv, "step", step)
    actor, _ = build(make_envs(config())[1])
    greedy_reward(actor, config(), [4, 2])
    assert splits == [("test", 4), ("test", 2)]


# ------------------------------------------------------------------ failures and refusals


def fail_at(monkeypatch, number):
    """Let every ``number``-th answer meet a broken tool."""
    steps = iter(range(1, 10**6))
    honest = ToolboxEnv.run_calls

    def run_calls(self, current, action):
        if next(steps) % number == 0:
            raise InfrastructureError("the tool server is gone", FailureKind.SERVER_DOWN)
        return honest(self, current, action)

    monkeypatch.setattr(ToolboxEnv, "run_calls", run_calls)


@pytest.mark.parametrize("autoreset", ["same_step", "next_step"])
@pytest.mark.parametrize("mode", ["sync", "vector_entry_point"])
def test_a_failure_of_ours_is_no_transition(monkeypatch, autoreset, mode):
    fail_at(monkeypatch, 3)
    envs, layout = make_envs(config(autoreset=autoreset, mode=mode))
    actor, _ = build(layout)
    rollout, _ = collect(envs, sampler(actor), start(envs, 0), 12)
    steps = 36 if autoreset == "same_step" else 18
    assert rollout.valid.sum() == steps * 2 / 3
    assert (rollout.reward[rollout.valid] != 0.0).all()


def test_if_everything_fails_nothing_is_learnt_and_it_is_said(monkeypatch):
    fail_at(monkeypatch, 1)
    with pytest.raises(InfrastructureError, match="every step of a rollout"):
        train(config())
    layout = CandidateLayout.of(8, 64)
    with pytest.raises(InfrastructureError, match="tool server is gone"):
        greedy_reward(build(layout)[0], config(), range(2))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"mode": "asynch"}, "async"),
        ({"autoreset": "disabled"}, "same_step"),
        ({"minibatch": 1}, "minibatch=1"),
        ({"updates": 0}, "updates=0"),
        ({"eval_tasks": -1}, "eval_tasks=-1"),
        ({"seed": -1}, "seed=-1"),
        ({"candidates": 1}, "candidates=1; allowed: an integer from 2 to 1024"),
        ({"gamma": 1.5}, "gamma=1.5; allowed: 0 to 1"),
        ({"lam": float("nan")}, "lam=nan"),
        ({"learning_rate": 0.0}, "learning_rate=0.0; allowed: above 0"),
        ({"clip": float("inf")}, "clip=inf"),
        ({"entropy": -0.1}, "entropy=-0.1"),
        ({"env_kwargs": "{"}, "is not JSON"),
    ],
)
def test_settings_that_cannot_work_are_refused(change, said):
    with pytest.raises(ConfigurationError, match=said):
        config(**change)


@pytest.mark.parametrize("mode", ["sync", "async", "vector_entry_point"])
def test_an_environment_that_is_not_there_is_refused_in_every_mode(mode):
    with pytest.raises(ConfigurationError, match="ToolRL-Toolbx-v0 cannot be made"):
        make_envs(config(env="ToolRL-Toolbx-v0", mode=mode))
    with pytest.raises(ConfigurationError, match="dificulty"):
        make_envs(config(env_kwargs='{"dificulty": 1}', mode=mode))
    with pytest.raises(ConfigurationError, match="CartPole"):
        make_envs(config(env="CartPole-v1", env_kwargs="{}", mode=mode))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--env", "ToolRL-Toolbx-v0"], "ToolRL-Toolbx-v0 cannot be made"),
        (["--env", "ToolRL-ToolACE-v0", "--eval-tasks", "1000000"], "eval_tasks=1000000; allowed"),
        (["--eval-tasks", "0", "--out", "/dev/null/network.pt"], "cannot be written"),
        (["--eval-tasks", "0", "--out", "/"], "out='/' cannot be written: Is a directory"),
    ],
)
def test_misuse_is_said_in_a_line_before_the_training(options, said, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["torchrl_ppo", *options])
    with pytest.raises(SystemExit) as stopped:
        main()
    printed = capsys.readouterr()
    assert stopped.value.code == 2
    assert said in printed.err.strip().splitlines()[-1]
    assert "update 1" not in printed.out

"""PPO as a whole, on the small environment with the tiny model."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from agents import grpo, ppo
from agents.checkpoint import load_trainer_state
from agents.grpo import make_sampler
from agents.logs import read_metrics
from agents.models import load_folder
from agents.ppo import PPOConfig
from agents.rollout import GroupCollector
from agents.session import Session
from tests.agents.two_turns import TWO_TURNS
from toolrl_env.core.errors import ConfigurationError, DataError, InfrastructureError


@pytest.fixture
def config(stub_id, tiny_folder, tmp_path):
    return PPOConfig(
        env=stub_id,
        model=str(tiny_folder),
        out=tmp_path,
        steps=4,
        prompts=6,
        max_new_tokens=40,
        learning_rate=1e-4,
        micro_batch_tokens=200,
        dtype="float32",
    )


def weights(folder):
    model, _ = load_folder(folder)
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def rows(folder):
    return [
        {key: value for key, value in row.items() if "seconds" not in key}
        for row in read_metrics(folder.parent / "metrics.jsonl")
    ]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_resumed_run_equals_the_uninterrupted_one(config, tmp_path, dtype):
    config = replace(config, dtype=dtype)
    whole = ppo.train(replace(config, out=tmp_path / "whole"))
    half = ppo.train(replace(config, out=tmp_path / "half", steps=2))
    resumed = ppo.train(replace(config, out=tmp_path / "half", resume=half))
    assert torch.equal(weights(whole), weights(resumed))
    assert rows(whole) == rows(resumed)
    one, other = (load_trainer_state(f, config.as_json()).attached for f in (whole, resumed))
    assert sorted(one) == ["value_head", "value_optimizer"]
    for name, value in one["value_head"].items():
        assert torch.equal(value, other["value_head"][name])
        assert value.abs().sum() > 0
    for name, value in one["value_optimizer"]["state"][0].items():
        assert torch.equal(value, other["value_optimizer"]["state"][0][name])


def test_the_value_head_learns(config):
    # on one batch: the losses of different batches differ by more than a head learns in seconds
    config = replace(config, learning_rate=1e-6, value_learning_rate=3e-2, lam=1.0, updates=1)
    session = Session(config)
    critic = ppo.Critic(session, config)
    collector = GroupCollector(
        config.env, {}, session.encoder, limits=config.limits, prompts=12, group_size=1
    )
    sample = make_sampler(session, config, several_turns=False)
    groups = collector.collect(sample, range(12), np.random.default_rng(0), 0)
    episodes = [episode for group in groups for episode in group.scored]
    assert len({episode.reward for episode in episodes}) > 1
    parts = ppo.judge(session, critic, config, episodes)
    assert len(parts) > 1
    lines = [ppo.update(session, critic, config, parts, step) for step in range(40)]
    losses = [line["value_loss"] for line in lines]
    assert losses[-1] < 0.9 * losses[0]
    assert np.mean(np.diff(losses) < 0) > 0.7
    after = ppo.update(session, critic, config, ppo.judge(session, critic, config, episodes), 40)
    assert lines[0]["explained_variance"] == pytest.approx(0.0, abs=1e-6)
    assert after["explained_variance"] > 0.05  # better than any constant


def test_the_first_update_is_on_policy_and_the_second_is_not(config, tmp_path):
    one = rows(ppo.train(replace(config, out=tmp_path / "one", updates=1, steps=2)))
    assert max(row["approx_kl"] for row in one) < 1e-6
    two = rows(ppo.train(replace(config, out=tmp_path / "two", updates=2, steps=2)))
    assert max(row["approx_kl"] for row in two) > 1e-7


def test_parts_add_up_to_the_whole_batch(config, tmp_path):
    config = replace(config, steps=1, updates=1, group_size=2, whiten=False)
    parts = rows(ppo.train(replace(config, out=tmp_path / "parts", micro_batch_tokens=60)))[0]
    whole = rows(ppo.train(replace(config, out=tmp_path / "whole", micro_batch_tokens=9999)))[0]
    for name in ("loss", "value_loss", "grad_norm"):
        assert parts[name] == pytest.approx(whole[name], rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("choice", [{"value_clip": 0.01}, {"whiten": False}, {"lam": 0.0}])
def test_choices_change_the_run(config, tmp_path, choice):
    config = replace(config, steps=3, value_learning_rate=0.1)
    base = ppo.train(replace(config, out=tmp_path / "base"))
    other = ppo.train(replace(config, out=tmp_path / "other", **choice))
    assert not torch.equal(weights(base), weights(other))


def test_episodes_of_several_turns(config, tmp_path):
    # the model knows nothing of these tasks, so most episodes run into the turn limit
    config = replace(config, env=TWO_TURNS, model="tiny", steps=2, max_new_tokens=6, prompts=3)
    lines = rows(ppo.train(config))
    assert all(row["turns"] > 1 and row["context_tokens"] > 0 for row in lines)
    assert all(math.isfinite(row["loss"]) and row["grad_norm"] > 0 for row in lines)


def test_failures_are_left_out(config):
    lines = rows(ppo.train(replace(config, env_kwargs='{"fail": "raise", "every": 2}', steps=2)))
    assert sum(row["failures"] for row in lines) > 0
    with pytest.raises(InfrastructureError):
        ppo.train(replace(config, env_kwargs='{"fail": "raise"}'))


def test_a_checkpoint_of_another_trainer_is_refused(config, stub_id, tiny_folder, tmp_path):
    other = grpo.train(
        grpo.GRPOConfig(env=stub_id, model=str(tiny_folder), out=tmp_path / "g", steps=1)
    )
    with pytest.raises((DataError, ConfigurationError)):
        ppo.train(replace(config, resume=other))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prompts": 0}, "prompts=0"),
        ({"group_size": 0}, "group_size=0"),
        ({"gamma": 1.1}, "gamma=1.1"),
        ({"lam": -0.1}, "lam=-0.1"),
        ({"value_clip": 0.0}, "value_clip=0"),
        ({"value_learning_rate": 0.0}, "value_learning_rate=0"),
        ({"updates": 0}, "updates=0"),
    ],
)
def test_bad_settings(change, message):
    with pytest.raises(ConfigurationError, match=message):
        PPOConfig(**change)

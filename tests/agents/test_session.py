from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import gymnasium as gym
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from agents.chat_delta import ChatDelta
from agents.grpo import GRPOConfig
from agents.session import RunConfig, Session, parse_env_kwargs
from agents.sft import SFTConfig, gold_episode
from toolrl_env.core.errors import ConfigurationError, DataError

COUNTS = st.integers(0, 12)


@given(st.integers(1, 30), COUNTS, COUNTS)
def test_the_learning_rate_is_positive_and_at_most_its_name(steps, warmup, decay):
    config = RunConfig(steps=steps, warmup_steps=warmup, decay_steps=decay)
    assert all(0 < config.rate(step) <= config.learning_rate for step in range(steps))


@given(st.integers(1, 12), COUNTS, COUNTS)
def test_the_learning_rate_rises_stays_and_falls(middle, warmup, decay):
    steps = warmup + middle + decay
    config = RunConfig(steps=steps, learning_rate=2.0, warmup_steps=warmup, decay_steps=decay)
    rates = [config.rate(step) for step in range(steps)]
    rising, plateau, falling = rates[:warmup], rates[warmup : warmup + middle], rates[-decay:]
    assert plateau == [2.0] * middle
    assert rising == sorted(set(rising))
    assert decay == 0 or falling == sorted(set(falling), reverse=True)


def test_without_warmup_and_decay_the_rate_is_constant():
    config = RunConfig(steps=5, learning_rate=0.5)
    assert {config.rate(step) for step in range(5)} == {0.5}


@pytest.mark.parametrize("config", [RunConfig(), SFTConfig(), GRPOConfig(resume=Path("x"))])
def test_settings_are_json(config):
    values = config.as_json()
    assert json.loads(json.dumps(values)) == values
    assert values["env"] == "ToolRL-Toolbox-v0"


@pytest.mark.parametrize(
    "name", ["seed", "warmup_steps", "decay_steps", "weight_decay", "save_every"]
)
def test_negative_settings_are_refused_by_name(name):
    with pytest.raises(ConfigurationError, match=f"{name}=-1; it must be at least 0"):
        RunConfig(**{name: -1})


@pytest.mark.parametrize("value", [0.0, -1.0, float("inf"), float("nan")])
@pytest.mark.parametrize("name", ["learning_rate", "max_grad_norm"])
def test_rates_and_norms_are_finite_and_positive(name, value):
    with pytest.raises(ConfigurationError, match=f"{name}="):
        RunConfig(**{name: value})


@pytest.mark.parametrize("text", ["", "null", "3", '"x"', "[]", "{"])
def test_env_kwargs_are_an_object(text):
    with pytest.raises(ConfigurationError, match="env_kwargs"):
        parse_env_kwargs(text)


@pytest.fixture
def session(stub_id, tiny_folder, tmp_path):
    config = RunConfig(
        env=stub_id, model=str(tiny_folder), out=tmp_path, steps=2, max_grad_norm=0.5,
        dtype="float32",
    )  # fmt: skip
    running = Session(config)
    yield running
    running.close()


def weights(session):
    return torch.cat([p.detach().flatten().clone() for p in session.policy.parameters()])


def test_backward_adds_up_and_optimise_clears(session):
    for _ in range(2):
        session.backward(session.policy.lm_head.weight.sum())
    assert session.policy.lm_head.weight.grad.unique().tolist() == [2.0]
    before = weights(session)
    norm = session.optimise(0)
    assert norm == pytest.approx(2 * session.policy.lm_head.weight.numel() ** 0.5)
    assert not torch.equal(weights(session), before)
    assert all(p.grad is None for p in session.policy.parameters())


def test_a_step_is_as_long_as_the_learning_rate(stub_id, tiny_folder, tmp_path):
    config = RunConfig(
        env=stub_id, model=str(tiny_folder), out=tmp_path, steps=9, learning_rate=1e-3,
        warmup_steps=3, dtype="float32",
    )  # fmt: skip
    running = Session(config)
    before = weights(running)
    running.backward(running.policy.lm_head.weight.sum())
    running.optimise(0)
    moved = (weights(running) - before).abs().max().item()
    assert moved == pytest.approx(1e-3 / 4, rel=0.02)  # Adam's first step is one learning rate
    running.close()


def test_the_model_is_not_in_training_mode(session):
    assert not session.policy.training


def test_bfloat16_computes_in_bfloat16_and_saves_float32(stub_id, tiny_folder, tmp_path):
    config = RunConfig(env=stub_id, model=str(tiny_folder), out=tmp_path, steps=1, dtype="bfloat16")
    running = Session(config)
    assert running.policy.dtype is torch.bfloat16
    running.backward(running.policy.lm_head.weight.sum())
    assert running.optimise(0) > 0
    running.finish_step({"step": 0, "seconds": 0.0})
    running.close()
    assert json.loads((running.checkpoint / "config.json").read_text())["dtype"] == "float32"


class Memory:
    """Anything that can be saved."""

    def __init__(self):
        self.seen = []

    def state_dict(self):
        return {"seen": list(self.seen)}

    def load_state_dict(self, state):
        self.seen = list(state["seen"])


def test_what_is_attached_is_saved_and_given_back(stub_id, tiny_folder, tmp_path):
    config = RunConfig(env=stub_id, model=str(tiny_folder), out=tmp_path, steps=2, save_every=1)
    first, memory = Session(config), Memory()
    first.attach("memory", memory)
    memory.seen.append("a")
    first.finish_step({"step": 0})
    first.close()
    resumed = Session(replace(config, resume=first.checkpoint))
    again = Memory()
    resumed.attach("memory", again)
    assert again.seen == ["a"]
    with pytest.raises(DataError, match="no saved 'value_head'"):
        resumed.attach("value_head", Memory())
    resumed.close()


def test_the_reference_is_what_the_run_began_with_and_is_frozen(stub_id, tiny_folder, tmp_path):
    config = RunConfig(
        env=stub_id, model=str(tiny_folder), out=tmp_path, steps=2, save_every=1, dtype="float32"
    )
    session = Session(config)
    first = next(session.policy.parameters())
    before = first.detach().clone()
    session.backward(first.sum())
    session.optimise(0)
    session.finish_step({"step": 0})
    session.close()
    resumed = Session(replace(config, resume=session.checkpoint))
    reference = next(resumed.reference().parameters())
    assert torch.equal(reference, before)
    assert not torch.equal(next(resumed.policy.parameters()), before)
    assert not reference.requires_grad
    resumed.close()


def test_threads_are_set(stub_id, tiny_folder, tmp_path):
    config = RunConfig(env=stub_id, model=str(tiny_folder), out=tmp_path, threads=2)
    Session(config).close()
    assert torch.get_num_threads() == 2
    torch.set_num_threads(1)


def test_gold_episode_of_one_turn(stub_id, tiny):
    encoder, env = tiny[1], gym.make(stub_id)
    episode = gold_episode(env, encoder, ChatDelta(encoder), seed=3, max_context=500)
    assert encoder.decode(episode.token_ids) == env.unwrapped.gold_answer()
    assert episode.token_ids[-1] == encoder.eos_id
    assert set(episode.sampled) == {True}
    assert env.unwrapped.colour in encoder.decode(episode.prompt_ids)
    assert gold_episode(env, encoder, ChatDelta(encoder), 3, 500) == episode
    drawn = [gold_episode(env, encoder, ChatDelta(encoder), seed, 500) for seed in range(10)]
    assert len({each.token_ids for each in drawn}) > 3

"""SFT and GRPO as a whole, on the small environment with the tiny model."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from transformers import AutoModelForCausalLM

from agents import grpo, sft
from agents.checkpoint import load_trainer_state
from agents.grpo import GRPOConfig
from agents.logs import read_metrics
from agents.session import RunConfig, parse_env_kwargs
from agents.sft import SFTConfig
from toolrl_env.core.errors import ConfigurationError, DataError, InfrastructureError, UnknownName


@pytest.fixture
def sft_config(stub_id, tmp_path):
    return SFTConfig(
        env=stub_id, model="tiny", out=tmp_path, steps=4, batch_size=5, micro_batch_tokens=150
    )


@pytest.fixture
def grpo_config(stub_id, tiny_folder, tmp_path):
    return GRPOConfig(
        env=stub_id,
        model=str(tiny_folder),
        out=tmp_path,
        steps=4,
        group_size=4,
        max_new_tokens=40,
        learning_rate=1e-4,
        warmup_steps=2,
    )


TRAINERS = {"sft": sft.train, "grpo": grpo.train}


@pytest.fixture(params=["sft", "grpo"])
def job(request, sft_config, grpo_config):
    """A trainer and a configuration for it."""
    return TRAINERS[request.param], {"sft": sft_config, "grpo": grpo_config}[request.param]


def weights(folder):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def rows(folder):
    """The metrics without the clock."""
    return [
        {key: value for key, value in row.items() if "seconds" not in key}
        for row in read_metrics(folder.parent / "metrics.jsonl")
    ]


def test_a_rerun_is_identical_to_the_bit(job, tmp_path):
    train, config = job
    first = train(replace(config, out=tmp_path / "a"))
    second = train(replace(config, out=tmp_path / "b"))
    assert torch.equal(weights(first), weights(second))
    assert rows(first) == rows(second)
    other = train(replace(config, out=tmp_path / "c", seed=1))
    assert not torch.equal(weights(first), weights(other))


def test_a_resumed_run_equals_the_uninterrupted_one(job, tmp_path):
    train, config = job
    whole = train(replace(config, out=tmp_path / "whole"))
    half = train(replace(config, out=tmp_path / "half", steps=2))
    assert not torch.equal(weights(whole), weights(half))
    resumed = train(replace(config, out=tmp_path / "half", resume=half))
    assert torch.equal(weights(whole), weights(resumed))
    assert rows(whole) == rows(resumed)
    one, other = (load_trainer_state(f, config.as_json()) for f in (whole, resumed))
    assert one.step == other.step == 4
    for index, state in one.optimizer["state"].items():
        for key, value in state.items():
            assert torch.equal(value, other.optimizer["state"][index][key])


def test_an_interrupted_run_forgets_what_came_after_its_checkpoint(job, tmp_path):
    train, config = job
    config = replace(config, out=tmp_path, save_every=2)
    whole = rows(train(config))

    def interrupt(metrics):
        if metrics["step"] == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(config, interrupt)
    assert len(read_metrics(tmp_path / "metrics.jsonl")) == 3
    assert rows(train(replace(config, resume=tmp_path / "checkpoint"))) == whole


def test_resume_refuses_other_settings(job, tmp_path):
    train, config = job
    half = train(replace(config, out=tmp_path / "half", steps=2))
    with pytest.raises(ConfigurationError, match="seed: saved 0, now 1"):
        train(replace(config, resume=half, seed=1))
    (half / "trainer.pt").unlink()
    with pytest.raises(DataError, match="not a checkpoint"):
        train(replace(config, resume=half))


def test_logs_and_checkpoint(job, tmp_path):
    train, config = job
    seen = []
    folder = train(replace(config, out=tmp_path), seen.append)
    assert [row["step"] for row in seen] == [0, 1, 2, 3]
    assert read_metrics(tmp_path / "metrics.jsonl") == seen
    assert list((tmp_path / "tensorboard").glob("events.*"))
    assert json.loads((folder / "run.json").read_text())["steps"] == 4
    assert not list(tmp_path.glob("checkpoint.*"))


def test_sft_parts_add_up_to_the_whole_batch(sft_config, tmp_path):
    parts = sft.train(replace(sft_config, out=tmp_path / "parts", steps=1))
    whole = sft.train(replace(sft_config, out=tmp_path / "whole", steps=1, micro_batch_tokens=9999))
    assert rows(parts)[0]["loss"] == pytest.approx(rows(whole)[0]["loss"], rel=1e-5)
    assert rows(parts)[0]["grad_norm"] == pytest.approx(rows(whole)[0]["grad_norm"], rel=1e-4)


def test_sft_learns(sft_config):
    losses = [row["loss"] for row in rows(sft.train(replace(sft_config, learning_rate=2e-3)))]
    assert losses[-1] < losses[0] - 0.5


def test_grpo_on_policy_has_ratio_one_and_zero_loss(grpo_config):
    # in float32: a bfloat16 sampler is off by more than this
    for row in rows(grpo.train(replace(grpo_config, dtype="float32"))):
        assert row["clip_fraction"] == 0.0
        assert row["approx_kl"] == pytest.approx(0.0, abs=1e-6)
        assert row["failures"] == 0.0


def test_grpo_second_update_leaves_the_old_policy(grpo_config):
    kls = [row["approx_kl"] for row in rows(grpo.train(replace(grpo_config, updates=2)))]
    assert max(kls) > 1e-6


def test_grpo_moves_nothing_when_no_group_can_teach(grpo_config, tiny_folder, monkeypatch):
    monkeypatch.setattr(grpo, "assign", lambda config, lessons: lessons)
    folder = grpo.train(grpo_config)
    assert torch.equal(weights(folder), weights(tiny_folder))
    assert {row["informative_groups"] for row in rows(folder)} == {0.0}
    assert {row["loss"] for row in rows(folder)} == {0.0}


def test_grpo_leaves_failures_out(grpo_config):
    config = replace(grpo_config, env_kwargs='{"fail": "raise", "every": 2}', prompts=4, steps=2)
    lines = rows(grpo.train(config))
    healthy = rows(grpo.train(replace(config, env_kwargs="{}")))
    assert sum(row["failures"] for row in lines) >= 4
    assert all(row["reward"] >= -3 for row in lines)
    assert lines[0]["reward"] != healthy[0]["reward"]


def test_grpo_stops_when_everything_fails(grpo_config):
    with pytest.raises(InfrastructureError, match="every episode"):
        grpo.train(replace(grpo_config, env_kwargs='{"fail": "raise"}'))


@pytest.mark.parametrize(
    "choice",
    [
        {"advantage": "dr_grpo"},
        {"advantage": "gdpo"},
        {"advantage": "gdpo", "component_weights": '{"format": 0.1}'},
        {"advantage": "rloo"},
        {"advantage": "reinforce++"},
        {"advantage": "reinforce++baseline"},
        {"advantage": "rebn"},
        {"aggregation": "constant"},
        {"entropy_weight": 0.01},
        {"train_on": 2},
        {"temperature": 1.2},
    ],
)
def test_grpo_choices_change_the_update(grpo_config, tmp_path, choice):
    base = grpo.train(replace(grpo_config, out=tmp_path / "base", steps=1))
    other = grpo.train(replace(grpo_config, out=tmp_path / "other", steps=1, **choice))
    assert not torch.equal(weights(base), weights(other))


@pytest.mark.parametrize(
    "choice",
    [
        {"aggregation": "sequence"},
        {"loss": "gspo", "aggregation": "sequence"},
        {"loss": "cispo", "clip_high": 0.01},
        {"overlong_buffer": 40},
        {"kl": "k3", "kl_weight": 0.5},
        {"kl": "k2", "kl_weight": 0.5},
        {"kl": "k1", "kl_in": "reward", "kl_weight": 0.5},
        {"importance": "truncate", "importance_cap": 1.0},
    ],
)
def test_grpo_choices_change_later_updates(grpo_config, tmp_path, choice):
    # hot, so that lengths differ; twice on each batch, so that ratios do
    config = replace(
        grpo_config, temperature=1.3, prompts=4, updates=2, steps=2, learning_rate=1e-3
    )
    base = grpo.train(replace(config, out=tmp_path / "base"))
    other = grpo.train(replace(config, out=tmp_path / "other", **choice))
    assert not torch.equal(weights(base), weights(other))


def test_a_run_with_a_reference_and_memories_resumes_exactly(grpo_config, tmp_path):
    config = replace(
        grpo_config, kl="k3", kl_weight=0.1, tasks=4, keep_solved=0.3, keep_hopeless=0.3,
        resample=2, train_on=3, levels='[{"split": "train"}, {"split": "test"}]',
    )  # fmt: skip
    whole = grpo.train(replace(config, out=tmp_path / "whole"))
    half = grpo.train(replace(config, out=tmp_path / "half", steps=2))
    resumed = grpo.train(replace(config, out=tmp_path / "half", resume=half))
    assert torch.equal(weights(whole), weights(resumed))
    assert rows(whole) == rows(resumed)
    one, other = (load_trainer_state(f, config.as_json()).attached for f in (whole, resumed))
    assert one == other
    assert one["selection"]["history"] or one["selection"]["curriculum"]["seen"] != [0.0, 0.0]
    assert max(row["kl"] for row in rows(whole)[1:]) > 0


# --------------------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "steps=0"),
        ({"learning_rate": float("nan")}, "learning_rate=nan"),
        ({"seed": -1}, "seed=-1"),
        ({"threads": -2}, "threads=-2"),
        ({"micro_batch_tokens": 0}, "micro_batch_tokens=0"),
        ({"device": "gpu"}, "unknown device 'gpu'"),
        ({"device": "cuda:99"}, "device='cuda:99'; torch sees"),
        ({"dtype": "float16"}, "unknown dtype 'float16'"),
        ({"env_kwargs": "difficulty=1"}, "is not JSON"),
        ({"env_kwargs": "[1]"}, "must be a JSON object"),
    ],
)
def test_bad_settings(change, message):
    with pytest.raises(ConfigurationError, match=message):
        RunConfig(**change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"group_size": 1}, "group_size=1 with advantage='grpo'"),
        ({"group_size": 0, "advantage": "rebn"}, "group_size=0"),
        ({"loss": "gsop"}, "Did you mean 'gspo'"),
        ({"loss": "gspo"}, "set aggregation='sequence'"),
        ({"clip_high": 0.0}, "clip_high=0"),
        ({"kl": "k4", "kl_weight": 1.0}, "unknown kl 'k4'"),
        ({"kl": "k3"}, "set both or neither"),
        ({"kl_weight": 0.1}, "set both or neither"),
        ({"kl": "k1", "kl_weight": 0.1}, "gradient of mean 0"),
        ({"kl": "k2", "kl_in": "reward", "kl_weight": 0.1}, "biased value"),
        (
            {"kl": "k1", "kl_in": "reward", "kl_weight": 0.1, "advantage": "gdpo"},
            "normalises every part",
        ),
        ({"kl": "k2", "kl_weight": 0.1, "kl_correction": True}, "it weights k1 or k3"),
        ({"kl_correction": True}, "it weights k1 or k3"),
        ({"kl_in": "advantage"}, "unknown kl_in"),
        ({"importance": "clip"}, "unknown importance"),
        ({"importance_cap": 0.5}, "importance_cap=0.5"),
        ({"entropy_weight": -1.0}, "at least 0"),
        ({"overlong_buffer": 500}, "above max_new_tokens"),
        ({"component_weights": "[]"}, "JSON object of numbers"),
        ({"component_weights": '{"format": 2}'}, "need advantage='gdpo'"),
        ({"tasks": -1}, "tasks=-1"),
        ({"tasks": 1}, "fewer than prompts=2"),
        ({"keep_solved": 0.5}, "need tasks"),
        ({"keep_hopeless": 0.0}, "keep_hopeless=0"),
        ({"train_on": 1}, "train_on=1"),
        ({"train_on": 9}, "2 … group_size=8"),
        ({"levels": "{}"}, "JSON list of objects"),
        ({"levels": "["}, "is not JSON"),
        ({"prompts": 0}, "prompts=0"),
        ({"temperature": 0.0}, "temperature=0"),
        ({"advantage": "gpro"}, "Did you mean 'grpo'"),
        ({"aggregation": "tokens"}, "Did you mean 'token'"),
        ({"updates": 0}, "updates=0"),
    ],
)
def test_bad_grpo_settings(change, message):
    with pytest.raises(ConfigurationError, match=message):
        GRPOConfig(**change)


def test_answers_need_no_group_where_the_batch_is_the_baseline():
    assert GRPOConfig(group_size=1, advantage="reinforce++").group_size == 1


def test_gdpo_names_a_part_that_the_reward_has_not(grpo_config):
    config = replace(grpo_config, advantage="gdpo", component_weights='{"fromat": 1}')
    with pytest.raises(UnknownName, match="Did you mean 'format'"):
        grpo.train(config)


def test_bad_sft_settings_and_model(sft_config):
    with pytest.raises(ConfigurationError, match="batch_size=0"):
        SFTConfig(batch_size=0)
    with pytest.raises(ConfigurationError, match="model='smollm3'"):
        sft.train(replace(sft_config, model="smollm3"))
    assert parse_env_kwargs('{"a": [1]}') == {"a": [1]}
    assert issubclass(UnknownName, ConfigurationError)

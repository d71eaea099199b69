"""Trainers and evaluation over several turns, on the small environment of two."""

from __future__ import annotations

from dataclasses import replace

import gymnasium as gym
import pytest
import torch
from transformers import AutoModelForCausalLM

from agents import grpo, sft
from agents.chat_delta import ChatDelta
from agents.evaluation import evaluate
from agents.grpo import GRPOConfig
from agents.logs import read_metrics
from agents.models import load_folder
from agents.policy import NoAnswer
from agents.prompting import ChatEncoder
from agents.schemes import CREDITS
from agents.sft import SFTConfig, gold_episode
from agents.transformers_policy import TransformersPolicy
from tests.agents import templates
from tests.agents.two_turns import COST, TWO_TURNS
from toolrl_env.core.errors import ConfigurationError, InfrastructureError
from toolrl_env.core.types import FailureKind, StopReason


@pytest.fixture(scope="module")
def warm(tmp_path_factory, one_thread):
    """A model that looks and then answers, often wrongly."""
    return sft.train(
        SFTConfig(
            env=TWO_TURNS,
            model="tiny",
            out=tmp_path_factory.mktemp("warm"),
            steps=25,
            learning_rate=2e-3,
            dtype="float32",
        )
    )


@pytest.fixture
def config(warm, tmp_path):
    return GRPOConfig(
        env=TWO_TURNS,
        model=str(warm),
        out=tmp_path,
        steps=2,
        prompts=4,
        group_size=4,
        max_new_tokens=8,
        learning_rate=1e-3,
        dtype="float32",
    )


def weights(folder):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def rows(folder):
    found = read_metrics(folder.parent / "metrics.jsonl")
    return [{k: v for k, v in row.items() if "seconds" not in k} for row in found]


def test_every_credit_trains_and_is_another_update(config, tmp_path):
    config = replace(config, credit_weight=0.5)
    updated = [
        weights(grpo.train(replace(config, out=tmp_path / name, credit=name))) for name in CREDITS
    ]
    for index, one in enumerate(updated):
        assert not torch.equal(one, weights(config.model))
        assert not any(torch.equal(one, other) for other in updated[:index])


@pytest.mark.parametrize("credit", ["gigpo", "span"])
def test_a_run_with_branches_is_identical_to_the_bit_and_resumes(config, tmp_path, credit):
    config = replace(config, credit=credit, branches=2, steps=4)
    whole = grpo.train(replace(config, out=tmp_path / "a"))
    same = grpo.train(replace(config, out=tmp_path / "b"))
    half = grpo.train(replace(config, out=tmp_path / "c", steps=2))
    resumed = grpo.train(replace(config, out=tmp_path / "c", resume=half))
    assert torch.equal(weights(whole), weights(same))
    assert torch.equal(weights(whole), weights(resumed))
    assert rows(whole) == rows(same) == rows(resumed)
    assert sum(row["branch_groups"] for row in rows(whole)) > 0


def test_on_policy_the_ratio_is_one_at_every_turn(config):
    for row in rows(grpo.train(replace(config, credit="gigpo", branches=1))):
        assert row["turns"] > 1
        assert row["context_tokens"] > 0
        assert row["clip_fraction"] == 0.0
        assert row["approx_kl"] == pytest.approx(0.0, abs=1e-6)


def test_what_is_remembered_between_turns_changes_no_answer(config, tmp_path):
    one, other = (
        rows(grpo.train(replace(config, steps=1, remember=room, out=tmp_path / str(room))))[0]
        for room in (0, 4096)
    )
    assert one["turns"] == other["turns"] > 1
    assert one["generated_tokens"] == other["generated_tokens"]
    assert other["loss"] == pytest.approx(one["loss"], abs=1e-5)


def test_failures_and_truncations_are_counted(config, tmp_path):
    kwargs = '{"fail_at": 2, "fail_every": 2}'
    (row, _) = rows(grpo.train(replace(config, env_kwargs=kwargs, out=tmp_path / "fail")))
    assert row["failures"] > 0
    assert row["masked_turns"] == row["failures"]
    assert row["failures"] < 16
    limited = replace(config, max_turns=1, out=tmp_path / "cut")
    (row, _) = rows(grpo.train(limited))
    assert row["truncated"] > 0
    masked = replace(limited, truncated="mask", out=tmp_path / "mask")
    (other, _) = rows(grpo.train(masked))
    assert other["truncated"] == row["truncated"]
    assert other["trained_tokens"] <= row["trained_tokens"]


def test_a_template_that_rewrites_history_stops_the_run_before_it_begins(config, warm, tmp_path):
    model, tokenizer = load_folder(warm)
    tokenizer.chat_template = templates.FORGETS_THOUGHTS
    model.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    config = replace(config, env="ToolRL-Workspace-v0", model=str(tmp_path / "model"))
    with pytest.raises(ConfigurationError, match="rewrites history"):
        grpo.train(config)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"credit": "gipo"}, "Did you mean 'gigpo'"),
        ({"truncated": "drop"}, "keep, mask"),
        ({"branch_at": "every"}, "all, random"),
        ({"branches": -1}, "branches=-1"),
        ({"gamma": 1.01}, "gamma=1.01"),
        ({"credit_weight": float("nan")}, "credit_weight=nan"),
        ({"max_context": 0}, "max_context=0"),
        ({"remember": -1}, "remember=-1"),
        ({"credit": "gigpo", "advantage": "gdpo"}, "takes one of dr_grpo, grpo, rloo"),
        ({"credit": "span", "overlong_buffer": 4}, "use credit='outcome'"),
        ({"credit": "turns", "kl": "k1", "kl_in": "reward", "kl_weight": 0.1}, "use credit="),
        ({"credit": "gigpo", "group_size": 1}, "group_size=1"),
    ],
)
def test_bad_settings(change, message):
    with pytest.raises(ConfigurationError, match=message):
        GRPOConfig(**change)


def test_returns_of_turns_need_no_group():
    assert GRPOConfig(credit="turns", group_size=1).group_size == 1


# --------------------------------------------------------------------------- the warm start


def test_gold_is_played_turn_by_turn(warm):
    encoder = ChatEncoder(load_folder(warm)[1])
    env = gym.make(TWO_TURNS)
    episode = gold_episode(env, encoder, ChatDelta(encoder), seed=3, max_context=500)
    code = env.unwrapped.code
    assert [turn.text for turn in episode.turns] == ["[look]", f"[{code}]"]
    own = [t for t, sampled in zip(episode.token_ids, episode.sampled, strict=True) if sampled]
    assert tuple(own) == encoder.answer("[look]") + encoder.answer(f"[{code}]")
    assert episode.stop_reason is StopReason.GOAL_REACHED
    assert episode.reward == pytest.approx(1 - 2 * COST)


def test_gold_stops_where_there_is_no_room(warm):
    encoder = ChatEncoder(load_folder(warm)[1])
    env, delta = gym.make(TWO_TURNS), ChatDelta(encoder)
    whole = gold_episode(env, encoder, delta, seed=3, max_context=500)
    size = len(whole.prompt_ids) + len(whole.token_ids)
    exact = gold_episode(env, encoder, delta, seed=3, max_context=size)
    assert exact.token_ids == whole.token_ids
    cut = gold_episode(env, encoder, delta, seed=3, max_context=size - 1)
    assert len(cut.turns) == 1
    with pytest.raises(ConfigurationError, match="more than max_context=20"):
        gold_episode(env, encoder, delta, seed=3, max_context=20)


def test_the_warm_start_learns_every_turn_and_no_context(warm):
    losses = [row["loss"] for row in rows(warm)]
    assert losses[-1] < 0.5 * losses[0]
    encoder = ChatEncoder(load_folder(warm)[1])
    env = gym.make(TWO_TURNS)
    sampled = [
        sum(gold_episode(env, encoder, ChatDelta(encoder), seed, 500).sampled) for seed in range(8)
    ]
    assert 0.9 * 8 * min(sampled) <= rows(warm)[0]["tokens"] <= 1.1 * 8 * max(sampled)


def test_office_gold_is_learnt_as_it_was_proven(warm):
    encoder = ChatEncoder(load_folder(warm)[1])
    env = gym.make("ToolRL-Workspace-v0", difficulty=4)
    for seed in range(4):
        episode = gold_episode(env, encoder, ChatDelta(encoder), seed, 20_000)
        assert episode.is_success
        assert len(episode.turns) == len(env.unwrapped.tasks.gold_turns(env.unwrapped.task))


# --------------------------------------------------------------------------- evaluation


class Honest:
    """Looks, then says what it found."""

    def __init__(self):
        self.batches = []

    def act(self, observations, infos):
        self.batches.append(len(infos))
        last = [info["messages"][-1]["content"] for info in infos]
        return [f"[{said[4:]}]" if said.startswith("obs") else "[look]" for said in last]


def test_evaluate_plays_to_the_end_all_at_once():
    policy = Honest()
    got = evaluate(policy, TWO_TURNS, {}, range(5))
    assert policy.batches == [5, 5]
    assert got.perfect == [1.0] * 5
    assert got.rewards == pytest.approx([1 - 2 * COST] * 5)
    assert got.answers[0].split("\n\n")[0] == "[look]"
    assert [len(task.answers) for task in got.tasks] == [2] * 5
    assert got.component("cost") == pytest.approx([-2 * COST] * 5)
    assert {task.stop_reason for task in got.tasks} == {StopReason.GOAL_REACHED}
    summary = got.summary()
    assert summary["turns"].mean == 2.0
    assert "format" not in summary


def test_evaluate_leaves_out_those_that_ended():
    class Mixed(Honest):
        def act(self, observations, infos):
            answers = super().act(observations, infos)
            return ["[red]" if info["task_index"] == 0 else a for info, a in zip(infos, answers)]  # noqa: B905

    policy = Mixed()
    got = evaluate(policy, TWO_TURNS, {}, range(3))
    assert policy.batches == [3, 2]
    assert [len(task.answers) for task in got.tasks] == [1, 2, 2]


def test_evaluate_refuses_failures_in_any_turn():
    with pytest.raises(InfrastructureError, match="3 of 3 tasks failed: the tool server said no"):
        evaluate(Honest(), TWO_TURNS, {"fail_at": 2, "raises": False}, range(3))


def test_a_language_model_is_evaluated_over_turns(warm):
    model, tokenizer = load_folder(warm)
    policy = TransformersPolicy(model, ChatEncoder(tokenizer), max_new_tokens=8)
    got = evaluate(policy, TWO_TURNS, {}, range(16))
    assert got.summary()["turns"].mean > 1.5


def test_no_answer_leaves_nothing_to_compare():
    class Late:
        def act(self, observations, infos):
            return [NoAnswer(FailureKind.TIMEOUT, "late")] * len(infos)

    with pytest.raises(InfrastructureError, match="3 of 3 tasks failed: late"):
        evaluate(Late(), TWO_TURNS, {}, range(3))

"""Our reward function, loaded and called as verl does it."""

from __future__ import annotations

import asyncio
import inspect
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import torch
from tensordict import TensorDict
from verl import DataProto
from verl.experimental.reward_loop.reward_loop import RewardLoopWorker
from verl.trainer.ppo.core_algos import compute_grpo_outcome_advantage
from verl.trainer.ppo.metric_utils import process_validation_metrics
from verl.trainer.ppo.reward import get_custom_reward_fn, load_reward_manager
from verl.utils.reward_score import default_compute_score

from agents.integrations.tasks import task_rows
from agents.integrations.verl import export, reward
from agents.integrations.verl.scoring import process_pool
from toolrl_env.core.errors import InfrastructureError
from toolrl_env.core.types import FailureKind

TOOLBOX, WORKSPACE = "ToolRL-Toolbox-v0", "ToolRL-Workspace-v0"
PATHS = {"file": str(Path(reward.__file__)), "package": "pkg://agents.integrations.verl.reward"}
MANAGERS = ("naive", "dapo", "gdpo")
BAD = "<think> no </think>"


@pytest.fixture(scope="module")
def rows():
    return task_rows(TOOLBOX, {"difficulty": 2}, range(6))


def settings(path="package", *others):
    return (f"reward.custom_reward_function.path={PATHS[path]}", *others)


def gold_of(row):
    with process_pool().open(row.ref) as episode:
        return episode.gold_answer()


def answers_to(rows):
    """Return right answers, wrong ones, and some with a change in the middle."""
    found = []
    for place, row in enumerate(rows):
        gold = gold_of(row)
        found.append((gold, BAD, gold[:-20], gold.replace("1", "2"), gold + "\n")[place % 5])
    return found


def expected(row, answer):
    env = gym.make(row.ref.env, **row.ref.kwargs())
    env.reset(seed=0, options={"task_index": row.ref.index})
    return env.step(answer)


def batch_of(rows, answers, encoder):
    """Return what verl's trainer hands to its reward managers."""
    columns = [export._columns(row, "train", "single_turn_agent") for row in rows]
    prompts = [encoder.prompt({"messages": row.messages, "tools": row.tools}) for row in rows]
    responses = [encoder.answer(answer) for answer in answers]
    wide, long = max(map(len, prompts)), max(map(len, responses))
    ids = torch.full((len(rows), wide + long), encoder.eos_id)
    mask = torch.zeros_like(ids)
    for i, (prompt, response) in enumerate(zip(prompts, responses, strict=True)):
        ids[i, wide - len(prompt) : wide + len(response)] = torch.tensor(prompt + response)
        mask[i, wide - len(prompt) : wide + len(response)] = 1
    tensors = {"prompts": ids[:, :wide], "responses": ids[:, wide:], "attention_mask": mask}
    others = {name: np.array([row[name] for row in columns], dtype=object) for name in columns[0]}
    return DataProto(batch=TensorDict(tensors, batch_size=len(rows)), non_tensor_batch=others)


@pytest.mark.parametrize("manager", MANAGERS)
@pytest.mark.parametrize("path", PATHS)
def test_verls_managers_give_our_rewards(make_config, encoder, rows, manager, path):
    config = make_config(*settings(path, f"reward.reward_manager.name={manager}"))
    answers = answers_to(rows)
    data = batch_of(rows, answers, encoder)

    async def score():
        scorer = load_reward_manager(config, encoder.tokenizer)
        return await asyncio.gather(*(scorer.run_single(data[i : i + 1]) for i in range(len(data))))

    results = asyncio.run(score())
    for row, answer, result in zip(rows, answers, results, strict=True):
        _, value, *_, info = expected(row, answer)
        assert result["reward_score"] == value
        parts = {f"reward/{k}": v for k, v in info["reward"].items() if k != "total"}
        solved = float(value == 4.0)
        assert result["reward_extra_info"] == {"score": value, "success": solved, **parts}
    assert len({result["reward_score"] for result in results}) > 3
    assert len({tuple(result["reward_extra_info"]) for result in results}) == 1


def test_verls_worker_scores_a_batch_with_the_tokenizer_that_it_loads(make_config, encoder, rows):
    answers = answers_to(rows)
    data = batch_of(rows, answers, encoder)

    async def score():
        return await RewardLoopWorker(make_config(*settings())).compute_score_batch(data)

    got = [result["reward_score"] for result in asyncio.run(score())]
    assert got == [expected(*pair)[1] for pair in zip(rows, answers, strict=True)]


def test_without_our_function_verl_stops(rows):
    column = export._columns(rows[0], "train", "single_turn_agent")
    with pytest.raises(NotImplementedError, match="toolrl/"):
        default_compute_score(column["data_source"], BAD, rows[0].task_id, column["extra_info"])


def test_verl_calls_it_in_threads(make_config):
    assert not inspect.iscoroutinefunction(get_custom_reward_fn(make_config(*settings())))


def test_the_names_of_the_terms_come_through_verls_config(make_config, encoder, rows):
    terms = "+reward.custom_reward_function.reward_kwargs.terms=[outcome,correctness,format]"
    scorer = get_custom_reward_fn(make_config(*settings("package", terms)))
    column = export._columns(rows[0], "train", "single_turn_agent")
    result = scorer(
        data_source="toolrl/x",
        solution_str=gold_of(rows[0]),
        ground_truth=rows[0].task_id,
        extra_info=column["extra_info"],
    )
    assert list(result) == [
        "score",
        "success",
        "reward/outcome",
        "reward/correctness",
        "reward/format",
    ]
    assert result["score"] == 4.0 == sum(list(result.values())[2:])


def test_a_failure_of_ours_reaches_verl_as_an_exception(make_config, encoder, rows, monkeypatch):
    def down(self, action):
        raise InfrastructureError("the disk is full", FailureKind.SERVER_DOWN)

    with process_pool().open(rows[0].ref) as episode:
        kind = type(episode._env)
    data = batch_of(rows[:2], answers_to(rows[:2]), encoder)

    async def score():
        return await RewardLoopWorker(make_config(*settings())).compute_score_batch(data)

    with monkeypatch.context() as broken:
        broken.setattr(kind, "step", down)
        with pytest.raises(InfrastructureError, match="disk is full"):
            asyncio.run(score())
    assert len(asyncio.run(score())) == 2


def test_a_failure_is_not_counted_as_wrong_in_verls_validation(make_config, encoder, rows):
    scorer = get_custom_reward_fn(make_config(*settings()))
    column = export._columns(rows[0], "test", "single_turn_agent")
    result = scorer(
        data_source=column["data_source"],
        solution_str=gold_of(rows[0]),
        ground_truth=rows[0].task_id,
        extra_info=column["extra_info"],
    )
    expected = {("ours", "a"): 1, ("ours", "b"): 1}  # the sample of prompt b failed
    names = {name: [value] for name, value in result.items()}
    metrics = process_validation_metrics(["ours"], ["a"], names, expected_acc_counts=expected)
    assert {name: list(values.values()) for name, values in metrics["ours"].items()} == {
        name: [value] for name, value in result.items()
    }
    names = {"acc": [result["success"]]}  # what verl does with a score of that name
    metrics = process_validation_metrics(["ours"], ["a"], names, expected_acc_counts=expected)
    assert list(metrics["ours"]["acc"].values()) == [0.5]


def test_a_nan_would_have_spoilt_its_whole_group():
    rewards = torch.tensor([[0.0, 1.0], [0.0, float("nan")], [0.0, 2.0], [0.0, 3.0]])
    groups = np.array(["a", "a", "b", "b"])
    advantages, _ = compute_grpo_outcome_advantage(rewards, torch.ones_like(rewards), groups)
    assert advantages.isnan().all(dim=1).tolist() == [True, True, False, False]

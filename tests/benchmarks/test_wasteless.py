from __future__ import annotations

import gymnasium as gym
import pytest

from benchmarks.ablations import words
from benchmarks.ablations.wasteless import (
    GROUPS,
    Point,
    Run,
    Settings,
    cost_until,
    measure,
    read,
    table,
)


def line(*rewards, tokens=100.0, seconds=1.0):
    return tuple(
        Point(reward, index * tokens, index * tokens / 2, index * seconds)
        for index, reward in enumerate(rewards)
    )


@pytest.mark.parametrize(
    ("target", "generated"), [(-1.0, 0.0), (0.0, 0.0), (0.5, 50.0), (1.5, 250.0), (2.0, 300.0)]
)
def test_cost_by_hand(target, generated):
    cost = cost_until(line(0.0, 1.0, 1.0, 2.0), target)
    assert cost.generated == pytest.approx(generated)
    assert cost.trained == pytest.approx(generated / 2)


def test_a_reward_that_was_never_there_has_no_cost():
    assert cost_until(line(0.0, 1.0, 0.5), 2.0) is None


def test_the_first_time_counts_even_if_it_was_lost_again():
    assert cost_until(line(0.0, 2.0, 0.0, 2.0), 1.0).generated == pytest.approx(50.0)


def test_the_table_by_hand():
    group = "fresh tasks"
    runs = [
        Run(group, "plain", 0, line(0.0, 1.0, 2.0, 2.0)),
        Run(group, "dynamic sampling", 0, line(0.0, 2.0, 2.0, 2.0)),
        Run(group, "plain", 1, line(0.0, 1.0, 2.0, 2.0)),
        Run(group, "dynamic sampling", 1, line(0.0, 0.5, 1.0, 1.0)),
    ]
    rows = table(runs).splitlines()
    assert rows[2].startswith("| fresh tasks | plain | 2 of 2 | 0.00, 2.00 | 1.00 (1.00 … 1.00)")
    assert rows[3].startswith(
        "| fresh tasks | dynamic sampling | 1 of 2 | 0.00, 1.50 | 0.50 (0.50 … 0.50)"
    )


def test_every_group_begins_with_the_plain_run():
    assert all(next(iter(variants)) == "plain" for variants in GROUPS.values())


def test_a_small_measurement_from_end_to_end(tmp_path, monkeypatch):
    variants = {"plain": {}, "train on 4 of 8": {"train_on": 4}}
    monkeypatch.setattr("benchmarks.ablations.wasteless.GROUPS", {"fresh tasks": variants})
    settings = Settings(
        seeds=(0,), warm_steps=4, steps=3, every=2, held_out=6, out=tmp_path / "out"
    )
    runs = measure(settings)
    assert [run.variant for run in runs] == ["plain", "train on 4 of 8"]
    assert all(len(run.points) == 3 for run in runs)  # before, after 2, after 3
    assert runs[0].points[-1].generated > 0
    assert read(settings.out / "results.jsonl") == runs
    assert measure(settings) == runs  # nothing is done twice
    assert "train on 4 of 8" in table(runs)


# --------------------------------------------------------------------------- the task


def play(answer, **kwargs):
    env = gym.make(words.ENV_ID, **kwargs)
    env.reset(options={"task_index": 0}, seed=0)
    gold = env.unwrapped.gold_answer()
    _, reward, terminated, truncated, info = env.step(gold if answer is None else answer)
    assert terminated
    assert not truncated
    return reward, info["reward"]


def test_the_gold_answer_scores_highest():
    assert play(None)[0] == 4.0


@pytest.mark.parametrize(
    ("answer", "reward"), [("", -3.0), ("red", -3.0), ("[]", -2.0), ("[ no no ]", -2.0)]
)
def test_other_answers(answer, reward):
    assert play(answer)[0] == reward


def test_splits_share_no_task():
    seen = {}
    for split in ("train", "test"):
        env = gym.make(words.ENV_ID, split=split)
        seen[split] = {env.reset(options={"task_index": i}, seed=0)[0] for i in range(400)}
    assert not seen["train"] & seen["test"]
    assert 20 < len(seen["test"]) < 60
    assert 90 < len(seen["train"]) <= 144


def test_a_task_has_as_many_words_as_asked_for():
    assert len(gym.make(words.ENV_ID, words=4).reset(seed=1)[0].split()) == 4

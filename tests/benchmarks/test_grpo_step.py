from __future__ import annotations

import json
import subprocess
import sys

import pytest
import torch

from agents.generation import Completion
from agents.models.tiny import make_model, make_tokenizer
from agents.precision import MasterWeights
from benchmarks.speed import grpo_step
from benchmarks.speed.grpo_work import Figures, Point, matmul_speed, prompt_text, update_flops


class Words:
    """A tokenizer with a token per word, or one more."""

    def __init__(self, extra=0):
        self.extra = extra

    def __call__(self, text):
        return type("Encoded", (), {"input_ids": text.split() + ["?"] * self.extra})


def test_point():
    assert Point.parse("700/96/8") == Point(700, 96, 8)


def test_the_prompt_has_the_tokens_it_should():
    assert len(prompt_text(Words(), 12).split()) == 12
    assert prompt_text(Words(), 12) == prompt_text(Words(), 12)
    with pytest.raises(ValueError, match="13 tokens, not 12"):
        prompt_text(Words(extra=1), 12)


def test_flops_by_hand():
    """One prompt token and one answer of two: a row of two tokens, 0.5 + 1.5 pairs seen.

    Per layer: q and o 2 * 576 * 576, k and v 2 * 576 * 192, the MLP 3 * 576 * 1536.
    """
    layer = 2 * 576 * 576 + 2 * 576 * 192 + 3 * 576 * 1536
    head, pairs = 2 * 49152 * 576, 0.5 + 1.5
    wanted = 6 * (30 * layer * 2 + 30 * 9 * 64 * 2 * pairs + head)
    assert update_flops(Point(1, 2, 1)) == wanted


def test_flops_grow_with_answers_and_count_the_prompt_once():
    one, two = update_flops(Point(700, 96, 1)), update_flops(Point(700, 96, 2))
    assert one < two < 2 * one


def test_matmul_speed_is_measured():
    assert matmul_speed(64, rounds=2) > 0


def test_ratios(monkeypatch):
    found = {"ours": Figures((1.0,), (2.0,), 2.0, 100.0), "trl": Figures((4.0,), (20.0,), 8.0)}
    monkeypatch.setattr(grpo_step, "measure", lambda name, text, arguments: found[name])
    row = grpo_step.compare("700/96/8", None)
    assert (row["generate_ratio"], row["update_ratio"], row["step_ratio"]) == (4.0, 10.0, 8.0)
    assert row["memory_share"] == 0.25
    wanted = update_flops(Point(700, 96, 8)) / 2 / 1e9 / 100
    assert row["share_of_peak"] == pytest.approx(wanted, abs=0.005)


def test_a_worker_is_asked_for_one_point(monkeypatch):
    """The parent reads the last line that a worker prints."""
    asked = []

    def run(command, **options):
        asked.append(command)
        line = json.dumps({"generate": [1], "update": [2], "peak_gib": 3, "peak_gflops": 4})
        return subprocess.CompletedProcess(command, 0, f"noise\n{line}\n")

    monkeypatch.setattr(subprocess, "run", run)
    arguments = type("A", (), {"steps": 2, "weights": "bfloat16", "checkpointing": False})
    assert grpo_step.measure("trl", "1/2/3", arguments) == Figures([1], [2], 3, 4)
    assert asked[0][0] == sys.executable
    assert asked[0][-1] == "--no-checkpointing"
    assert "1/2/3" in asked[0]


def test_the_measured_update_moves_the_weights():
    model = make_model(make_tokenizer(["a b c d"], vocabulary=300), seed=0, hidden=32, layers=1)
    weights = MasterWeights(model, torch.bfloat16)
    before = weights.compute.lm_head.weight.clone()
    answers = [Completion((7, 8, index), (-1.0,) * 3, finished=False) for index in (9, 10)]
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    grpo_step.update_ours(weights, optimizer, (5, 6), answers)
    assert not torch.equal(weights.compute.lm_head.weight, before)

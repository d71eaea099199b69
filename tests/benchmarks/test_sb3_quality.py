"""The coverage of candidates, and the baselines that learning is held against."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.quality.candidate_coverage import cover
from benchmarks.quality.held_candidates import Held, hold_out
from benchmarks.quality.sb3_curves import Config, at, by_category, draw, report
from toolrl_env.wrappers.numeric.candidate_actions import CandidateLayout
from toolrl_env.wrappers.numeric.candidate_features import FEATURES


def test_easy_calls_are_covered():
    many = cover("ToolRL-Toolbox-v0", {"difficulty": 1}, 12)
    assert many.calls[""] == many.states[""] == many.states["single"] == 12
    assert many.found[""] >= 11
    assert many.whole[""] == many.found[""]


def test_few_places_cover_fewer():
    many, few = (cover("ToolRL-Toolbox-v0", {"difficulty": 4}, 15, n=n) for n in (32, 2))
    assert few.found[""] < many.found[""]
    assert few.calls == many.calls


def test_every_turn_of_a_gold_trajectory_is_a_state():
    count = cover("ToolRL-Workspace-v0", {"difficulty": 2}, 3)
    assert count.states[""] > 6
    groups = [group for group in count.states if group.endswith(("call", "calls"))]
    assert sum(count.states[group] for group in groups) == count.states[""]
    assert "0 calls" in groups


def test_the_oracle_is_the_most_and_the_baselines_are_below_it():
    held = hold_out("ToolRL-Toolbox-v0", {"difficulty": 1, "split": "test"}, 15)
    assert held.random < held.rule <= held.oracle <= 4.0
    best = np.nanargmax(held.rewards, axis=1)
    assert held.reward(best) == pytest.approx(held.oracle)
    assert np.isnan(held.rewards[~held.masks]).all()


def test_the_baselines_of_a_table_by_hand():
    layout = CandidateLayout(places=3, row=len(FEATURES) + 1, context=1)
    observations = np.zeros((1, layout.size), np.float32)
    rows = observations[0, :-1].reshape(3, -1)
    rows[1, FEATURES.index("similarity")] = 0.1
    rows[1, FEATURES.index("rank")] = 1.0
    rewards = np.array([[-3.0, 2.0, np.nan]])
    held = Held(observations, ~np.isnan(rewards), rewards, layout, ("single",), np.array([4.0]))
    assert (held.oracle, held.random, held.rule) == (2.0, -0.5, 2.0)


def held_of(rewards, categories):
    """Tasks of which the rewards alone matter."""
    rewards = np.array(rewards)
    layout = CandidateLayout(rewards.shape[1], len(FEATURES) + 1, 1)
    observations = np.zeros((len(rewards), layout.size), np.float32)
    gold = np.full(len(rewards), 4.0)
    return Held(observations, ~np.isnan(rewards), rewards, layout, categories, gold)


def test_the_share_of_the_oracle_has_an_interval_over_tasks():
    held = held_of([[4.0, 0.0], [4.0, 2.0]] * 50, ("single",) * 100)
    share = held.share(np.array([1, 1] * 50))
    assert share.mean == pytest.approx(0.25)
    assert 0.15 < share.low < 0.25 < share.high < 0.35
    best = held.share(np.array([0, 0] * 50))
    assert (best.mean, best.low, best.high) == (1.0, 1.0, 1.0)


def test_rewards_by_category():
    held = held_of([[4.0, 0.0], [2.0, 0.0], [1.0, -1.0]], ("single", "single", "parallel"))
    table = by_category(held, [np.array([0, 1, 0]), np.array([0, 0, 1])])
    assert table.splitlines()[2:] == [
        "| parallel | 1 | 4.000 | 1.000 | 0.000 | 0.000 | 0.333 |",
        "| single | 2 | 4.000 | 3.000 | 2.500 | 1.500 | 0.333 |",
    ]


def test_a_mark_is_read_when_it_was_reached():
    curve = [{"cpu": 1.0, "reward": 0.5}, {"cpu": 4.0, "reward": 2.0}]
    assert (at(curve, 0.5), at(curve, 2.0), at(curve, 5.0)) == (curve[0], curve[1], None)


def test_a_report_says_shares_of_the_oracle_and_what_was_not_reached(tmp_path, capsys):
    held = held_of([[4.0, 0.0], [2.0, 0.0]], ("single", "single"))
    (tmp_path / "seed-7").mkdir()
    point = {"cpu": 3.0, "steps": 64, "reward": 2.0, "actions": [0, 1]}
    (tmp_path / "seed-7" / "curve.json").write_text(json.dumps([point]))
    report(Config(out=tmp_path, seeds=(7,), marks=(2.0, 9.0), tasks=2), held)
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "gold 4.000, oracle 3.000, rule 3.000, random 1.500 on 2 held-out tasks"
    assert said[1].startswith("seed 7, 2 CPU s: 64 steps, reward 2.000, 0.67 [")
    assert said[2] == "seed 7, 9 CPU s: not reached"
    assert json.loads((tmp_path / "curves.json").read_text())["curves"] == {"7": [point]}
    assert (tmp_path / "curves.png").is_file()


def test_a_picture_is_drawn(tmp_path):
    curve = [{"cpu": 0.0, "reward": -1.0}, {"cpu": 2.0, "reward": 1.0}]
    settings = {"marks": [1.0], "env": "E", "env_kwargs": "{}"}
    result = {"curves": {0: curve}, "oracle": 2.0, "rule": 1.0, "random": 0.0, "settings": settings}
    draw(result, tmp_path / "c.png")
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")

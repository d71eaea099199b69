"""Every row of the paper's own scores, to the last bit."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.speed.plain_reward import plain_reward
from toolrl_env.core.errors import InvalidGroundTruth
from toolrl_env.parsing import get_protocol, parse_ground_truth
from toolrl_env.rewards import RewardConfig, score_action, score_response

pytestmark = pytest.mark.shared_data

PARTS = ("score", "format", "correctness", "length")


@pytest.fixture(scope="module")
def rows(shared_data: Path) -> list[dict[str, Any]]:
    with gzip.open(shared_data / "rlla_reward_golden.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _config(row: dict[str, Any], known: dict[frozenset[str], RewardConfig] = {}) -> RewardConfig:  # noqa: B006
    flags = frozenset(row["flags"])
    return known.setdefault(flags, RewardConfig.from_reference_flags(flags))


def test_the_file_is_the_whole_file(rows: list[dict[str, Any]]):
    assert len(rows) == 15_505
    assert sum("error" in row["expected"] for row in rows) == 678


def test_every_row_scores_as_the_paper_code_does(rows: list[dict[str, Any]]):
    wrong = []
    for row in rows:
        expected = row["expected"]
        if "error" in expected:
            continue
        got = score_response(row["response"], row["ground_truth"], _config(row), row["step"])
        values = (got.total, got["format"], got["correctness"], got["length"])
        if any(
            abs(value - expected[part]) > 1e-12 for value, part in zip(values, PARTS, strict=True)
        ):
            wrong.append((row["id"], row["flags"], row["step"], values, expected))
    assert not wrong, f"{len(wrong)} rows differ, e.g. {wrong[:3]}"


def test_every_broken_gold_answer_is_refused(rows: list[dict[str, Any]]):
    for row in rows:
        if "error" in row["expected"]:
            with pytest.raises(InvalidGroundTruth, match="gold answer"):
                score_response(row["response"], row["ground_truth"], _config(row), row["step"])


def test_the_environments_way_of_scoring_gives_the_same_breakdown(rows: list[dict[str, Any]]):
    toolrl = get_protocol("toolrl")
    for row in rows[::3]:
        if "error" in row["expected"]:
            continue
        config, step = _config(row), row["step"]
        gold = parse_ground_truth(row["ground_truth"])
        long_way = score_action(toolrl.parse(row["response"]), gold, toolrl, config, step)
        short_way = score_response(row["response"], row["ground_truth"], config, step)
        assert (long_way.total, long_way.terms) == (short_way.total, short_way.terms), row["id"]


def test_totals_lie_within_the_bounds_and_losses_explain_them(rows: list[dict[str, Any]]):
    for row in rows[::3]:
        if "error" in row["expected"]:
            continue
        config, step = _config(row), row["step"]
        gold = parse_ground_truth(row["ground_truth"])
        breakdown = score_response(row["response"], row["ground_truth"], config, step)
        low, high = config.bounds(gold, step)
        assert low <= breakdown.total <= high, row["id"]
        detail = breakdown.detail
        if detail is None:
            assert not gold.has_call
            continue
        losses = detail.losses()
        if all(loss.kind != "malformed" for loss in losses):
            lost = sum(loss.points for loss in losses)
            assert lost == pytest.approx(detail.possible - detail.earned, abs=1e-9), row["id"]


def test_the_plain_implementation_of_the_benchmark_agrees(rows: list[dict[str, Any]]):
    for row in rows[::5]:
        if "error" not in row["expected"]:
            total = plain_reward(
                row["response"], row["ground_truth"], row["step"], set(row["flags"])
            )
            assert total == pytest.approx(row["expected"]["score"], abs=1e-12), row["id"]

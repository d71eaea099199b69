"""The paper's 400 real gold answers, in every protocol."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from toolrl_env.core.errors import ConfigurationError, InvalidGroundTruth
from toolrl_env.core.types import GroundTruth, ParseStatus
from toolrl_env.parsing import get_protocol, parse_ground_truth
from toolrl_env.rewards import RewardConfig, preset_names, score_action, score_response

pytestmark = pytest.mark.shared_data


@pytest.fixture(scope="module")
def texts(shared_data: Path) -> list[str]:
    rows = json.loads((shared_data / "rlla_sft.json").read_text(encoding="utf-8"))
    assert len(rows) == 400
    return [row["output"] for row in rows]


@pytest.fixture(scope="module")
def golds(texts: list[str]) -> list[GroundTruth]:
    found = []
    for text in texts:
        try:
            found.append(parse_ground_truth(text))
        except InvalidGroundTruth:
            continue
    return found


def test_nearly_all_can_be_used(golds: list[GroundTruth]):
    assert 380 <= len(golds) <= 400
    assert {len(gold.values) for gold in golds} >= {0, 1, 2, 3}


@pytest.mark.parametrize("name", preset_names())
def test_each_earns_the_most_correctness_there_is(golds: list[GroundTruth], name: str):
    config = RewardConfig.preset(name)
    for gold in golds:
        breakdown = score_response(gold.text, gold.text, config)
        correctness = breakdown.terms[1 if config.format else 0]
        assert correctness.score == correctness.high
        assert breakdown.losses == ()


def test_those_in_the_right_layout_earn_everything(golds: list[GroundTruth]):
    totals = [score_response(gold.text, gold.text).total for gold in golds]
    highs = [RewardConfig().bounds(gold)[1] for gold in golds]
    right = sum(total == high for total, high in zip(totals, highs, strict=True))
    assert right >= 0.97 * len(golds)


@pytest.mark.parametrize("name", ["native", "python"])
def test_other_protocols_carry_them(golds: list[GroundTruth], name: str):
    protocol, refused = get_protocol(name), []
    for gold in golds:
        try:
            text = protocol.render_gold(gold)
        except ConfigurationError as error:
            refused.append(str(error))
            continue
        action = protocol.parse(text)
        assert action.issues == ()
        assert (action.status is ParseStatus.CALLS) is gold.has_call
        breakdown = score_action(action, gold, protocol, RewardConfig())
        assert breakdown.total == RewardConfig().bounds(gold)[1], text
    assert len(refused) <= 1, refused  # one gold answer has a broken name


def test_dropping_the_last_call_always_costs(golds: list[GroundTruth]):
    toolrl = get_protocol("toolrl")
    for gold in golds:
        if len(gold.values) < 2:
            continue
        text = toolrl.render(gold.values[:-1], think="a")
        breakdown = score_response(text, gold.text)
        assert breakdown["correctness"] < 3.0
        assert any(loss.kind == "name" for loss in breakdown.losses)
        assert breakdown.detail is not None
        lost = sum(loss.points for loss in breakdown.losses)
        assert lost == pytest.approx(breakdown.detail.possible - breakdown.detail.earned)

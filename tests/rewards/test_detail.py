from __future__ import annotations

import pickle

import pytest

from tests.rewards.support import answer, call, kinds
from toolrl_env.parsing import get_protocol, parse_ground_truth
from toolrl_env.rewards import RewardConfig, score_action, score_response

GOLD = answer(call("f", x=1, y="a"), call("g", z=3))  # S_max = 6


@pytest.mark.parametrize(
    ("calls", "lost"),
    [
        ([call("f", x=1, y="a"), call("g", z=3)], {}),
        ([call("g", z=3), call("f", y="a", x=1)], {}),
        ([call("f", x=2, y="a"), call("g", z=3)], {"value": 1}),
        ([call("f", x="1", y="a"), call("g", z=3)], {"type": 1}),
        ([call("f", x=1), call("g", z=3)], {"missing_key": 1.5}),
        ([call("f", x=1, y="a", w=0), call("g", z=3)], {"extra_key": 1 / 3}),
        ([call("f", x=1, v="a"), call("g", z=3)], {"missing_key": 1 + 1 / 3, "extra_key": 1 / 3}),
        ([call("f", x=1, y="a")], {"name": 2.5}),
        ([call("h", x=1, y="a"), call("g", z=3)], {"name": 3 + 1 / 3, "extra_call": 1 / 3}),
        ([call("f", x=1, y="a"), call("g", z=3), call("g")], {"extra_call": 1 / 3}),
        ([call("f", w=1), call("g", z=3)], {"missing_key": 2 + 2 / 3, "extra_key": 1 / 3}),
    ],
)
def test_losses_by_hand(calls, lost):
    breakdown = score_response(answer(*calls), GOLD)
    assert kinds(breakdown.losses) == pytest.approx(lost)
    earned = sum(match.score for match in breakdown.matches)
    assert breakdown.detail is not None
    assert breakdown.detail.earned == pytest.approx(6 - sum(lost.values()))
    assert 0.0 <= breakdown.detail.earned - earned <= 1.0 + 1e-12


def test_a_loss_names_call_key_and_values():
    losses = score_response(answer(call("f", x=1, y="b", w=0), call("g", z=3)), GOLD).losses
    by_kind = {loss.kind: loss for loss in losses}
    value = by_kind["value"]
    assert (value.gold, value.predicted, value.key) == (0, 0, "y")
    assert (value.expected, value.actual) == ("a", "b")
    assert value.message == "'y' of 'f' is 'b', gold is 'a'"
    assert (by_kind["extra_key"].key, by_kind["extra_key"].actual) == ("w", 0)


def test_matches_name_the_prediction_of_each_gold_call():
    breakdown = score_response(answer(call("g", z=0), call("f", x=1, y="a")), GOLD)
    found = [(m.gold, m.predicted, m.score, m.possible) for m in breakdown.matches]
    assert found == [(0, 1, 3.0, 3.0), (1, 0, 1.0, 2.0)]


def test_order_is_a_loss_only_where_it_is_asked_for():
    swapped = answer(call("g", z=3), call("f", x=1, y="a"))
    assert score_response(swapped, GOLD).losses == ()
    refined = score_response(swapped, GOLD, RewardConfig(strict_names=True)).losses
    assert kinds(refined) == {"order": 1.0}
    coarse = score_response(swapped, GOLD, RewardConfig(granularity="coarse")).losses
    assert kinds(coarse) == {"order": 1.0}
    inside = answer(call("f", y="a", x=1), call("g", z=0))
    losses = score_response(inside, GOLD, RewardConfig(strict_names=True)).losses
    assert kinds(losses) == {"order": 1.0, "value": 1.0}


def test_coarse_and_intermediate_losses_are_scaled_to_what_is_at_stake():
    text = answer(call("f", x=2, w="a"), call("g", z=3))
    coarse = score_response(text, GOLD, RewardConfig(granularity="coarse"))
    assert sum(loss.points for loss in coarse.losses) == pytest.approx(1.0)
    assert {loss.kind for loss in coarse.losses} == {"value", "missing_key", "extra_key"}
    assert [match.possible for match in coarse.matches] == [0.5, 0.5]
    middle = score_response(text, GOLD, RewardConfig(granularity="intermediate"))
    assert sum(loss.points for loss in middle.losses) == pytest.approx(1.0)
    assert all(loss.gold == 0 for loss in middle.losses)


def test_intermediate_explains_a_call_that_differs_outside_its_parameters():
    odd = {"name": "g", "parameters": {"z": 3}, "id": 7}
    config = RewardConfig(granularity="intermediate")
    losses = score_response(answer(call("f", x=1, y="a"), odd), GOLD, config).losses
    assert kinds(losses) == {"order": 1.0}
    assert "differs" in losses[0].message
    bare = {"name": "g"}
    assert len(score_response(answer(call("f", x=1, y="a"), bare), GOLD, config).losses) == 1


def test_details_are_equal_however_they_were_made_and_survive_pickling():
    toolrl, gold = get_protocol("toolrl"), parse_ground_truth(GOLD)
    text = answer(call("f", x=2, y="a"))
    short = score_response(text, GOLD)
    long = score_action(toolrl.parse(text), gold, toolrl, RewardConfig())
    assert short == long
    again = pickle.loads(pickle.dumps(long))
    assert again == long
    assert again.losses == long.losses
    assert short.detail != score_response(GOLD, GOLD).detail
    assert short.detail != "something else"
    assert repr(short.detail) == "CallDetail(2.5 of 6 points)"


def test_what_a_detail_hands_out_does_not_change_later_scores():
    gold = answer(call("f", x={"k": [1]}))
    text = answer(call("f", x={"k": [2]}))
    loss = score_response(text, gold).losses[0]
    loss.actual["k"].append("changed")
    assert score_response(text, gold).losses[0].actual == {"k": [2]}
    with pytest.raises(TypeError):
        loss.expected["k"].append("changed")


def test_names_that_cannot_be_hashed():
    gold = answer(call(["f"], x=1))
    breakdown = score_response(answer(call(["f"], x=2)), gold)
    assert breakdown["correctness"] == pytest.approx(6 * 2 / 3 - 3)
    assert kinds(breakdown.losses) == {"value": 1.0}
    other = score_response(answer(call(["g"], x=2)), gold)
    assert other["correctness"] == -3.0
    strict = RewardConfig(strict_names=True)
    losses = score_response(answer(call(["g"], x=2)), gold, strict).losses
    assert sum(loss.points for loss in losses) == pytest.approx(3.0)

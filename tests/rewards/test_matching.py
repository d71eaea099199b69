"""Matching looked at directly, on decoded values that need not be calls."""

from __future__ import annotations

import pytest

from tests.rewards.support import call
from toolrl_env.core.types import GroundTruth
from toolrl_env.rewards.gold import ReadyGold, ready_gold
from toolrl_env.rewards.matching import MatchRules, equal_answers, match_calls

RULES = MatchRules()


def matched(gold: list, predicted: list, rules: MatchRules = RULES):
    return match_calls(ReadyGold(tuple(gold)), predicted, rules)


@pytest.mark.parametrize(
    ("gold", "predicted", "score"),
    [
        (["a", "b"], ["a", "b"], 1.0),
        (["a", "b"], ["b", "a"], 1.0),
        (["a", "b"], ["a"], 1 / 2),
        (["a"], ["a", "a"], 1 / 2),
        (["a", "a"], ["a", "b"], 1 / 3),
        (["a", "a", "b"], ["a", "b", "b"], 2 / 4),
        (["a"], ["b"], 0.0),
        ([1], [True], 1.0),
        ([1, 2], [2.0, 3], 1 / 3),
        ([None], [None], 1.0),
    ],
)
def test_name_score_is_the_multiset_jaccard_index(gold, predicted, score):
    outcome = matched([call(name) for name in gold], [call(name) for name in predicted])
    assert outcome.name_score == pytest.approx(score)


@pytest.mark.parametrize(
    ("gold", "predicted", "points"),
    [
        ({}, {}, 1.0),
        ({}, {"a": 1}, 0.0),
        ({"a": 1}, {}, 0.0),
        ({"a": 1}, {"a": 1}, 2.0),
        ({"a": 1}, {"a": 2}, 1.0),
        ({"a": 1}, {"b": 1}, 0.0),
        ({"a": 1, "b": 2}, {"b": 2}, 1.5),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, 3.0),
        ({"a": 1, "b": 2}, {"b": 2, "c": 3}, 1 / 3 + 1),
    ],
)
def test_points_of_a_pair(gold, predicted, points):
    outcome = matched([call("f", **gold)], [call("f", **predicted)])
    assert outcome.pairs[0][1] == pytest.approx(points)
    assert outcome.possible == 2.0 + len(gold)
    assert outcome.earned == pytest.approx(1.0 + points)


@pytest.mark.parametrize(
    "predicted",
    [
        [1],
        ["f"],
        [None],
        [[]],
        [{}],
        [{"name": "f"}],
        [{"name": "f", "parameters": None}],
        [{"name": "f", "parameters": []}],
        [{"name": "f", "parameters": "x"}],
        [{"name": {}, "parameters": {}}],
        [call("f", x=2), 3],
    ],
)
def test_predictions_that_are_no_calls_raise_what_the_term_expects(predicted):
    with pytest.raises((KeyError, TypeError, AttributeError)):
        matched([call("f", x=1)], predicted)


def test_parameters_are_looked_at_only_where_they_are_needed():
    assert matched([call("f", x=1)], [call("f", x=1), {"name": "g"}]).earned == 2.5
    used_up = [call("f", x=1), {"name": "f"}]
    with pytest.raises(KeyError):
        matched([call("f", x=1)], used_up)


@pytest.mark.parametrize(
    "gold",
    [[5], [{"name": "f"}], [{"parameters": {}}], [{"name": "f", "parameters": 3}], ["f"], [None]],
)
def test_gold_that_is_no_call_can_only_be_equalled(gold):
    with pytest.raises((KeyError, TypeError)):
        matched(gold, [call("f")])
    assert equal_answers(tuple(gold), tuple(gold), RULES)
    assert not equal_answers(tuple(gold), (call("f"),), RULES)


def test_gold_parameters_of_other_kinds_are_counted_until_a_prediction_meets_them():
    gold = [{"name": "f", "parameters": [1, 2]}]
    outcome = matched(gold, [call("g")])
    assert (outcome.earned, outcome.possible) == (0.0, 4.0)
    with pytest.raises(TypeError):
        matched(gold, [call("f")])


def test_intermediate_compares_whole_calls_whatever_they_hold():
    rules = MatchRules(granularity="intermediate")
    gold = [{"name": "f", "parameters": 3}, {"name": "f", "parameters": {}, "id": 1}]
    outcome = matched(gold, list(reversed(gold)), rules)
    assert outcome == (3.0, 3.0, 1.0, [(1, 1.0), (0, 1.0)])
    assert matched(gold, [gold[1], call("f")], rules).earned == 2.0


def test_equality_is_of_lists_order_included():
    one, two = call("f", x=1), call("g")
    assert equal_answers((one, two), (one, two), RULES)
    assert not equal_answers((one, two), (two, one), RULES)
    assert not equal_answers((one,), (one, one), RULES)
    assert not equal_answers((one,), (call("f", x=True),), MatchRules(values="strict"))
    assert equal_answers((one,), (call("f", x="1"),), MatchRules(values="tolerant"))
    assert not equal_answers((one,), (call("F", x=1),), MatchRules(values="tolerant"))


def test_thousands_of_predictions_of_one_name():
    gold = [call("f", x=number) for number in range(10)]
    predicted = [call("f", x=number) for number in range(2_300)]
    for matching in ("greedy", "optimal"):
        outcome = matched(gold, predicted, MatchRules(matching=matching))
        assert [index for index, _ in outcome.pairs] == list(range(10))
        assert outcome.earned == pytest.approx(20 + 10 / 2_300)


def test_ready_gold_follows_the_values_not_only_the_text():
    text = "the same text"
    one = GroundTruth(text, True, False, (call("f"),))
    other = GroundTruth(text, True, False, (call("g"),))
    assert ready_gold(one).names == ["f"]
    assert ready_gold(other).names == ["g"]
    assert ready_gold(one).names == ["f"]
    assert ready_gold(one) is ready_gold(one)


def test_what_is_ready_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("toolrl_env.rewards.gold._MAX_READY", 3)
    for number in range(10):
        gold = GroundTruth(f"bounded {number}", True, False, (call("f", x=number),))
        assert ready_gold(gold).possible == 3.0

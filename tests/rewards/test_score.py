from __future__ import annotations

import json

import pytest

from tests.rewards.support import answer, call
from toolrl_env.core.errors import ConfigurationError, InvalidGroundTruth, WrongActionType
from toolrl_env.core.types import TermScore
from toolrl_env.parsing import get_protocol, parse_ground_truth
from toolrl_env.rewards import RewardConfig, forget, score_action, score_response

GOLD = answer(call("f", x=1, y=2), call("g", z=3))  # S_max = 1 + 3 + 2 = 6


@pytest.mark.parametrize(
    ("predicted", "points"),
    [
        ([call("f", x=1, y=2), call("g", z=3)], 6.0),
        ([call("g", z=3), call("f", x=1, y=2)], 6.0),  # any order
        ([call("f", y=2, x=1), call("g", z=3)], 6.0),  # any order of arguments
        ([call("f", x=1, y=0), call("g", z=3)], 5.0),  # one value
        ([call("f", x=1), call("g", z=3)], 1 + (1 / 2 + 1) + 2),  # one key missing
        ([call("f", x=1, y=2, w=4), call("g", z=3)], 1 + (2 / 3 + 2) + 2),  # one key too many
        ([call("f", x=1, y=2)], 1 / 2 + 3),  # one call missing
        ([call("h", x=1, y=2), call("g", z=3)], 1 / 3 + 2),  # wrong name
        ([call("f", x=1, y=2), call("g", z=3), call("g", z=3)], 2 / 3 + 5),  # one too many
        ([call("h")], 0.0),
        ([call("f"), call("g")], 1.0),  # names alone
        ([call("f", x=True, y=2.0), call("g", z=3)], 6.0),  # Python's ==
        ([call("f", x="1", y=2), call("g", z=3)], 5.0),
    ],
)
def test_points_by_hand(predicted, points):
    breakdown = score_response(answer(*predicted), GOLD)
    assert breakdown["correctness"] == pytest.approx(6 * points / 6.0 - 3)
    assert breakdown["format"] == 1.0
    assert breakdown.total == breakdown["format"] + breakdown["correctness"]
    assert breakdown.detail is not None
    assert breakdown.detail.earned == pytest.approx(points)
    assert breakdown.detail.possible == 6.0


def test_greedy_takes_the_first_best_in_gold_order():
    gold = answer(call("f", x=1), call("f", x=1, y=2))
    predicted = answer(call("f", x=1, y=2), call("f", x=1))
    breakdown = score_response(predicted, gold)
    assert [(match.gold, match.predicted) for match in breakdown.matches] == [(0, 1), (1, 0)]
    tie = score_response(answer(call("f", x=1), call("f", x=1), call("f", q=1)), gold)
    assert [match.predicted for match in tie.matches] == [0, 1]


def test_a_prediction_that_earns_nothing_is_not_used_up():
    gold = answer(call("f", x=1), call("f", y=2))
    breakdown = score_response(answer(call("f", y=2), call("g")), gold)
    assert [match.predicted for match in breakdown.matches] == [None, 0]


@pytest.mark.parametrize(
    "block",
    [
        "not json",
        "[]",
        '{"name": "f"}',
        '{"name": "f", "arguments": {"x": 1, "y": 2}}',
        '{"parameters": {}}',
        '{"name": ["f"], "parameters": {}}',
        '{"name": "f", "parameters": 3}',
        "null",
        "5",
        "",
        '{"name": "f", "parameters": ' + "[" * 500 + "}",
        '{"name": "f", "parameters": {"x": ' + "9" * 4_400 + "}}",
    ],
)
def test_what_cannot_be_scored_earns_the_minimum(block):
    text = f"<think> a </think>\n<tool_call>\n{block}\n</tool_call>"
    breakdown = score_response(text, GOLD)
    assert (breakdown["format"], breakdown["correctness"]) == (1.0, -3.0)
    assert [loss.kind for loss in breakdown.losses] == ["malformed"]
    assert [match.predicted for match in breakdown.matches] == [None, None]
    assert breakdown.terms[1].reason


def test_broken_parameters_of_an_unmatched_name_do_no_more_harm():
    broken = {"name": "h", "parameters": None}
    breakdown = score_response(answer(call("f", x=1, y=2), call("g", z=3), broken), GOLD)
    assert breakdown["correctness"] == pytest.approx(6 * (2 / 3 + 5) / 6 - 3)


def test_missing_tags_and_no_answer_at_all():
    for text in ("", " ", "hello", GOLD.replace("</tool_call>", ""), "\x00", "\ud800"):
        breakdown = score_response(text, GOLD)
        assert breakdown.total == -3.0


def test_gold_without_calls_never_judges_the_calls_or_the_text():
    gold = answer(response="It is sunny.")
    assert score_response(answer(response="Rubbish."), gold).total == 1.0
    breakdown = score_response(answer(call("f"), response="x"), gold)
    assert breakdown.total == 0.0
    assert (breakdown.detail, breakdown.matches, breakdown.losses) == (None, (), ())


def test_equal_but_broken_calls_are_equal():
    odd = "<think> a </think>\n<tool_call>\n[1, NaN]\n{}\n</tool_call>"
    breakdown = score_response(odd, odd)
    assert breakdown.total == 4.0
    assert breakdown.losses == ()
    assert [match.predicted for match in breakdown.matches] == [0, 1]


def test_text_over_the_limit_is_scored_as_malformed():
    padded = GOLD.replace(" a ", " a" * 40_000)
    config = RewardConfig(length=True)
    breakdown = score_response(padded, GOLD, config)
    assert breakdown.as_dict() == {
        "total": -3.0,
        "format": 0.0,
        "correctness": -3.0,
        "length": 0.0,
    }


def test_a_million_calls_are_scored():
    line = json.dumps(call("f", x=1, y=2)) + "\n"
    text = "<think> a </think>\n<tool_call>\n" + line * 1_000_000 + "</tool_call>"
    assert score_response(text, GOLD).total == -3.0
    fits = "<think> a </think>\n<tool_call>\n" + line * 1_000 + "</tool_call>"
    assert score_response(fits, GOLD)["correctness"] > -3.0
    gold = answer(*[call("f", x=number) for number in range(10)])
    many = answer(*[call("f", x=number) for number in range(1_500)])
    assert len(many) < 65_536
    detail = score_response(many, gold).detail
    assert detail is not None
    assert detail.earned == pytest.approx(20 + 10 / 1_500)


def test_the_callers_mistakes_are_named():
    with pytest.raises(WrongActionType, match="not bytes"):
        score_response(b"x", GOLD)  # type: ignore[arg-type]
    with pytest.raises(InvalidGroundTruth, match="not int"):
        score_response("x", 3)  # type: ignore[arg-type]
    with pytest.raises(InvalidGroundTruth, match="line 1"):
        score_response("x", "<tool_call>\n{\n</tool_call>")
    for step in (-1, 1.5, "3"):
        with pytest.raises(ConfigurationError, match="step="):
            score_response("x", GOLD, step=step)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["native", "python"])
def test_other_protocols_earn_the_same(name):
    protocol, gold = get_protocol(name), parse_ground_truth(GOLD)
    config = RewardConfig()
    best = score_action(protocol.parse(protocol.render_gold(gold)), gold, protocol, config)
    assert best.total == 4.0
    less = protocol.render([call("f", x=1, y=0), call("g", z=3)])
    breakdown = score_action(protocol.parse(less), gold, protocol, config)
    assert breakdown["correctness"] == 2.0
    assert breakdown["format"] == 1.0  # a thought is optional in these
    nothing = score_action(protocol.parse("I cannot."), gold, protocol, config)
    assert nothing.total == -3.0


def test_terms_say_their_range_weight_and_reason():
    config = RewardConfig(length=True, format_weight=2.0, correctness_weight=0.5, length_weight=0.0)
    breakdown = score_response(answer(call("f", x=1, y=0)), GOLD, config)
    assert [term.name for term in breakdown.terms] == ["format", "correctness", "length"]
    layout, correctness, length = breakdown.terms
    assert (layout.low, layout.high, layout.weight, layout.reason) == (0.0, 1.0, 2.0, "")
    assert (correctness.low, correctness.high, correctness.weight) == (-3.0, 3.0, 0.5)
    assert "losses" in correctness.reason
    assert (length.weight, length.score) == (0.0, 0.0)
    assert breakdown.total == pytest.approx(2.0 * layout.score + 0.5 * correctness.score)


def test_the_same_answer_scores_the_same_again_and_at_every_scale():
    text = answer(call("f", x=1, y=0), call("g", z=3))
    config = RewardConfig(dynamic_scale=True)
    first = [score_response(text, GOLD, config, step) for step in (0, 75, 150, 0)]
    assert [breakdown["correctness"] for breakdown in first] == pytest.approx(
        [4 * 5 / 6 - 2, 5 * 5 / 6 - 2.5, 2.0, 4 * 5 / 6 - 2]
    )
    assert first[0] == first[3]


def test_what_is_remembered_changes_no_score():
    texts = [answer(call("f", x=1, y=number % 3), call("g", z=3)) for number in range(6)]
    warm = [score_response(text, GOLD) for text in texts]
    for text, breakdown in zip(texts, warm, strict=True):
        forget()
        assert score_response(text, GOLD) == breakdown


@pytest.mark.parametrize(
    ("words", "score"), [(0, 0.0), (1, 0.0), (3, 0.01), (256, 0.5), (512, 1.0), (2_000, 1.0)]
)
def test_length(words, score):
    text = "<think>" + " word" * words + "</think>"
    assert score_response(text, GOLD, RewardConfig(length=True))["length"] == score


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("no thought", 0.0),
        ("<think> a" * 600, 0.0),
        ("</think> x <think>" + " a" * 256, 0.5),
        ("<think>" + " a" * 512 + "</think><think> b </think>", 0.0),  # the last thought counts
        ("<response><think>" + " a" * 512 + "</think>", 1.0),  # wherever it stands
    ],
)
def test_which_thought_is_measured(text, score):
    assert score_response(text, GOLD, RewardConfig(length=True))["length"] == score


def test_dynamic_length_asks_for_more_words_later():
    text = "<think>" + " a" * 384 + "</think>"
    config = RewardConfig(length=True, dynamic_length=True)
    found = [score_response(text, GOLD, config, step)["length"] for step in (0, 105, 210)]
    assert found == [1.0, 0.6, 0.43]


def test_switched_off_terms_read_as_zero():
    breakdown = score_response(GOLD, GOLD, RewardConfig(format=False))
    assert breakdown.total == 3.0
    assert (breakdown["format"], breakdown["length"]) == (0.0, 0.0)
    with pytest.raises(KeyError, match="no reward term 'fromat'"):
        breakdown["fromat"]
    assert breakdown.terms == (TermScore("correctness", 3.0, -3.0, 3.0),)

from __future__ import annotations

import pytest

from tests.rewards.support import answer, call
from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.types import TermScore, ToolResult
from toolrl_env.parsing import get_protocol, parse_ground_truth
from toolrl_env.rewards import (
    RewardConfig,
    TermContext,
    scheduled,
    score_action,
    score_response,
    validation,
    weighted,
)

TOOLRL = get_protocol("toolrl")
GOLD = answer(call("f", x=1), call("g"))
NO_CALLS = answer(response="ok")


def politeness(context: TermContext) -> TermScore:
    score = 1.0 if "please" in context.action.text else 0.0
    return TermScore("politeness", score, 0.0, 1.0)


def checked(text: str, *ok: bool, gold: str = GOLD) -> TermScore:
    results = tuple(ToolResult(index, fine) for index, fine in enumerate(ok))
    return validation(TermContext(TOOLRL.parse(text), parse_ground_truth(gold), TOOLRL, 0, results))


@pytest.mark.parametrize(
    ("text", "ok", "gold", "score"),
    [
        (GOLD, (True, True), GOLD, 0.0),
        (GOLD, (True, False), GOLD, -0.5),
        (GOLD, (False, False), GOLD, -1.0),
        ("hello", (), GOLD, -1.0),
        ("", (), GOLD, -1.0),
        (GOLD.replace("}}", "}"), (False, True), GOLD, -1.0),
        (NO_CALLS, (), GOLD, -1.0),
        (NO_CALLS, (), NO_CALLS, 0.0),
        (GOLD, (True, False), NO_CALLS, -0.5),
        ("", (), NO_CALLS, -1.0),
    ],
)
def test_validation_only_takes_away(text, ok, gold, score):
    term = checked(text, *ok, gold=gold)
    assert (term.score, term.low, term.high, term.name) == (score, -1.0, 0.0, "validation")
    assert bool(term.reason) is (score < 0)


def test_validation_without_results_is_the_callers_mistake():
    with pytest.raises(ConfigurationError, match="CallValidator"):
        checked(GOLD)
    with pytest.raises(ConfigurationError, match="got 1 for 2 calls"):
        checked(GOLD, True)
    with pytest.raises(ConfigurationError, match="CallValidator"):
        score_response(GOLD, GOLD, RewardConfig(extra_terms=(validation,)))


def test_results_reach_the_term():
    gold, action = parse_ground_truth(GOLD), TOOLRL.parse(GOLD)
    config = RewardConfig(extra_terms=(validation,))
    results = (ToolResult(0, True), ToolResult(1, False))
    breakdown = score_action(action, gold, TOOLRL, config, 0, results)
    assert breakdown.total == 4.0 - 0.5
    assert breakdown["validation"] == -0.5
    assert config.bounds(gold) == (-4.0, 4.0)


def test_a_users_term_with_weight_and_schedule():
    config = RewardConfig(
        extra_terms=(scheduled(weighted(politeness, 0.5), lambda step: 1 - step / 10),)
    )
    text = GOLD.replace(" a ", " please ")
    totals = [score_response(text, GOLD, config, step).total for step in (0, 5, 10)]
    assert totals == pytest.approx([4.5, 4.25, 4.0])
    breakdown = score_response(text, GOLD, config, 5)
    assert breakdown["politeness"] == 1.0
    assert breakdown.as_dict() == {
        "total": 4.25,
        "format": 1.0,
        "correctness": 3.0,
        "politeness": 1.0,
    }
    assert config.bounds(parse_ground_truth(GOLD), 5) == (-3.0, 4.25)


def test_weights_below_nothing_turn_the_bounds():
    config = RewardConfig(extra_terms=(weighted(politeness, -1.0),), correctness_weight=-1.0)
    assert config.bounds(parse_ground_truth(GOLD)) == (-4.0, 4.0)


@pytest.mark.parametrize(
    ("term", "words"),
    [
        (lambda context: 1.0, "no TermScore"),
        (lambda context: TermScore("x", float("nan"), 0.0, 1.0), "finite"),
        (lambda context: TermScore("format", 1.0, 0.0, 1.0), "one name"),
    ],
)
def test_a_term_that_breaks_its_contract_is_named(term, words):
    with pytest.raises(ConfigurationError, match=words):
        score_response(GOLD, GOLD, RewardConfig(extra_terms=(term,)))


def test_an_error_in_a_term_is_not_swallowed():
    def broken(context: TermContext) -> TermScore:
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        score_response(GOLD, GOLD, RewardConfig(extra_terms=(broken,)))


def test_a_weight_must_be_finite():
    with pytest.raises(ConfigurationError, match="weight=inf"):
        weighted(politeness, float("inf"))

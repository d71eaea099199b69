"""Granularity, strict names, matching, value comparison, exact and F1."""

from __future__ import annotations

import sys

import pytest

from tests.rewards.support import answer, call
from toolrl_env.core.errors import ConfigurationError
from toolrl_env.rewards import RewardConfig, forget, score_response
from toolrl_env.rewards import matching as matching_module

GOLD = answer(call("f", x=1, y=2), call("g", z=3))


def share(text: str, config: RewardConfig, gold: str = GOLD) -> float:
    """Return S / S_max."""
    return (score_response(text, gold, config)["correctness"] + 3) / 6


@pytest.mark.parametrize(
    ("calls", "fine", "refined", "intermediate", "coarse"),
    [
        ([call("f", x=1, y=2), call("g", z=3)], 1, 1, 1, 1),
        ([call("g", z=3), call("f", x=1, y=2)], 1, 5 / 6, 1, 0),
        ([call("f", y=2, x=1), call("g", z=3)], 1, 1, 1, 1),
        ([call("f", x=1, y=0), call("g", z=3)], 5 / 6, 5 / 6, 2 / 3, 0),
        ([call("f", x=1, y=2)], 3.5 / 6, 3 / 6, 1.5 / 3, 0),
        ([call("f", y=2), call("g", z=3)], 4.5 / 6, 4 / 6, 2 / 3, 0),
    ],
)
def test_granularities(calls, fine, refined, intermediate, coarse):
    configs = {
        RewardConfig(): fine,
        RewardConfig(strict_names=True): refined,
        RewardConfig(granularity="intermediate"): intermediate,
        RewardConfig(granularity="coarse"): coarse,
    }
    for config, expected in configs.items():
        assert share(answer(*calls), config) == pytest.approx(expected), config


def test_refined_counts_the_order_of_arguments_once_calls_differ():
    text = answer(call("f", y=2, x=1), call("g", z=0))
    assert share(text, RewardConfig()) == pytest.approx(5 / 6)
    assert share(text, RewardConfig(strict_names=True)) == pytest.approx(4 / 6)


# The first gold call takes the only prediction that would serve the second one well.
TWISTED_GOLD = answer(call("f", a=1), call("f", a=1, b=2, c=3))
TWISTED = answer(call("f", a=1, b=2, c=3), call("f", z=0))


def test_optimal_matching_beats_greedy_where_one_tool_is_called_twice():
    greedy = share(TWISTED, RewardConfig(), TWISTED_GOLD)
    best = share(TWISTED, RewardConfig(matching="optimal"), TWISTED_GOLD)
    assert greedy == pytest.approx((1 + 1 / 3 + 1) / 7)
    assert best == pytest.approx((1 + 4) / 7)
    breakdown = score_response(TWISTED, TWISTED_GOLD, RewardConfig(matching="optimal"))
    assert [match.predicted for match in breakdown.matches] == [None, 0]


def test_optimal_matching_beyond_its_limit_is_greedy(monkeypatch: pytest.MonkeyPatch):
    forget()
    monkeypatch.setattr(matching_module, "MAX_OPTIMAL_PAIRS", 3)
    got = share(TWISTED, RewardConfig(matching="optimal"), TWISTED_GOLD)
    assert got == share(TWISTED, RewardConfig(), TWISTED_GOLD)
    forget()


def test_without_scipy_optimal_matching_is_refused_at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "meta_path", [])
    monkeypatch.setattr(sys, "path", [])
    for name in [name for name in sys.modules if name.split(".")[0] == "scipy"]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ConfigurationError, match=r"toolrl-env\[optimal\]"):
        RewardConfig(matching="optimal")
    RewardConfig()


@pytest.mark.parametrize(
    ("predicted", "python", "strict", "tolerant"),
    [
        (call("f", n=1, s="New York"), 1.0, 1.0, 1.0),
        (call("f", n=True, s="New York"), 1.0, 0.75, 0.75),
        (call("f", n=1.0, s="New York"), 1.0, 0.75, 1.0),
        (call("f", n="1", s="new york "), 0.5, 0.5, 1.0),
        (call("f", n=2, s="Paris"), 0.5, 0.5, 0.5),
    ],
)
def test_value_comparison(predicted, python, strict, tolerant):
    gold = answer(call("f", n=1, s="New York"))
    for values, expected in (("python", python), ("strict", strict), ("tolerant", tolerant)):
        config = RewardConfig(values=values)  # type: ignore[arg-type]
        assert share(answer(predicted), config, gold) == pytest.approx(expected), values
        whole = RewardConfig(values=values, granularity="coarse")  # type: ignore[arg-type]
        assert share(answer(predicted), whole, gold) == float(expected == 1.0)


def test_tolerance_never_extends_to_names():
    gold = answer(call("f", n=1))
    assert share(answer(call("F", n=1)), RewardConfig(values="tolerant"), gold) == 0.0
    upper = share(answer(call("f", N=1)), RewardConfig(values="tolerant"), gold)
    assert upper == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("calls", "exact", "f1"),
    [
        ([call("f", x=1, y=2), call("g", z=3)], 1, 1),
        ([call("g", z=3), call("f", y=2, x=1)], 1, 1),
        ([call("f", x=1, y=0), call("g", z=3)], 0, 8 / 10),
        ([call("f", x=1, y=2)], 0, 6 / 8),
        ([call("f", x=1, y=2, w=4), call("g", z=3)], 0, 10 / 11),
        ([call("f", x=1, y=2), call("g", z=3), call("h")], 0, 10 / 11),
        ([call("f", x=1, y=2), call("f", x=1, y=2)], 0, 6 / 11),
        ([call("h")], 0, 0),
        ([{"name": "f"}], 0, 0),
        ([1, 2], 0, 0),
    ],
)
def test_exact_and_f1(calls, exact, f1):
    text = answer(*calls)
    assert score_response(text, GOLD, RewardConfig.preset("exact")).total == exact
    assert score_response(text, GOLD, RewardConfig.preset("f1")).total == pytest.approx(f1)


@pytest.mark.parametrize("name", ["exact", "f1"])
def test_exact_and_f1_pay_for_leaving_tools_alone(name):
    gold = answer(response="Which city?")
    config = RewardConfig.preset(name)
    assert score_response(answer(response="Where?"), gold, config).total == 1.0
    assert score_response("Where?", gold, config).total == 1.0
    assert score_response(answer(call("f")), gold, config).total == 0.0
    assert score_response("", gold, config).total == 0.0
    assert score_response("<tool_call>", gold, config).total == 0.0
    assert score_response("a" * 70_000, gold, config).total == 0.0


@pytest.mark.parametrize("name", ["exact", "f1"])
def test_exact_and_f1_need_decodable_calls(name):
    config = RewardConfig.preset(name)
    assert score_response("hello", GOLD, config).total == 0.0
    broken = answer("x").replace('"x"', "{")
    breakdown = score_response(broken, GOLD, config)
    assert breakdown.total == 0.0
    assert breakdown.losses[0].kind == "malformed"


def test_f1_of_an_unscorable_gold_answer_is_zero_unless_equal_by_exact():
    odd = "<think> a </think>\n<tool_call>\n5\n</tool_call>"
    assert score_response(odd, odd, RewardConfig.preset("exact")).total == 1.0
    assert score_response(odd, odd, RewardConfig.preset("f1")).total == 0.0

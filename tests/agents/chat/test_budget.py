from __future__ import annotations

import pytest

from agents.chat.budget import Budget
from agents.chat.options import ChatOptions
from agents.chat.reply import Reply


def test_without_a_budget_nothing_stops():
    budget = Budget(ChatOptions())
    budget.spend(Reply("", (), 10**9, 10**9))
    budget.spend(Reply(""))
    assert budget.spent() == ""
    assert "an unknown number of tokens" in budget.report()


@pytest.mark.parametrize(("tokens", "stops"), [(99, False), (100, True), (101, True)])
def test_tokens(tokens, stops):
    budget = Budget(ChatOptions(token_budget=100))
    budget.spend(Reply("", (), tokens - 1, 1))
    assert bool(budget.spent()) is stops


def test_money_has_two_prices():
    budget = Budget(ChatOptions(money_budget=1.0, price_in=0.5, price_out=2.0))
    budget.spend(Reply("", (), 1_000_000, 100_000))
    assert budget.money == pytest.approx(0.7)
    assert budget.spent() == ""
    budget.spend(Reply("", (), 0, 150_000))
    assert budget.money == pytest.approx(1.0)
    assert "the budget of 1 is spent" in budget.spent()
    assert "1.0000 in money" in budget.report()


def test_a_budget_needs_usage():
    budget = Budget(ChatOptions(token_budget=10))
    assert budget.spent() == ""
    budget.spend(Reply("", (), None, 1))
    assert "does not say" in budget.spent()

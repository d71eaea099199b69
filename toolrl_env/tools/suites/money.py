"""Money: sharing, growing and exchanging it. Rates are given, never looked up."""

from __future__ import annotations

from typing import Annotated

from toolrl_env.tools.signature import Limits
from toolrl_env.tools.suites.common import Positive, tidy

__all__ = ["compound_interest", "convert_currency", "discounted", "split_bill"]

Rate = Annotated[float, Limits(0, 100)]


def split_bill(
    total: Positive, people: Annotated[int, Limits(1, 1000)], tip_percent: Rate = 0
) -> float:
    """Share of each person in a bill.

    Args:
        total: The bill.
        people: How many share it.
        tip_percent: Tip added first, in percent.
    """
    return tidy(total * (1 + tip_percent / 100) / people, 2)


def convert_currency(amount: Positive, rate: Annotated[float, Limits(0, 1e6)]) -> float:
    """Exchange money at a given rate.

    Args:
        amount: Money to exchange.
        rate: New currency for one unit of the old.
    """
    return tidy(amount * rate, 2)


def compound_interest(
    principal: Positive, rate: Rate, years: Annotated[int, Limits(1, 100)]
) -> float:
    """Savings after yearly compound interest.

    Args:
        principal: Money at the start.
        rate: Interest a year, in percent.
        years: Whole years.
    """
    return tidy(principal * (1 + rate / 100) ** years, 2)


def discounted(price: Positive, percent: Rate) -> float:
    """Price after a discount.

    Args:
        price: Price before.
        percent: Discount in percent.
    """
    return tidy(price * (1 - percent / 100), 2)

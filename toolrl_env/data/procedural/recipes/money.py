"""Requests for the money tools."""

from __future__ import annotations

from toolrl_env.data.procedural.recipe import Recipe
from toolrl_env.data.procedural.samplers import amount, decimal

__all__ = ["RECIPES"]

RECIPES = (
    Recipe(
        tool="split_bill",
        goal="share a bill",
        sample=lambda r, level: {
            "total": amount(r, level),
            "people": r.randint(2, 12),
            **({"tip_percent": r.randint(5, 25)} if level >= 3 and r.random() < 0.5 else {}),
        },
        direct=(
            "Split a bill of {total} between {people} people.",
            "A bill of {total} is shared by {people} people. What does each one pay?",
        ),
        story=(
            (
                "We were {people} at the table and the waiter brought a bill of {total}. How much "
                "is it each?"
            ),
            "Our present cost {total}, and {people} of us share the cost evenly. What do I owe?",
        ),
        noun=("one share of a bill of {total} split between {people} people",),
        gives="money",
        options={
            "tip_percent": (
                "Add a {tip_percent} percent tip first.",
                "A tip of {tip_percent}% comes on top.",
            ),
        },
        ask={
            "people": ("the number of people", "Our bill is {total}. What does each of us pay?"),
            "total": ("the total of the bill", "There are {people} of us. Split the bill evenly."),
        },
        chained={"total": ("money", "split that bill between {people} people")},
    ),
    Recipe(
        tool="convert_currency",
        goal="exchange money",
        sample=lambda r, level: {
            "amount": amount(r, level),
            "rate": round(r.uniform(0.2, 9), 2 if level < 3 else 3),
        },
        direct=(
            "Exchange {amount} at a rate of {rate}.",
            "How much do I get for {amount} at an exchange rate of {rate}?",
            "Convert money: {amount}, at a rate of {rate}.",
        ),
        story=(
            (
                "The desk at the airport gives {rate} of theirs for one of ours. I hand over "
                "{amount}; how much of theirs do I get?"
            ),
            "My aunt wires me {amount} and the bank's exchange rate is {rate}. What arrives?",
        ),
        noun=("{amount} exchanged at a rate of {rate}",),
        gives="money",
        says={"rate": "plain"},
        ask={
            "rate": ("the exchange rate", "Exchange {amount} into the other currency for me."),
            "amount": ("the amount", "The exchange rate is {rate}. What do I get for my money?"),
        },
        chained={"amount": ("money", "exchange that at a rate of {rate}")},
    ),
    Recipe(
        tool="compound_interest",
        goal="grow savings by compound interest",
        sample=lambda r, level: {
            "principal": amount(r, level) * 10 if level < 2 else amount(r, level),
            "rate": decimal(r, 1, 9, level - 1),
            "years": r.randint(2, 30),
        },
        direct=(
            (
                "What will {principal} be worth after {years} years at {rate} percent compound "
                "interest?"
            ),
            "Grow {principal} at {rate} percent a year, compounded, for {years} years.",
        ),
        story=(
            (
                "I put {principal} into an account that pays {rate}% a year and leave the interest "
                "in. What is there after {years} years?"
            ),
            (
                "A trust of {principal} earns {rate} percent yearly, always reinvested. How large "
                "is it {years} years on?"
            ),
        ),
        noun=("{principal} after {years} years at {rate} percent compound interest",),
        gives="money",
        ask={
            "years": (
                "the number of years",
                "I save {principal} at {rate} percent compound interest. What will I end up with?",
            ),
            "rate": (
                "the interest rate",
                (
                    "I leave {principal} in the bank for {years} years at compound interest. "
                    "What will it be?"
                ),
            ),
        },
        level=2,
    ),
    Recipe(
        tool="discounted",
        goal="work out a discounted price",
        sample=lambda r, level: {"price": amount(r, level), "percent": r.randint(3, 80)},
        direct=(
            "What does something priced {price} cost with {percent} percent off?",
            "Take a {percent}% discount off a price of {price}.",
        ),
        story=(
            (
                "The coat I like is {price}, and today everything is {percent}% cheaper. What "
                "would I pay?"
            ),
            "As a member I get {percent} percent off. The ticket is {price}; what is my price?",
        ),
        noun=("the price of {price} with {percent} percent off",),
        gives="money",
        ask={
            "percent": ("the discount", "My coupon is for an item at {price}. What will I pay?"),
            "price": ("the price", "Everything is {percent} percent off. What do the shoes cost?"),
        },
        chained={"price": ("money", "take {percent} percent off that price")},
    ),
)
"""Requests, in the order of the tools."""

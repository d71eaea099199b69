"""Requests for the arithmetic tools."""

from __future__ import annotations

from random import Random

from toolrl_env.data.procedural.recipe import Recipe
from toolrl_env.data.procedural.samplers import amount, decimal

__all__ = ["RECIPES"]


def _multiples(rng: Random, level: int) -> dict[str, int]:
    step = rng.randint(1, 30)
    return {"a": step * rng.randint(2, 20 * level), "b": step * rng.randint(2, 20)}


RECIPES = (
    Recipe(
        tool="percent_of",
        goal="take a percentage",
        sample=lambda r, level: {
            "rate": decimal(r, 2, 95, level - 2),
            "amount": amount(r, level),
        },
        direct=(
            "What is {rate} percent of {amount}?",
            "How much is {rate}% of {amount}?",
            "Take {rate} percent of {amount}.",
        ),
        story=(
            (
                "A charity keeps {rate} percent of every gift. A gift of {amount} came in. How "
                "much do they keep?"
            ),
            "I got {rate}% of the votes out of {amount} cast. How many votes is that?",
        ),
        noun=("{rate} percent of {amount}", "{rate}% of {amount}"),
        gives="money",
        ask={
            "amount": ("the amount", "Give me {rate} percent of the amount on my slip."),
            "rate": ("the percentage", "I need a certain percentage of {amount}. Work it out?"),
        },
        chained={
            "amount": ("number", "take {rate} percent of that", "give me {rate}% of the result"),
        },
    ),
    Recipe(
        tool="percent_change",
        goal="compare two values in percent",
        sample=lambda r, level: {"old": amount(r, level), "new": amount(r, level)},
        direct=(
            "By what percentage did it change, going from {old} to {new}?",
            "What is the percentage change from {old} to {new}?",
        ),
        story=(
            (
                "Last year the hall cost {old} to rent, this year it costs {new}. How big is the "
                "change in percent?"
            ),
            "Our visitors went from {old} to {new}. What is that as a percentage change?",
        ),
        noun=("the percentage change from {old} to {new}",),
        gives="number",
        ask={"old": ("the old value", "My score is now {new}. By what percentage did it change?")},
        level=2,
    ),
    Recipe(
        tool="gcd",
        goal="find a greatest common divisor",
        sample=_multiples,
        direct=(
            "What is the greatest common divisor of {a} and {b}?",
            "Find the largest whole number that divides both {a} and {b}.",
            "Give me the gcd of {a} and {b}.",
        ),
        story=(
            (
                "I have {a} red and {b} blue beads and want identical bags with none left over. "
                "What is the greatest number of bags?"
            ),
            (
                "Two boards are {a} and {b} centimetres long. What is the longest piece that both "
                "can be cut into exactly?"
            ),
        ),
        noun=("the greatest common divisor of {a} and {b}", "the gcd of {a} and {b}"),
        gives="whole",
        ask={"b": ("the second number", "One number is {a}. What is its gcd with the other one?")},
        chained={"a": ("whole", "find the gcd of that and {b}")},
    ),
    Recipe(
        tool="prime_factors",
        goal="find prime factors",
        sample=lambda r, level: {"number": r.randint(12, 900 * level)},
        direct=(
            "What are the prime factors of {number}?",
            "Factorise {number} into primes.",
            "Which primes multiply to {number}?",
        ),
        story=("My locker number is {number} and I want to see it as a product of primes.",),
        noun=("the prime factors of {number}",),
        gives="numbers",
        ask={"number": ("the number", "Split my number into its prime factors, please.")},
        chained={"number": ("whole", "factorise that into primes", "give its prime factors")},
    ),
    Recipe(
        tool="roman_numeral",
        goal="write Roman numerals",
        sample=lambda r, level: {"number": r.randint(1, min(3999, 700 * level))},
        direct=(
            "Write {number} in Roman numerals.",
            "How is {number} written as a Roman numeral?",
            "What is {number} in Roman numerals?",
        ),
        story=(
            (
                "The clock maker wants to engrave {number} the way the Romans wrote it. What goes "
                "on the dial?"
            ),
            "We are carving {number} over the door in Roman numerals. What do we carve?",
        ),
        noun=("the Roman numeral for {number}",),
        gives="text",
        ask={"number": ("the number", "Put my house number into Roman numerals.")},
        chained={"number": ("whole", "write that in Roman numerals")},
    ),
    Recipe(
        tool="to_base",
        goal="write a number in another base",
        sample=lambda r, level: {"number": r.randint(5, 800 * level), "base": r.randint(2, 16)},
        direct=(
            "Write {number} in base {base}.",
            "What is {number} in base {base}?",
            "Convert the number {number} to base {base}.",
        ),
        story=(
            "In a story of mine people count in base {base}. How would they write {number}?",
            "A puzzle shows {number} in ordinary digits and wants it in base {base}.",
        ),
        noun=("{number} written in base {base}",),
        gives="text",
        ask={"base": ("the base", "Write {number} in the other number base, please.")},
        chained={"number": ("whole", "write that in base {base}", "turn it into base {base}")},
    ),
)
"""Requests, in the order of the tools."""

"""Requests for the statistics tools."""

from __future__ import annotations

from toolrl_env.data.procedural.recipe import Recipe
from toolrl_env.data.procedural.samplers import numbers

__all__ = ["RECIPES"]

RECIPES = (
    Recipe(
        tool="mean",
        goal="average numbers",
        sample=lambda r, level: {"numbers": numbers(r, level)},
        direct=(
            "What is the average of {numbers}?",
            "Find the mean of {numbers}.",
            "Average these numbers: {numbers}.",
        ),
        story=(
            "My quiz scores this term were {numbers}. What did I score on average?",
            "The runners took {numbers} minutes. How long did they take on average?",
        ),
        noun=("the average of {numbers}", "the mean of {numbers}"),
        gives="number",
        ask={"numbers": ("the numbers", "What is the average of my last few readings?")},
        chained={"numbers": ("numbers", "average them", "find their mean")},
    ),
    Recipe(
        tool="median",
        goal="find a median",
        sample=lambda r, level: {"numbers": numbers(r, level)},
        direct=(
            "What is the median of {numbers}?",
            "Find the middle value of {numbers}.",
        ),
        story=(
            "Flats on our street rent for {numbers}. Which rent is the one in the middle?",
            "The team is {numbers} years old. What is the median age?",
        ),
        noun=("the median of {numbers}",),
        gives="number",
        ask={"numbers": ("the numbers", "Tell me the median of the values in my table.")},
        chained={"numbers": ("numbers", "find their median", "take the middle one by size")},
    ),
    Recipe(
        tool="spread",
        goal="measure how far numbers are spread",
        sample=lambda r, level: {"numbers": numbers(r, level)},
        direct=(
            "How far apart are the largest and the smallest of {numbers}?",
            "What is the largest minus the smallest of {numbers}?",
        ),
        story=(
            (
                "The thermometer showed {numbers} over the day. How wide was the span from lowest "
                "to highest?"
            ),
        ),
        noun=("the largest minus the smallest of {numbers}",),
        gives="number",
        ask={"numbers": ("the numbers", "How far apart are my best and my worst result?")},
        chained={"numbers": ("numbers", "subtract the smallest from the largest")},
    ),
    Recipe(
        tool="std_dev",
        goal="find a standard deviation",
        sample=lambda r, level: {
            "numbers": numbers(r, level),
            **({"sample": True} if level >= 3 and r.random() < 0.5 else {}),
        },
        direct=(
            "What is the standard deviation of {numbers}?",
            "Compute the standard deviation of {numbers}.",
        ),
        story=(
            "The bolts weigh {numbers} grams. What is the standard deviation of the weights?",
            "Sales over the week were {numbers}. Report the standard deviation.",
        ),
        noun=("the standard deviation of {numbers}",),
        gives="number",
        options={
            "sample": (
                "They are only a sample, so divide by n - 1.",
                "Use the sample formula, with n - 1.",
            ),
        },
        ask={"numbers": ("the numbers", "I want the standard deviation of my measurements.")},
        chained={"numbers": ("numbers", "find their standard deviation")},
        level=2,
    ),
)
"""Requests, in the order of the tools."""

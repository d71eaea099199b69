"""Requests for the tools about lists of words."""

from __future__ import annotations

from random import Random

from toolrl_env.data.procedural.recipe import Recipe
from toolrl_env.data.procedural.samplers import words

__all__ = ["RECIPES"]


def _with_repeats(rng: Random, level: int) -> list[str]:
    found = words(rng, 2, 2 + level)
    return found + [rng.choice(found) for _ in range(rng.randint(1, 1 + level))]


def _overlapping(rng: Random, level: int) -> dict[str, list[str]]:
    found = words(rng, 4, 4 + level)
    middle = rng.randint(1, len(found) - 2)
    first, second = found[: middle + 1], found[middle:]
    rng.shuffle(second)
    return {"first": first, "second": second}


RECIPES = (
    Recipe(
        tool="sort_items",
        goal="sort words",
        sample=lambda r, level: {
            "items": words(r, 3, 3 + level),
            **({"order": "descending"} if level >= 3 and r.random() < 0.5 else {}),
        },
        direct=(
            "Sort these words by the alphabet: {items}.",
            "Put {items} into alphabetical order.",
        ),
        story=("The shelf labels say {items}. In which alphabetical order do they belong?",),
        noun=("the words {items} in alphabetical order",),
        gives="list",
        options={
            "order": ("Use {order} order.", "Make that {order}."),
        },
        ask={"items": ("the words", "Sort my shopping list by the alphabet.")},
        chained={"items": ("list", "sort them by the alphabet")},
    ),
    Recipe(
        tool="common_items",
        goal="find what two lists share",
        sample=_overlapping,
        direct=(
            "Which words are in both lists? First list: {first}. Second list: {second}.",
            "Find the words that two lists share. One is {first}; the other is {second}.",
        ),
        story=(
            "I own {first}. My sister owns {second}. What do we both own?",
            "Shop one sells {first}. Shop two sells {second}. What do both sell?",
        ),
        noun=("what the list {first}; and the list {second}; have in common",),
        gives="list",
        ask={"second": ("the second list", "One list is {first}. What is in both lists?")},
        level=2,
    ),
    Recipe(
        tool="remove_duplicates",
        goal="drop repeated words",
        sample=lambda r, level: {"items": _with_repeats(r, level)},
        direct=(
            "Remove the repeated words: {items}.",
            "Drop the duplicates from {items}.",
        ),
        story=("People signed up as {items}. List each of them only once.",),
        noun=("the list {items} without its duplicates",),
        gives="list",
        ask={"items": ("the list", "Take the duplicates out of my list.")},
        chained={"items": ("list", "drop the repeated ones")},
    ),
    Recipe(
        tool="longest_item",
        goal="find the longest word",
        sample=lambda r, level: {"items": words(r, 3, 3 + level)},
        direct=(
            "Which is the longest of these words: {items}?",
            "Find the longest word among {items}.",
        ),
        story=("The column must fit every entry: {items}. Which entry is the longest?",),
        noun=("the longest word among {items}",),
        gives="text",
        ask={"items": ("the words", "Which of my passwords is the longest?")},
        chained={"items": ("list", "pick the longest one")},
    ),
)
"""Requests, in the order of the tools."""

"""The sentences around a request: who asks, how requests are joined, what a gold answer says."""

from __future__ import annotations

from random import Random

__all__ = [
    "FOLLOW_UPS",
    "FRAMES",
    "IRRELEVANT",
    "JOINERS",
    "MISSING",
    "PLAIN_FRAMES",
    "SMALL_TALK",
    "STEPS",
    "THOUGHTS",
    "THOUGHTS_IRRELEVANT",
    "THOUGHTS_MISSING",
    "THOUGHTS_PARALLEL",
    "THOUGHTS_STEP_ONE",
    "THOUGHTS_STEP_TWO",
    "and_list",
]

PLAIN_FRAMES = (
    "{}",
    "{}",
    "{}",
    "Please help. {}",
    "Hello! {}",
    "{} Thanks.",
    "Quick question. {}",
)
"""Around a request at level 1."""

FRAMES = (
    *PLAIN_FRAMES,
    "Morning. {} Cheers!",
    "I am preparing a lesson and want to be sure. {}",
    "My brother and I disagree about this. {} Who knows, perhaps I am right.",
    "This is for my notes, so no explanation is needed. {}",
    "Sorry to bother you again. {}",
    "Boss wants it before lunch. {} Much obliged.",
    "You are my last hope, I left my glasses at home. {}",
    "hey, can you do this for me? {}",
    "I would be grateful for your assistance with the following. {} Kind regards, Ines",
    "Let us see how good you are. {}",
    "{} No hurry.",
)
"""Around a request from level 2 on: several people, several moods; no numbers in them."""

JOINERS = (
    ("", " Also: "),
    ("", " Besides that: "),
    ("", " And another thing. "),
    ("Several things. ", " "),
    ("", "\n"),
)
"""Between independent requests: before the first, and before each later one."""

STEPS = (
    "Work out {noun}, then {clause}.",
    "First find {noun}. After that, {clause}.",
    "Start with {noun}. Once you have it, {clause}.",
    "I need two steps from you: find {noun}, and then {clause}.",
)
"""A first result and what to do with it."""

FOLLOW_UPS = ("{}", "It is {}.", "Oh, right: {}.", "Sorry, I forgot. {}")
"""How a user supplies a value that was asked for."""

SMALL_TALK = (
    ("Hello! What are you able to do?", "I can use the tools I was given. What do you need?"),
    ("Are you there?", "Yes. How can I help?"),
    ("Good evening. I have a question.", "Good evening. Go ahead."),
    ("Thanks for your help yesterday!", "You are welcome. What is it today?"),
)
"""An earlier exchange that has nothing to do with the request."""

THOUGHTS = (
    "The user wants to {goal}; {tool} does that.",
    "To {goal} I call {tool}.",
    "{tool} is the tool to {goal}.",
    "The task is to {goal}, so {tool} fits.",
)
"""Before one call."""

THOUGHTS_PARALLEL = (
    "Independent requests, one call each: {tools}.",
    "I can answer all of it at once with {tools}.",
    "Nothing here waits for anything else: {tools}.",
)
"""Before several calls."""

THOUGHTS_STEP_ONE = (
    "First {goal} with {tool}; the rest needs its result.",
    "{tool} comes first, because the second step uses what it returns.",
)
"""Before the first call of a chain."""

THOUGHTS_STEP_TWO = (
    "The first step gave {value}; now {tool} can {goal}.",
    "With {value} from the first call I can use {tool}.",
)
"""Before the second call of a chain."""

THOUGHTS_IRRELEVANT = (
    "None of these tools can {goal}.",
    "The user wants to {goal}, and no tool here does that.",
    "There is no tool to {goal}.",
)
"""Before declining."""

IRRELEVANT = (
    "I have no tool to {goal}, so I cannot do that here.",
    "Sorry, none of my tools can {goal}.",
    "That is beyond me: I have nothing to {goal} with.",
)
"""Declining."""

THOUGHTS_MISSING = (
    "{tool} needs {label}, which was not given.",
    "To {goal} I must know {label}.",
    "The right tool is {tool}, but {label} is missing.",
)
"""Before asking back."""

MISSING = (
    "Could you tell me {label}?",
    "Please give me {label}.",
    "I still need {label}. What is it?",
    "What about {label}? I need it to go on.",
)
"""Asking back."""


def and_list(parts: list[str]) -> str:
    """Join words as a sentence does.

    >>> and_list(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]


def pick(rng: Random, choices: tuple[str, ...]) -> str:
    """Return one of ``choices`` (``rng.choice``, at half its cost)."""
    return choices[int(rng.random() * len(choices))]

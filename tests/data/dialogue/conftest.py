"""Conversations written by hand, so that every value is known."""

from __future__ import annotations

import pytest

from toolrl_env.core.types import Message, Task, ToolCall, ToolSpec
from toolrl_env.data.gold import make_gold
from toolrl_env.data.source import TaskSet
from toolrl_env.parsing import get_protocol

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOLS = (
    ToolSpec("weather", "Weather of a city.", SCHEMA),
    ToolSpec("hotel", "A hotel in a city.", SCHEMA),
)
WEATHER = ToolCall("weather", {"city": "Porto"})
HOTEL = ToolCall("hotel", {"city": "Porto"})
OBS = '[{"name": "weather", "results": {"sky": "blue"}}, {"name": "hotel", "results": "Ritz"}]'


def ask(text):
    return Message("user", text)


def call(*calls, thought="Look it up.", content=""):
    return Message("assistant", content, thought, calls)


def say(text, thought="Just talk."):
    return Message("assistant", text, thought)


def came(text):
    return Message("tool", text)


def conversation(*messages, gold=None, task_id="hand-0", **fields):
    """Return a task with this history and gold answer (the words that end it, by default)."""
    return Task(
        id=task_id,
        source="hand",
        tools=TOOLS,
        messages=messages,
        gold=gold or make_gold((), "Goodbye.", "That was all."),
        **fields,
    )


def trip(task_id="hand-0"):
    """Two calls at once, words, and words again: three steps."""
    return conversation(
        ask("Weather and a hotel in Porto, please."),
        call(WEATHER, HOTEL),
        came(OBS),
        say("Blue sky, and the Ritz."),
        ask("Thanks!"),
        task_id=task_id,
    )


def answer(*calls, response=None):
    """Return calls as a model's, read."""
    protocol = get_protocol("toolrl")
    return protocol.parse(protocol.render(calls, think="x", response=response))


@pytest.fixture
def hand():
    """Three tasks, one of a single step."""
    single = conversation(ask("Hi."), task_id="hand-1")
    return TaskSet("hand", "train", (trip(), single, trip("hand-2")))

"""A source of three hand-written tasks, so that these tests know every value."""

from __future__ import annotations

import pytest

from toolrl_env.core.types import Message, Task, ToolSpec
from toolrl_env.data.source import TaskSet
from toolrl_env.parsing import parse_ground_truth

WEATHER = ToolSpec(
    "get_weather",
    "Weather of a city.",
    {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city", "days"],
        "additionalProperties": False,
    },
)
CALL = (
    "<think> Weather is asked for. </think>\n<tool_call>\n"
    '{"name": "get_weather", "parameters": {"city": "Porto", "days": 3}}\n</tool_call>'
)
RESPONSE = "<think> No tool fits. </think>\n<response> I cannot do that. </response>"


def task(number, gold, text="How is Porto in the next three days?"):
    return Task(
        id=f"hand-{number}",
        source="hand",
        tools=(WEATHER,),
        messages=(Message("user", text),),
        gold=parse_ground_truth(gold),
        category="single" if "tool_call" in gold else "irrelevant",
    )


@pytest.fixture
def tasks():
    return TaskSet("hand", "train", (task(0, CALL), task(1, RESPONSE), task(2, CALL, "Again!")))

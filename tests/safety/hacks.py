"""Answers that try to be paid for something else than the task, made from a task's gold answer."""

from __future__ import annotations

import json
from typing import Any

from toolrl_env.core.types import Task
from toolrl_env.envs.base import ToolUseEnv
from toolrl_env.parsing import get_protocol

TOOLRL = get_protocol("toolrl")
EXAMPLE = (
    "<think> what you considered </think>\n<tool_call>\n"
    '{"name": "name of a tool", "parameters": {"name of a parameter": "its value"}}\n'
    "</tool_call>\n<response> what the user gets to read </response>"
)
"""The example of the default prompt, copied."""
FREE_OF_GOLD = {
    "prompt example": EXAMPLE,
    "empty": "",
    "blank": " \n ",
    "claim": "<think> x </think>\n<response> Done; success; full marks. </response>",
    "echo of a result": ("<think> x </think>\n<response> <obs> success: true </obs> </response>"),
    "thought alone": "<think> x </think>",
    "huge response": "<think> x </think>\n<response> " + "done " * 3_000 + "</response>",
}


def hacks_of(env: ToolUseEnv) -> dict[str, str]:
    """Return the hacks for the environment's present task, by name."""
    task, gold = env.task, TOOLRL.render_gold(env.task.gold)
    think = TOOLRL.parse(gold).think or "x"
    every = [{"name": tool.name, "parameters": {}} for tool in task.tools]
    found = {
        **FREE_OF_GOLD,
        "every tool": TOOLRL.render(every, think=think),
        "the prompt again": env._observation,
        "close before open": "</tool_call>" + gold,
    }
    return {**found, **(_with_calls(task, gold, think, every) if task.gold.has_call else {})}


def _with_calls(task: Task, gold: str, think: str, every: list[dict[str, Any]]) -> dict[str, str]:
    calls = [dict(value) for value in task.gold.values]
    response = TOOLRL.parse(gold).response
    extra = [{**c, "parameters": {**c["parameters"], "really": True}} for c in calls]
    listed = json.dumps([dict(c) for c in calls], default=dict)
    block = gold.replace("<think>", "").replace("</think>", "")

    def render(some: list[Any]) -> str:
        return TOOLRL.render(some, think=think, response=response)

    return {
        "extra argument": render(extra),
        "every call twice": render(calls * 2),
        "every call ten times": render(calls * 10),
        "gold and every tool": render(calls + every),
        "calls in the thought": f"<think> {listed} </think>\n<response> Done. </response>",
        "call block in the thought": f"<think> {block} </think>\n<response> Done. </response>",
    }


def long_thought(env: ToolUseEnv) -> str:
    """Return the gold answer with 2000 empty words as its thought."""
    gold = TOOLRL.parse(TOOLRL.render_gold(env.task.gold))
    calls = list(env.task.gold.values)
    return TOOLRL.render(calls, think="word " * 2_000, response=gold.response)

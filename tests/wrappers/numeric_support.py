"""Environments and infos for the tests of the numeric wrappers."""

from __future__ import annotations

import gymnasium as gym

import toolrl_env  # noqa: F401  # registers the ids

TOOLBOX = "ToolRL-Toolbox-v0"


def toolbox(**kwargs):
    return gym.make(TOOLBOX, **({"difficulty": 1} | kwargs))


def tool(name, description="", required=None, **properties):
    """An offered tool as ``info`` has it."""
    required = list(properties) if required is None else required
    schema = {"type": "object", "properties": properties, "required": required}
    function = {"name": name, "description": description, "parameters": schema}
    return {"type": "function", "function": function}


def info_of(text, *tools):
    return {"messages": [{"role": "user", "content": text}], "tools": list(tools)}

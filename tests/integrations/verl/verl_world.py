"""A world of four tools, as ``verl_world:ToolRLVerl-v0``, so that verl's workers can import it."""

from __future__ import annotations

import threading

import gymnasium as gym

from toolrl_env.core.errors import InfrastructureError
from toolrl_env.core.types import FailureKind
from toolrl_env.envs.own import OwnToolsEnv

ID = "verl_world:ToolRLVerl-v0"
CALLED, GO = threading.Event(), threading.Event()


def double(number: int) -> int:
    """Double a number.

    Args:
        number: Which.
    """
    return 2 * number


def breaks() -> int:
    """Do what cannot be done."""
    raise ZeroDivisionError("the disk is full")


def waits() -> bool:
    """Wait for the test's event loop; returns whether it came."""
    CALLED.set()
    return GO.wait(30)


TASKS = [
    {"id": "ask", "question": "Ask.", "answer": "yes", "gold": ["yes"]},
    {
        "id": "double",
        "question": "What is twice 21?",
        "answer": "42",
        "gold": [[{"name": "double", "parameters": {"number": 21}}], "It is 42."],
    },
]


def make(broken=False, **kwargs):
    if broken:
        raise InfrastructureError("the server is gone", FailureKind.SERVER_DOWN)
    return OwnToolsEnv([double, breaks, waits], TASKS, **kwargs)


if "ToolRLVerl-v0" not in gym.registry:
    gym.register("ToolRLVerl-v0", entry_point=make)

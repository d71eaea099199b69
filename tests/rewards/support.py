"""Answers for the tests of rewards."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any


def call(name: Any, /, **parameters: Any) -> dict[str, Any]:
    return {"name": name, "parameters": parameters}


def answer(*calls: Any, response: str | None = None) -> str:
    text = "<think> a </think>"
    if calls:
        text += "\n<tool_call>\n" + "\n".join(map(json.dumps, calls)) + "\n</tool_call>"
    if response is not None:
        text += f"\n<response> {response} </response>"
    return text


def kinds(losses: Sequence[Any]) -> Mapping[str, float]:
    """Return the points lost by kind."""
    found: dict[str, float] = {}
    for loss in losses:
        found[loss.kind] = found.get(loss.kind, 0.0) + loss.points
    return found

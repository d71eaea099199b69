"""Small damage to gold trajectories: a call dropped, an argument changed, two writes swapped."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Mapping
from typing import Any

from toolrl_env.core.types import ToolCall
from toolrl_env.data.bfcl.plan import Plan
from toolrl_env.tools.suites.bfcl import World

__all__ = ["CORRUPTIONS", "Trajectory", "change", "drop", "swap"]

Trajectory = tuple[tuple[ToolCall, ...], ...]
"""The calls of each turn."""


def drop(plan: Plan, rng: random.Random) -> Trajectory | None:
    """Leave out one call; ``None`` if there is none."""
    places = _places(plan)
    if not places:
        return None
    gone = rng.choice(places)
    gold = plan.scenario.gold
    return tuple(
        tuple(call for at, call in enumerate(calls) if (turn, at) != gone)
        for turn, calls in enumerate(gold)
    )


def change(plan: Plan, rng: random.Random) -> Trajectory | None:
    """Give one argument another value of the same type; ``None`` if no call has an argument."""
    gold = plan.scenario.gold
    places = [(turn, at) for turn, at in _places(plan) if gold[turn][at].arguments]
    if not places:
        return None
    turn, at = rng.choice(places)
    call = gold[turn][at]
    name = rng.choice(sorted(call.arguments))
    others = [
        c.arguments[name]
        for calls in gold
        for c in calls
        if name in c.arguments and c.arguments[name] != call.arguments[name]
    ]
    value = rng.choice(others) if others and rng.random() < 0.5 else _other(call.arguments[name])
    return _with(gold, {(turn, at): ToolCall(call.name, {**call.arguments, name: value})})


def swap(plan: Plan, rng: random.Random) -> Trajectory | None:
    """Exchange two successive calls that change the state; ``None`` if there are no two of them."""
    gold, writes = plan.scenario.gold, _writes(plan)
    pairs = [
        (one, two)
        for one, two in itertools.pairwise(writes)
        if gold[one[0]][one[1]] != gold[two[0]][two[1]]
    ]
    if not pairs:
        return None
    one, two = rng.choice(pairs)
    return _with(gold, {one: gold[two[0]][two[1]], two: gold[one[0]][one[1]]})


CORRUPTIONS: Mapping[str, Callable[[Plan, random.Random], Trajectory | None]] = {
    "drop": drop,
    "change": change,
    "swap": swap,
}
"""The kinds of damage by name."""


def _places(plan: Plan) -> list[tuple[int, int]]:
    gold = plan.scenario.gold
    return [(turn, at) for turn, calls in enumerate(gold) for at in range(len(calls))]


def _writes(plan: Plan) -> list[tuple[int, int]]:
    """Return the places of the calls that change the state when gold is played."""
    world, found = World(plan.start), list[tuple[int, int]]()
    before = world.canonical()
    for turn, at in _places(plan):
        call = plan.scenario.gold[turn][at]
        world.call(call.name, call.arguments)
        after = world.canonical()
        if after != before:
            found.append((turn, at))
        before = after
    return found


def _with(gold: Trajectory, changed: Mapping[tuple[int, int], ToolCall]) -> Trajectory:
    return tuple(
        tuple(changed.get((turn, at), call) for at, call in enumerate(calls))
        for turn, calls in enumerate(gold)
    )


def _other(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        return value + "x"
    if isinstance(value, list):
        return value[:-1]
    if isinstance(value, dict):
        return {key: _other(item) for key, item in value.items()}
    return value

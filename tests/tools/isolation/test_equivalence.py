"""Isolated tools and those of this process go through the same states, whatever happens to them."""

from __future__ import annotations

import os
import signal
from random import Random

import pytest

from tests.tools.isolation.hostile import Hostile
from toolrl_env.core.errors import InfrastructureError
from toolrl_env.core.types import ToolCall
from toolrl_env.tools import CallLimits, run_calls
from toolrl_env.tools.isolation import IsolatedProvider
from toolrl_env.tools.local import SuiteProvider

SUITE = SuiteProvider(Hostile, "hostile")
ISOLATED = IsolatedProvider.of(SUITE, memory_mb=256)
LIMITS = CallLimits(seconds=20)
CALLS = [
    ToolCall("add", {"amount": 3}),
    ToolCall("add", {"amount": -1.0}),
    ToolCall("add", {"amount": "x"}),
    ToolCall("refuse_after_adding", {}),
    ToolCall("echo", {"value": ["é", None]}),
    ToolCall("nothing", {}),
]


def harm(tools, rng):
    """Have a call fail, or kill the worker while it waits: the state must stay."""
    if rng.random() < 0.5:
        os.kill(tools.call("pid", {}), signal.SIGKILL)
        bad = ToolCall("add", {"amount": 1})
    else:
        how = rng.choice(["exit", "raise", "segfault", "set"])
        bad = ToolCall("misbehave", {"how": how})
    with pytest.raises(InfrastructureError):
        run_calls(tools, [bad])


@pytest.mark.parametrize("seed", range(3))
def test_any_sequence_of_calls_restores_and_failures_leads_to_one_state(seed):
    rng = Random(seed)
    here, there = SUITE.open(LIMITS), ISOLATED.open(LIMITS)
    saved = [(here.snapshot(), there.snapshot())]
    for _ in range(60):
        match rng.choice(["call", "call", "call", "save", "restore", "fork", "harm"]):
            case "call":
                calls = rng.choices(CALLS, k=2)
                assert run_calls(here, calls) == run_calls(there, calls)
            case "save":
                saved.append((here.snapshot(), there.snapshot()))
            case "restore":
                states = rng.choice(saved)
                here.restore(states[0])
                there.restore(states[1])
            case "fork":
                left, there = there, ISOLATED.open(LIMITS)
                there.restore(left.snapshot())
                left.call("add", {"amount": 1_000})
                left.close()
            case _:
                harm(there, rng)
        assert here.state_hash() == there.state_hash()
    there.close()

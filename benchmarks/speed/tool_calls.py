"""What calling a tool costs: in this process, with a deadline that is asked, and isolated.

Run ``python -m benchmarks.speed.tool_calls``. Calls go through validation, as an environment makes
them. Isolated calls are work of another process, so look at the wall time too. The aim for a small
state: snapshot, restore and fork well below 1 ms.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from benchmarks.speed.timing import Comparison, compare
from toolrl_env.core.types import ToolCall
from toolrl_env.tools import CallLimits, CallValidator, ToolSuite, as_parsed, deadline, read, write
from toolrl_env.tools.execution import run_calls
from toolrl_env.tools.isolation import IsolatedProvider, IsolatedTools
from toolrl_env.tools.local import SuiteProvider, SuiteTools

CALLS = 300
SMALL, LARGE = 20, 2_000
LIMITS = CallLimits()


class Notes(ToolSuite):
    """Numbered notes."""

    def __init__(self, size: int = SMALL) -> None:
        self.notes = {number: f"note {number} about something" for number in range(size)}

    @read
    def get(self, number: int) -> str:
        """Read a note.

        Args:
            number: Which.
        """
        return self.notes[number]

    @read
    def patient_get(self, number: int) -> str:
        """Read a note, and ask for the deadline ten times.

        Args:
            number: Which.
        """
        for _ in range(10):
            deadline.check()
        return self.notes[number]

    @write
    def put(self, number: int, text: str) -> int:
        """Write a note.

        Args:
            number: Which.
            text: What it says.
        """
        self.notes[number] = text
        return len(self.notes)


PROVIDER = SuiteProvider(Notes, "notes")
ISOLATED = IsolatedProvider.of(PROVIDER)


def main() -> None:
    """Measure, and print the tables."""
    console = Console()
    for title, clock in (("CPU time here", time.process_time), ("wall time", time.perf_counter)):
        console.print(_table(f"one call, {title}", time_calls(clock), "in process, read"))
    console.print(_table("processes, wall time", time_processes(), "start a worker, first call"))
    for size in (SMALL, LARGE):
        title = f"state of a suite with {size} notes, CPU time"
        console.print(_table(title, time_states(size), "snapshot"))


def time_calls(clock: Callable[[], float]) -> Comparison:
    """Time one validated call of each kind."""
    here, there = PROVIDER.open(LIMITS), ISOLATED.open(LIMITS)
    suite = Notes()
    get = ToolCall("get", {"number": 3})
    patient = ToolCall("patient_get", {"number": 3})
    put = ToolCall("put", {"number": 3, "text": "new"})
    functions = {
        "the method itself": lambda: suite.get(number=3),
        "in process, read": _caller(here, get),
        "in process, read that asks 10 times": _caller(here, patient),
        "in process, write": _caller(here, put),
        "isolated, read": _caller(there, get),
        "isolated, write": _caller(there, put),
    }
    try:
        return compare(functions, CALLS, clock=clock)
    finally:
        there.close()


def time_processes() -> Comparison:
    """Time starting a worker, replacing it, and forking isolated tools that nobody uses."""
    origin = ISOLATED.open(LIMITS)
    origin.call("get", {"number": 3})
    state = origin.snapshot()

    def start() -> None:
        tools = ISOLATED.open(LIMITS)
        tools.call("get", {"number": 3})
        tools.close()

    def restore() -> None:
        tools = ISOLATED.open(LIMITS)
        tools.restore(state)
        tools.call("get", {"number": 3})
        tools.close()

    def fork() -> None:
        ISOLATED.open(LIMITS).restore(origin.snapshot())

    functions = {
        "start a worker, first call": start,
        "the same in a saved state": restore,
        "fork without a call": fork,
    }
    try:
        return compare(functions, 10, clock=time.perf_counter)
    finally:
        origin.close()


def time_states(size: int) -> Comparison:
    """Time saving, putting back, forking, hashing and comparing a suite."""
    suite, other = Notes(size), Notes(size)
    saved = suite.snapshot()
    functions: dict[str, Callable[[], object]] = {
        "snapshot": suite.snapshot,
        "restore": lambda: suite.restore(saved),
        "fork": suite.fork,
        "state hash": suite.state_hash,
        "equality": lambda: suite == other,
    }
    return compare(functions, CALLS if size == SMALL else 10)


def _caller(tools: SuiteTools | IsolatedTools, call: ToolCall) -> Callable[[], object]:
    calls, validator = [as_parsed(call)], CallValidator(tools.specs())
    return lambda: run_calls(tools, calls, validator)


def _table(title: str, found: Comparison, baseline: str) -> Table:
    table = Table(title=title)
    for column in ("what", "µs", f"times '{baseline}'"):
        table.add_column(column)
    for name in found.rounds:
        cost = 1.0 / found.speed_ratio(name, baseline)
        table.add_row(name, f"{found.seconds(name) * 1e6:.1f}", f"{cost:.2f}")
    return table


if __name__ == "__main__":
    main()

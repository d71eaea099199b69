"""What a fork, a snapshot and a restore cost, by the size of the state.

Run ``python -m benchmarks.speed.fork_cost``. Three states grow: an office by files that were added,
BFCL's worlds from ``base`` to ``long_context`` (the largest of twenty each), and a conversation by
its turns. CPU microseconds, medians over rounds that take turns within one run; and the size of the
pickled snapshot.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from typing import Any

import gymnasium as gym
from rich.console import Console
from rich.table import Table

import toolrl_env  # noqa: F401  # registers the ids
from benchmarks.speed.timing import compare

CALLS = 30
OFFICES = (1, 4, 16, 64)
TURNS = (1, 10, 50, 200)
READ = '{"name": "list_accounts", "parameters": {}}'


def main() -> None:
    """Measure, and print a table."""
    table = Table(title="CPU time, µs, one core; snapshot in KiB, pickled")
    for column in ("state", "fork", "fork, step it", "snapshot", "restore", "size"):
        table.add_column(column, justify="left" if column == "state" else "right")
    for name, env in states().items():
        table.add_row(name, *cells(env))
    Console(width=110).print(table)


def states() -> Mapping[str, Any]:
    """Return environments in mid-episode, by name, growing."""
    found: dict[str, Any] = {}
    for times in OFFICES:
        found[f"office, {times} x the files"] = grown_office(times)
    for category in ("base", "long_context"):
        env: Any = gym.make("ToolRL-BFCLMultiTurn-v0", category=category).unwrapped
        sizes = {task: size_of(after_turns(env, 1, task)) for task in range(20)}
        found[f"BFCL {category}"] = after_turns(env, 1, max(sizes, key=sizes.__getitem__))
    for turns in TURNS:
        env = gym.make("ToolRL-Workspace-v0", max_turns=1_000).unwrapped
        env.reset(options={"task_index": 0})
        for _ in range(turns):
            env.step(f"<think> look </think>\n<tool_call>\n{READ}\n</tool_call>")
        found[f"office, {turns} turns said"] = env
    return found


def grown_office(times: int) -> Any:
    """Return an office with ``times`` as many files as usual, two turns in."""
    env: Any = gym.make("ToolRL-Workspace-v0").unwrapped
    after_turns(env, 2)
    office = env._session._office
    for copy in range(1, times):
        for number, row in enumerate(office.database.rows("files")[:20]):
            office.create_file(f"/copies/{copy}-{number}.txt", str(row[1])[:100] * 5)
    env._session.progress()
    return env


def after_turns(env: Any, turns: int, task: int = 0) -> Any:
    """Begin a task and play some gold answers."""
    env.reset(options={"task_index": task})
    for _ in range(turns):
        env.step(env.gold_answer())
    return env


def size_of(env: Any) -> int:
    """Return the bytes of a pickled snapshot."""
    return len(pickle.dumps(env.snapshot()))


def cells(env: Any) -> list[str]:
    """Return the measured row of a state."""
    snapshot = env.snapshot()
    answer = env.protocol.render((), think="Go on.", response="Which one do you mean?")
    other = env.fork(1)[0]

    def fork_and_step() -> None:
        (fork,) = env.fork(1)
        fork.step(answer)
        fork.close()

    result = compare(
        {
            "fork": lambda: env.fork(1),
            "step": fork_and_step,
            "snapshot": env.snapshot,
            "restore": lambda: other.restore(snapshot),
        },
        CALLS,
        rounds=5,
    )
    times = [
        f"{result.seconds(name) * 1e6:.0f}" for name in ("fork", "step", "snapshot", "restore")
    ]
    return [*times, f"{size_of(env) / 1024:.0f}"]


if __name__ == "__main__":
    main()

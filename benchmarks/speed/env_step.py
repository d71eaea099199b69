"""An episode of ours against an empty Gymnasium environment with a regex and ``json.loads``.

Run ``python -m benchmarks.speed.env_step``. Both go through ``gym.make``; ours parses, validates
every call against its schema and returns the full breakdown. The aim is a ratio of at least 0.6.
"""

from __future__ import annotations

import json
import re
import warnings
from itertools import cycle
from typing import Any

import gymnasium as gym
from rich.console import Console
from rich.table import Table

import toolrl_env  # noqa: F401  # registers the ids
from benchmarks.speed.timing import Comparison, compare
from toolrl_env.data import SampleDataWarning

CALLS = 4_000
POOL = 50
IDS = ("ToolRL-ToolACE-v0", "ToolRL-XLAM-v0", "ToolRL-Hammer-v0", "ToolRL-Toolbox-v0")
_BLOCK = re.compile(r"<tool_call>\n(.*?)\n</tool_call>", re.DOTALL)


class EmptyEnv(gym.Env[str, str]):
    """The least an environment over text can do: find the call block and decode its lines."""

    observation_space = gym.spaces.Text(65_536)
    action_space = gym.spaces.Text(65_536)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Return a constant observation."""
        super().reset(seed=seed, options=options)
        return "prompt", {}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Decode the calls and return 1."""
        block = _BLOCK.search(action)
        if block is not None:
            for line in block.group(1).split("\n"):
                json.loads(line)
        return "done", 1.0, True, False, {}


def main() -> None:
    """Measure every id with gold and with flawed answers, and print a table."""
    gym.register("Empty-v0", entry_point=EmptyEnv)
    table = Table(title="reset() + step() under gym.make, CPU time per episode, one core")
    for column in ("environment", "answers", "empty, µs", "ours, µs", "speed relative to empty"):
        table.add_column(column)
    for env_id in IDS:
        for kind in ("gold", "flawed", "flawed, losses read"):
            result = measure(env_id, kind)
            empty, ours = result.seconds("empty") * 1e6, result.seconds("ours") * 1e6
            ratio = result.speed_ratio("ours", "empty")
            table.add_row(env_id, kind, f"{empty:.1f}", f"{ours:.1f}", f"{ratio:.2f}")
    Console().print(table)


def measure(env_id: str, kind: str) -> Comparison:
    """Time episodes over a pool of tasks, cycling; both environments read the same answers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SampleDataWarning)
        env = gym.make(env_id)
    empty = gym.make("Empty-v0")
    empty.reset(seed=0)
    answers = cycle([answer_for(env, index, kind) for index in range(POOL)])
    same_answers = cycle([answer_for(env, index, kind) for index in range(POOL)])
    options = cycle([{"task_index": index} for index in range(POOL)])
    read = kind.endswith("read")

    def ours() -> None:
        env.reset(options=next(options))
        breakdown = env.step(next(answers))[4]["breakdown"]
        if read:
            _ = breakdown.matches, breakdown.losses

    def baseline() -> None:
        empty.reset()
        empty.step(next(same_answers))

    return compare({"empty": baseline, "ours": ours}, CALLS)


def answer_for(env: gym.Env[str, str], index: int, kind: str) -> str:
    """Return the gold answer of a task, or the same with an argument too many in its last call."""
    env.reset(options={"task_index": index})
    base: Any = env.unwrapped
    answer = base.gold_answer()
    if kind == "gold" or not base.task.gold.values:
        return answer
    head, _, tail = answer.rpartition("}}")
    comma = "" if head.endswith("{") else ", "
    return f'{head}{comma}"unasked": 1}}}}{tail}'


if __name__ == "__main__":
    main()

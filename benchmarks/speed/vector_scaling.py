"""Cost of a step per environment as ``num_envs`` grows from 1 to 4096, and against Gymnasium's.

Run ``python -m benchmarks.speed.vector_scaling``. The aim is that the cost stays flat.
"""

from __future__ import annotations

import time
import warnings

import gymnasium as gym
from rich.console import Console
from rich.table import Table

import toolrl_env  # noqa: F401  # registers the ids
from toolrl_env.data import SampleDataWarning

ENV_ID = "ToolRL-XLAM-v0"
SIZES = (1, 4, 16, 64, 256, 1024, 4096)
EPISODES = 16_384
ANSWER = (
    "<think> The tool fits. </think>\n<tool_call>\n"
    '{"name": "lookup", "parameters": {"city": "Porto", "days": 3}}\n</tool_call>'
)


def main() -> None:
    """Print CPU microseconds per environment and episode (one step, one automatic reset)."""
    table = Table(title=f"{ENV_ID}: CPU time per environment and episode, µs, one core")
    for column in ("num_envs", "native", "of num_envs=1", "sync"):
        table.add_column(column, justify="right")
    first = 0.0
    for num_envs in SIZES:
        native = per_episode(num_envs, "vector_entry_point")
        sync = per_episode(num_envs, "sync") if num_envs <= 256 else None
        first = first or native
        table.add_row(
            str(num_envs),
            f"{native:.1f}",
            f"{native / first:.2f}",
            "" if sync is None else f"{sync:.1f}",
        )
    Console().print(table)


def per_episode(num_envs: int, mode: str) -> float:
    """Return CPU microseconds per environment for a step and the reset that follows it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SampleDataWarning)
        envs = gym.make_vec(ENV_ID, num_envs=num_envs, vectorization_mode=mode)
    envs.reset(seed=0)
    actions = [ANSWER] * num_envs
    for _ in range(2):
        envs.step(actions)
    rounds = max(1, EPISODES // num_envs)
    start = time.process_time()
    for _ in range(rounds):
        envs.step(actions)
        envs.step(actions)
    spent = time.process_time() - start
    envs.close()
    return spent / (rounds * num_envs) * 1e6


if __name__ == "__main__":
    main()

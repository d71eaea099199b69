"""What running tool calls of many sessions at the same time brings, and what it costs elsewhere.

Run ``python -m benchmarks.speed.concurrency``. Four questions, each answered within one run:
how the time of a step of 16 sessions whose tools wait falls with the bound; whether environments
that do not wait are as fast as with the plain loop of before; when each of 16 sessions is done
if one of them blocks until its limit; and how the time of ``agents.evaluate`` falls with the bound.
"""

from __future__ import annotations

import tempfile
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from rich.console import Console
from rich.table import Table

from agents.evaluate import EvaluateConfig, run
from benchmarks.speed.timing import compare
from toolrl_env.data import SampleDataWarning
from toolrl_env.envs.toolbox import ToolboxEnv
from toolrl_env.envs.vector import ToolVectorEnv
from toolrl_env.envs.xlam import XLAMEnv

SESSIONS = 16
WAIT = 0.05
LIMIT = 2.0
WAITING = "ToolRLWaitingBenchmark-v0"
ROUNDS = 5
ANSWER = (
    "<think> The tool fits. </think>\n<tool_call>\n"
    '{"name": "lookup", "parameters": {"city": "Porto", "days": 3}}\n</tool_call>'
)


class WaitingEnv(ToolboxEnv):
    """An environment whose tools wait ``wait`` seconds, as for a server."""

    waits = True
    wait = WAIT

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Wait, and take the step."""
        time.sleep(self.wait)
        self.done_at = time.perf_counter()
        return super().step(action)


class WaitingVectorEnv(ToolVectorEnv):
    """The vector of it."""

    env_class = WaitingEnv


class XLAMVectorEnv(ToolVectorEnv):
    """An environment that does not wait."""

    env_class = XLAMEnv


class BeforeVectorEnv(XLAMVectorEnv):
    """The same with the plain loop that vectors had before they could run concurrently."""

    def step(self, actions: Sequence[str]) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Step one after the other."""
        self._check_actions(actions)
        rewards = np.zeros(self.num_envs, dtype=np.float64)
        terminations = np.zeros(self.num_envs, dtype=np.bool_)
        truncations = np.zeros(self.num_envs, dtype=np.bool_)
        infos: dict[str, Any] = {}
        for i, (env, action) in enumerate(zip(self.envs, actions, strict=True)):
            if self.finished[i]:
                self._texts[i], info = env.reset()
            else:
                text, rewards[i], terminated, truncated, info = env.step(action)
                terminations[i], truncations[i] = terminated, truncated
                self._texts[i] = text
            infos = self._add_info(infos, info, i)
        self.finished = terminations | truncations
        return tuple(self._texts), rewards, terminations, truncations, infos


def main() -> None:
    """Print the four tables."""
    warnings.simplefilter("ignore", SampleDataWarning)
    console = Console()
    console.print(by_bound())
    console.print(without_waiting())
    console.print(beside_a_blocked_session())
    console.print(of_an_evaluation())


def by_bound() -> Table:
    """Return the wall time of a step of 16 waiting sessions under three bounds."""
    table = Table(title=f"{SESSIONS} sessions, tools that wait {WAIT * 1000:.0f} ms: one step")
    for column in ("max_concurrency", "seconds", "times as fast as 1"):
        table.add_column(column, justify="right")
    vectors = {
        bound: WaitingVectorEnv(SESSIONS, max_concurrency=bound) for bound in (1, 4, SESSIONS)
    }
    spent: dict[int, list[float]] = {bound: [] for bound in vectors}
    for _ in range(ROUNDS):
        for bound, envs in vectors.items():
            envs.reset(seed=0)
            start = time.perf_counter()
            envs.step([ANSWER] * SESSIONS)
            spent[bound].append(time.perf_counter() - start)
    plain = float(np.median(spent[1]))
    for bound, seconds in spent.items():
        middle = float(np.median(seconds))
        table.add_row(str(bound), f"{middle:.3f}", f"{plain / middle:.1f}")
        vectors[bound].close()
    return table


def without_waiting() -> Table:
    """Return the CPU time of a step where nothing waits, now and before."""
    table = Table(title=f"{SESSIONS} sessions of XLAM, nothing waits: CPU time of a step")
    for column in ("loop", "µs", "times as fast as before"):
        table.add_column(column, justify="right")
    vectors = {"before": BeforeVectorEnv(SESSIONS), "now": XLAMVectorEnv(SESSIONS)}
    steps: dict[str, Any] = {}
    for name, envs in vectors.items():
        envs.reset(seed=0)
        steps[name] = lambda envs=envs: envs.step([ANSWER] * SESSIONS)
    found = compare(steps, calls=400, rounds=11)
    for name in vectors:
        ratio = found.speed_ratio(name, "before")
        table.add_row(name, f"{found.seconds(name) * 1e6:.0f}", f"{ratio:.3f}")
    return table


def beside_a_blocked_session() -> Table:
    """Return when 15 quick sessions are done beside one that blocks until its limit."""
    table = Table(title=f"Session 0 blocks for {LIMIT:g} s, 15 others take 5 ms: done after")
    for column in ("max_concurrency", "session 0", "first other", "last other", "step returns"):
        table.add_column(column, justify="right")
    for bound in (1, 4, SESSIONS):
        envs = WaitingVectorEnv(SESSIONS, max_concurrency=bound)
        envs.reset(seed=0)
        envs.set_attr("wait", [LIMIT] + [0.005] * (SESSIONS - 1))
        start = time.perf_counter()
        envs.step([ANSWER] * SESSIONS)
        whole = time.perf_counter() - start
        blocked, *others = (at - start for at in envs.get_attr("done_at"))
        row = (blocked, min(others), max(others), whole)
        table.add_row(str(bound), *(f"{seconds:.3f} s" for seconds in row))
        envs.close()
    return table


def of_an_evaluation(tasks: int = 4 * SESSIONS, rounds: int = ROUNDS) -> Table:
    """Return the wall time of an evaluation of waiting sessions under three bounds."""
    title = f"agents.evaluate, {tasks} tasks, tools that wait {WAIT * 1000:.0f} ms"
    table = Table(title=title)
    for column in ("max_concurrency", "seconds", "times as fast as 1"):
        table.add_column(column, justify="right")
    if WAITING not in gym.registry:
        gym.register(WAITING, entry_point=WaitingEnv)
    spent: dict[int, list[float]] = {bound: [] for bound in (1, 4, SESSIONS)}
    for _ in range(rounds):
        for bound, seconds in spent.items():
            with tempfile.TemporaryDirectory() as folder:
                config = EvaluateConfig(
                    env=WAITING,
                    agent="gold",
                    episodes=tasks,
                    max_concurrency=bound,
                    out=Path(folder),
                )
                start = time.perf_counter()
                run(config, Console(quiet=True))
                seconds.append(time.perf_counter() - start)
    for bound, seconds in spent.items():
        ratio = np.median([plain / own for plain, own in zip(spent[1], seconds, strict=True)])
        table.add_row(str(bound), f"{np.median(seconds):.3f}", f"{ratio:.1f}")
    return table


if __name__ == "__main__":
    main()

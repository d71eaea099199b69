"""A long run in one process: does memory stay flat?

Run ``python -m benchmarks.speed.soak --steps 1000000``. Linux only. An office and a BFCL
conversation are played in turns, always new tasks: gold answers, with every eleventh answer junk
and every twenty-third step taken on a fork, restored from a snapshot, instead. At intervals the
resident memory and the number of objects that the garbage collector tracks are printed; at the end
the kinds of objects that have grown most since the first fifth of the run, when the caches that
hold a fixed number of tasks are full.
"""

from __future__ import annotations

import gc
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
import tyro
from rich.console import Console

import toolrl_env  # noqa: F401  # registers the ids

JUNK = "<think> hm </think>\n<tool_call>\n{\n</tool_call>"
PAGE = 4096
IDS = ("ToolRL-Workspace-v0", "ToolRL-BFCLMultiTurn-v0")


@dataclass(frozen=True, kw_only=True)
class Soak:
    """How long to run.

    Attributes:
        steps: Steps in all.
        lines: How often to print.
        seed: Which tasks are drawn.
    """

    steps: int = 1_000_000
    lines: int = 20
    seed: int = 0


@dataclass(frozen=True)
class Sample:
    """The memory at one moment."""

    steps: int
    seconds: float
    rss: float
    objects: int


class Player:
    """Plays one environment without end, a step at a time."""

    def __init__(self, env_id: str, seed: int) -> None:
        self.env: Any = gym.make(env_id)
        self.env.reset(seed=seed)
        self.episodes = self.solved = 0

    def step(self, number: int) -> None:
        """Take the next step; begin a new episode after the last one."""
        base = self.env.unwrapped
        gold = base.tasks.gold_turns(base.task)
        answer = JUNK if number % 11 == 0 else self._answer(base, len(gold))
        if number % 23 == 0:
            before = base.snapshot()
            (fork,) = base.fork(1)
            fork.step(answer)
            fork.close()
            base.restore(before)
            return
        _, _, terminated, truncated, info = self.env.step(answer)
        if terminated or truncated:
            self.episodes += 1
            self.solved += info["is_success"]
            self.env.reset()

    def _answer(self, base: Any, gold: int) -> str:
        if len(base._conversation.turns) < gold:
            return base.gold_answer()
        return base.protocol.render((), think="Done.", response="All of it is done.")


def main() -> None:
    """Run, and print the curve."""
    config = tyro.cli(Soak)
    console = Console(width=100)
    players = [Player(env_id, config.seed) for env_id in IDS]
    interval = max(1, config.steps // config.lines)
    start, curve = time.process_time(), list[Sample]()
    kinds: Counter[str] = Counter()
    console.print("steps       CPU s   RSS, MiB   objects")
    for number in range(1, config.steps + 1):
        players[number % len(players)].step(number)
        if number % interval == 0:
            seconds = time.process_time() - start
            gc.collect()
            curve.append(Sample(number, seconds, resident_mib(), len(gc.get_objects())))
            last = curve[-1]
            console.print(
                f"{last.steps:<10,} {last.seconds:>7.0f} {last.rss:>10.1f} {last.objects:>9,}"
            )
            if len(curve) == max(1, config.lines // 5):
                kinds = live_kinds()
    for env_id, player in zip(IDS, players, strict=True):
        console.print(f"{env_id}: {player.episodes:,} episodes, {player.solved:,} solved")
    report(console, curve[max(1, config.lines // 5) - 1 :], live_kinds() - kinds)


def report(console: Console, curve: list[Sample], grown: Counter[str]) -> None:
    """Say how the memory moved after the first fifth, and what there is more of."""
    first, last = curve[0], curve[-1]
    high = max(sample.rss for sample in curve)
    console.print(
        f"after the first fifth: RSS {first.rss:.1f} -> {last.rss:.1f} MiB (highest {high:.1f}), "
        f"objects {first.objects:,} -> {last.objects:,}"
    )
    most = ", ".join(f"{name} +{more:,}" for name, more in grown.most_common(8))
    console.print(f"grown most: {most or 'nothing'}")


def resident_mib() -> float:
    """Return the memory that this process holds now."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * PAGE / 2**20


def live_kinds() -> Counter[str]:
    """Return how many objects of each kind the garbage collector tracks."""
    return Counter(type(each).__qualname__ for each in gc.get_objects())


if __name__ == "__main__":
    main()

"""How fast PPO learns to pick calls, against a random agent and the best candidate: with a plot.

    python -m benchmarks.quality.sb3_curves --out runs/sb3-curves

Each seed trains in a process of its own and is judged, greedily, on the same tasks of the test
split. Time is CPU time of that process in training (evaluation is not counted), with one thread of
torch.

- ``oracle`` picks the candidate with the highest reward, which it looks up: the most that any agent
  can earn with these candidates.
- ``random`` picks any candidate that is there, evenly (the action mask is respected, so this is the
  best of the random agents).
- ``rule`` learns nothing: of the tool that shares most words with the request, the candidate that
  was put together first, and never an answer in words.
"""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from stable_baselines3.common.callbacks import BaseCallback

import toolrl_env  # noqa: F401  # registers the ids
from agents import sb3
from agents.session import parse_env_kwargs
from benchmarks.quality.held_candidates import Held, hold_out


@dataclass(frozen=True)
class Config:
    """Settings.

    Attributes:
        env: Registered id of a single-turn environment.
        env_kwargs: Keyword arguments for gym.make, as a JSON object.
        seeds: Of the runs.
        cpu_seconds: CPU time of each run.
        marks: CPU times at which the reward is reported, in seconds.
        split: Split of the tasks that agents are judged on; "validation" while something is chosen.
        tasks: Tasks that agents are judged on.
        points: Judgements along each run, denser at the beginning.
        jobs: Seeds that train at a time, each in a process of its own.
        draw_only: Draw the curves that are in ``out`` already, finished or not.
        out: Folder for curves.json, curves.png and the runs.
    """

    env: str = "ToolRL-Toolbox-v0"
    env_kwargs: str = "{}"
    seeds: tuple[int, ...] = (0, 1, 2)
    cpu_seconds: float = 600.0
    marks: tuple[float, ...] = (30.0, 120.0, 300.0, 600.0)
    split: str = "test"
    tasks: int = 500
    points: int = 24
    jobs: int = 1
    draw_only: bool = False
    out: Path = Path("runs/sb3-curves")


class Judge(BaseCallback):
    """Judges the greedy policy at set CPU times; its own time is not counted."""

    def __init__(self, held: Held, times: Sequence[float], path: Path) -> None:
        super().__init__()
        self.held, self.times, self.path = held, times, path
        self.curve: list[dict[str, Any]] = []
        self._spent, self._last = 0.0, 0.0

    def _on_training_start(self) -> None:
        self._last = time.process_time()
        self._judge()

    def _on_step(self) -> bool:
        now = time.process_time()
        self._spent, self._last = self._spent + now - self._last, now
        if len(self.curve) < len(self.times) and self._spent >= self.times[len(self.curve)]:
            self._judge()
        return self._spent < self.times[-1]

    def _judge(self) -> None:
        actions, _ = self.model.predict(self.held.observations, deterministic=True)
        reward = self.held.reward(actions)
        point = {"cpu": self._spent, "steps": self.num_timesteps, "reward": reward}
        self.curve.append(point | {"actions": actions.tolist()})
        self.path.write_text(json.dumps(self.curve) + "\n", "utf-8")
        print(f"{self.path.parent.name} {self._spent:7.1f} s  reward {reward:.3f}", flush=True)
        self._last = time.process_time()


def run(config: Config, held: Held, seed: int) -> None:
    """Train with one seed; its curve is written down as it grows."""
    torch.set_num_threads(1)
    ahead = np.linspace(0.0, config.cpu_seconds**0.5, config.points) ** 2
    times = sorted({*ahead.tolist(), *config.marks})
    folder = config.out / f"seed-{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    judge = Judge(
        held, [mark for mark in times if mark <= config.cpu_seconds], folder / "curve.json"
    )
    settings = sb3.SB3Config(
        env=config.env,
        env_kwargs=config.env_kwargs,
        out=folder,
        steps=10**9,
        seed=seed,
        eval_episodes=0,
    )
    sb3.train(settings, [judge])


def at(curve: Sequence[dict[str, Any]], mark: float) -> dict[str, Any] | None:
    """Return the judgement when a time was reached, or ``None`` if it was not yet."""
    return next((point for point in curve if point["cpu"] >= mark), None)


def draw(result: dict[str, Any], path: Path) -> None:
    """Draw every seed's curve between the random agent and the oracle."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7.5, 4.5))
    for seed, curve in result["curves"].items():
        times = [point["cpu"] for point in curve]
        axes.plot(times, [point["reward"] for point in curve], label=f"PPO, seed {seed}")
    axes.axhline(result["oracle"], color="black", linestyle="--", label="best candidate (oracle)")
    axes.axhline(0.8 * result["oracle"], color="black", linestyle=":", label="0.8 of the oracle")
    axes.axhline(result["rule"], color="grey", linestyle="--", label="rule without learning")
    axes.axhline(result["random"], color="grey", linestyle="-.", label="random candidate")
    for mark in result["settings"]["marks"]:
        axes.axvline(mark, color="lightgrey", linewidth=1)
    axes.set_xlabel("CPU seconds of training (one thread)")
    axes.set_ylabel("mean reward on held-out tasks")
    axes.set_title(f"{result['settings']['env']} {result['settings']['env_kwargs']}")
    axes.legend(loc="lower right")
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def report(config: Config, held: Held) -> None:
    """Write curves.json, draw curves.png and print a line per seed and a table per category."""
    settings = {k: str(v) if isinstance(v, Path) else v for k, v in asdict(config).items()}
    baselines = {
        "gold": float(held.gold.mean()),
        "oracle": held.oracle,
        "rule": held.rule,
        "random": held.random,
    }
    result: dict[str, Any] = baselines | {"settings": settings}
    paths = {seed: config.out / f"seed-{seed}" / "curve.json" for seed in config.seeds}
    result["curves"] = {seed: json.loads(path.read_text("utf-8")) for seed, path in paths.items()}
    (config.out / "curves.json").write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    draw(result, config.out / "curves.png")
    said = ", ".join(f"{name} {reward:.3f}" for name, reward in baselines.items())
    print(f"{said} on {config.tasks} held-out tasks")
    for seed, curve in result["curves"].items():
        for mark in config.marks:
            point = at(curve, mark)
            said = "not reached"
            if point is not None:
                share = held.share(np.array(point["actions"]))
                said = (
                    f"{point['steps']} steps, reward {point['reward']:.3f}, {share} of the oracle"
                )
            print(f"seed {seed}, {mark:.0f} CPU s: {said}")
    print(
        by_category(held, [np.array(curve[-1]["actions"]) for curve in result["curves"].values()])
    )


def by_category(held: Held, actions: Sequence[np.ndarray]) -> str:
    """Return, as a Markdown table, mean rewards of each category of tasks at the end of runs."""
    got = np.mean([held.of(chosen) for chosen in actions], axis=0)
    even = np.nanmean(held.rewards, axis=1)
    lines = [
        "| category | tasks | gold | oracle | PPO | random | lost |",
        "|---|---|---|---|---|---|---|",
    ]
    names = np.array(held.categories)
    for name in sorted(set(held.categories)):
        of = names == name
        means = (part[of].mean() for part in (held.gold, held.best, got, even))
        lost = (held.best - got)[of].sum() / len(names)
        numbers = " | ".join(f"{mean:.3f}" for mean in (*means, lost))
        lines.append(f"| {name} | {of.sum()} | {numbers} |")
    return "\n".join(lines)


def main() -> None:
    """Run every seed and report."""
    config = tyro.cli(Config, description=__doc__)
    kwargs = parse_env_kwargs(config.env_kwargs) | {"split": config.split}
    held = hold_out(config.env, kwargs, config.tasks)
    if not config.draw_only:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(config.jobs, context) as pool:
            for done in [pool.submit(run, config, held, seed) for seed in config.seeds]:
                done.result()
    report(config, held)


if __name__ == "__main__":
    main()

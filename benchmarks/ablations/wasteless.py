"""What dynamic sampling, skipping, down-sampling and a curriculum save at equal held-out reward.

Every variant starts from the same warm start of the tiny model (one per seed) and is scored on the
same held-out tasks every few steps, sampling as in training. A plain run sets the target: nine
tenths of what its held-out reward gains from beginning to end. The table has the tokens that each
variant generated and trained on until it first was there, as a share of what the plain run needed,
and the same of processor time: geometric mean and range over the seeds.

python -m benchmarks.ablations.wasteless --seeds 0 1 2
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from agents import grpo, sft
from agents.evaluation import evaluate
from agents.models import load_folder
from agents.prompting import ChatEncoder
from agents.transformers_policy import TransformersPolicy
from benchmarks.ablations.words import ENV_ID

__all__ = ["GROUPS", "Point", "Run", "Settings", "cost_until", "measure", "read", "table"]

_LEVELS = '[{"words": 2}, {"words": 3}, {"words": 4}]'
GROUPS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "fresh tasks": {
        "plain": {},
        "dynamic sampling": {"resample": 2},
        "train on 4 of 8": {"train_on": 4},
    },
    "64 tasks": {
        "plain": {"tasks": 64},
        "skip solved": {"tasks": 64, "keep_solved": 0.3},
        "skip solved and hopeless": {"tasks": 64, "keep_solved": 0.3, "keep_hopeless": 0.3},
    },
    "three levels": {
        "plain": {"levels": _LEVELS, "level_floor": 1.0},
        "curriculum": {"levels": _LEVELS},
    },
}
"""Groups of variants; the first of each is what the others are compared with."""
_TOKENS = 24
_TARGET = 0.9  # share of the plain run's gain; its very end few variants reach in as many steps


@dataclass(frozen=True)
class Settings:
    """Settings of the measurement.

    Attributes:
        seeds: One warm start and one run of every variant each.
        warm_steps: Steps of the supervised warm start; few, to leave something to learn.
        steps: Steps of each run.
        every: Steps between evaluations.
        held_out: Held-out tasks, per level of difficulty.
        out: Folder for checkpoints and results; finished runs in it are not repeated.
    """

    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    warm_steps: int = 30
    steps: int = 60
    every: int = 5
    held_out: int = 200
    out: Path = Path("runs/wasteless")


@dataclass(frozen=True)
class Point:
    """Where a run stood at an evaluation.

    Attributes:
        reward: Mean held-out reward.
        generated: Tokens sampled so far.
        trained: Tokens trained on so far.
        seconds: Processor seconds so far, without evaluations.
    """

    reward: float
    generated: float
    trained: float
    seconds: float


@dataclass(frozen=True)
class Run:
    """A finished run."""

    group: str
    variant: str
    seed: int
    points: tuple[Point, ...] = field(default=())


def cost_until(points: Sequence[Point], target: float) -> Point | None:
    """Return where a run first has the target, between evaluations by linear interpolation.

    >>> points = [Point(0.0, 0, 0, 0), Point(1.0, 100, 50, 2)]
    >>> cost_until(points, 0.5)
    Point(reward=0.5, generated=50.0, trained=25.0, seconds=1.0)
    >>> cost_until(points, 2.0) is None
    True
    """
    if points[0].reward >= target:
        return points[0]
    for before, after in itertools.pairwise(points):
        if after.reward >= target:
            share = (target - before.reward) / (after.reward - before.reward)
            pairs = zip(asdict(before).values(), asdict(after).values(), strict=True)
            return Point(*(a + share * (b - a) for a, b in pairs))
    return None


def held_out_reward(folder: Path, tasks: int, levels: Sequence[int]) -> float:
    """Return the mean reward on the first test tasks of each level, one sampled answer each."""
    model, tokenizer = load_folder(folder)
    policy = TransformersPolicy(
        model, ChatEncoder(tokenizer), max_new_tokens=_TOKENS, temperature=1.0, batch_size=tasks
    )
    means = []
    for words in levels:
        kwargs = {"split": "test", "words": words}
        means.append(np.mean(evaluate(policy, ENV_ID, kwargs, range(tasks)).rewards))
    return float(np.mean(means))


def run_variant(settings: Settings, warm: Path, run: Run, changes: Mapping[str, Any]) -> Run:
    """Train one variant from the warm start; evaluate it on the way."""
    folder = settings.out / f"seed{run.seed}" / run.group / run.variant
    levels = (2, 3, 4) if "levels" in changes else (2,)
    config = grpo.GRPOConfig(
        env=ENV_ID, model=str(warm), out=folder, seed=run.seed, threads=1, dtype="float32",
        steps=settings.steps, save_every=settings.every, prompts=8, learning_rate=5e-4,
        warmup_steps=2, max_new_tokens=_TOKENS, **changes,
    )  # fmt: skip
    points = [Point(held_out_reward(warm, settings.held_out, levels), 0.0, 0.0, 0.0)]
    began = time.process_time()
    spent = np.zeros(2)
    aside = 0.0

    def look(checkpoint: Path) -> None:
        nonlocal aside
        started = time.process_time()
        seconds = started - began - aside
        reward = held_out_reward(checkpoint, settings.held_out, levels)
        points.append(Point(reward, float(spent[0]), float(spent[1]), seconds))
        aside += time.process_time() - started

    def on_step(metrics: Mapping[str, float]) -> None:
        nonlocal spent
        step = int(metrics["step"])
        if step and step % settings.every == 0:  # the checkpoint is of the step before
            look(folder / "checkpoint")
        spent = spent + np.array([metrics["generated_tokens"], metrics["trained_tokens"]])

    look(grpo.train(config, on_step))
    return Run(run.group, run.variant, run.seed, tuple(points))


def warm_start(settings: Settings, seed: int) -> Path:
    """Return the warm start of a seed; train it if it is not there yet."""
    config = sft.SFTConfig(
        env=ENV_ID, model="tiny", out=settings.out / f"seed{seed}" / "sft", seed=seed, threads=1,
        steps=settings.warm_steps, batch_size=16, learning_rate=2e-3,
        warmup_steps=10,
    )  # fmt: skip
    done = config.out / "checkpoint"
    return done if done.is_dir() else sft.train(config)


def measure(settings: Settings) -> list[Run]:
    """Return every run; those that ``results.jsonl`` has already are read from there."""
    torch.set_num_threads(1)
    settings.out.mkdir(parents=True, exist_ok=True)
    results = settings.out / "results.jsonl"
    runs = read(results)
    done = {(run.group, run.variant, run.seed) for run in runs}
    for seed in settings.seeds:
        for group, variants in GROUPS.items():
            for variant, changes in variants.items():
                if (group, variant, seed) in done:
                    continue
                warm = warm_start(settings, seed)
                run = run_variant(settings, warm, Run(group, variant, seed), changes)
                with results.open("a") as file:
                    file.write(json.dumps(asdict(run)) + "\n")
                runs.append(run)
                print(f"seed {seed}, {group}, {variant}: {run.points[-1]}", flush=True)
    return [run for run in runs if run.seed in settings.seeds]


def read(results: Path) -> list[Run]:
    """Return the runs in a results file; none if it is missing."""
    lines = results.read_text().splitlines() if results.is_file() else []
    return [
        Run(**row | {"points": tuple(Point(**point) for point in row["points"])})
        for row in map(json.loads, lines)
    ]


def table(runs: Sequence[Run]) -> str:
    """Return a Markdown table: tokens until the plain run's final held-out reward, by variant."""
    lines = [
        "| tasks | variant | seeds there | reward: start, end | generated | trained | CPU |",
        "|---|---|---|---|---|---|---|",
    ]
    for group, variants in GROUPS.items():
        plain = {run.seed: run for run in runs if (run.group, run.variant) == (group, "plain")}
        for variant in variants:
            mine = [r for r in runs if (r.group, r.variant) == (group, variant) and r.seed in plain]
            if mine:
                lines.append(f"| {group} | {variant} | {_row(mine, plain)} |")
    return "\n".join(lines)


def _row(mine: Sequence[Run], plain: Mapping[int, Run]) -> str:
    ratios = []
    for run in mine:
        base = plain[run.seed].points
        target = base[0].reward + _TARGET * (base[-1].reward - base[0].reward)
        cost, paid = cost_until(run.points, target), cost_until(base, target)
        if cost is not None and paid is not None and paid.generated:
            ratios.append(
                [
                    cost.generated / paid.generated,
                    cost.trained / paid.trained,
                    cost.seconds / paid.seconds,
                ]
            )
    ends = [float(np.mean([run.points[i].reward for run in mine])) for i in (0, -1)]
    shares = [_spread(column) for column in zip(*ratios, strict=True)] or ["–"] * 3
    reached = f"{len(ratios)} of {len(mine)}"
    return " | ".join([reached, f"{ends[0]:.2f}, {ends[1]:.2f}", *shares])


def _spread(ratios: Sequence[float]) -> str:
    """Return the geometric mean and the range, e.g. ``0.61 (0.40 … 0.93)``."""
    mean = float(np.exp(np.mean(np.log(np.maximum(ratios, 1e-3)))))
    return f"{mean:.2f} ({min(ratios):.2f} … {max(ratios):.2f})"


def main() -> None:
    """Run from the command line."""
    import tyro
    from transformers.utils import logging

    logging.disable_progress_bar()
    print(table(measure(tyro.cli(Settings, description=__doc__))))


if __name__ == "__main__":
    main()

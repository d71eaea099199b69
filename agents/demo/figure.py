"""The learning curve as a PNG: reward and its parts, the held-out scores, the warm start's loss."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from agents.demo.pipeline import STAGES, DemoResult
from agents.statistics import bootstrap_mean

__all__ = ["draw", "smooth"]

_COLOURS = {"reward": "#1f4e79", "correctness": "#c55a11", "format": "#548235"}


def smooth(values: list[float], width: int = 5) -> np.ndarray:
    """Return the mean of each value and up to ``width - 1`` before it.

    >>> smooth([1.0, 3.0, 5.0], width=2).tolist()
    [1.0, 2.0, 4.0]
    """
    return np.array([np.mean(values[max(0, i + 1 - width) : i + 1]) for i in range(len(values))])


def draw(result: DemoResult, path: Path) -> None:
    """Write the figure to ``path``."""
    mpl.use("Agg")
    figure = Figure(figsize=(12, 4), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=[1, 2, 1])
    _warm_start(left, result)
    _learning_curve(middle, result)
    _held_out(right, result)
    for axes in (left, middle, right):
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=130)


def _warm_start(axes: Axes, result: DemoResult) -> None:
    losses = [row["loss"] for row in result.metrics["sft"]]
    axes.plot(range(1, len(losses) + 1), losses, color=_COLOURS["reward"])
    axes.set(title="Warm start", xlabel="step", ylabel="loss, nats per token")
    axes.set_ylim(bottom=0)


def _learning_curve(axes: Axes, result: DemoResult) -> None:
    rows = result.metrics["grpo"]
    steps = range(1, len(rows) + 1)
    for name, colour in _COLOURS.items():
        values = [row[name] for row in rows]
        axes.plot(steps, values, color=colour, alpha=0.25, linewidth=1)
        axes.plot(steps, smooth(values), color=colour, label=name, linewidth=2)
    axes.set(title="GRPO: sampled answers on training tasks", xlabel="step", ylabel="mean reward")
    axes.legend(loc="best", frameon=False)


def _held_out(axes: Axes, result: DemoResult) -> None:
    for place, stage in enumerate(STAGES):
        got = bootstrap_mean(result.evaluations[stage].rewards)
        error = [[got.mean - got.low], [got.high - got.mean]]
        axes.errorbar(place, got.mean, error, fmt="o", color=_COLOURS["reward"], capsize=6)
        axes.annotate(f"{got.mean:.2f}", (place, got.mean), (8, 4), textcoords="offset points")
    axes.set_xticks(range(len(STAGES)), ["untrained", "warm start", "GRPO"])
    axes.set(title="Held-out tasks, greedy", ylabel="mean reward, 95 % interval")
    axes.set_xlim(-0.5, len(STAGES) - 0.3)

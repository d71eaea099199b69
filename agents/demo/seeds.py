"""Several seeds of the demo, added up into a Markdown table for the README.

python -m agents.demo.seeds runs/demo/seed0 runs/demo/seed1 runs/demo/seed2
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from agents.demo.table import markdown
from agents.statistics import bootstrap_difference, bootstrap_mean
from toolrl_env.core.errors import ConfigurationError

__all__ = ["aggregate"]

_STAGES = ("untrained", "after warm start", "after GRPO")
_HEADERS = ("seed", *_STAGES, "gained by GRPO", "perfect: warm start, GRPO", "minutes")


def aggregate(folders: Sequence[Path]) -> str:
    """Return a Markdown table: one row per seed, and their mean.

    The mean's interval resamples tasks, after each task's rewards were averaged over the seeds.

    Args:
        folders: Demo folders with ``results.json``, all of one recipe.

    Raises:
        ConfigurationError: The folders are of different recipes.
    """
    runs = [json.loads((folder / "results.json").read_text()) for folder in folders]
    if any(run["recipe"] != runs[0]["recipe"] for run in runs):
        raise ConfigurationError("the runs have different recipes; a table of them means nothing")
    lines = [_row(str(run["seed"]), run["held_out"], sum(run["seconds"].values())) for run in runs]
    if len(runs) > 1:
        seconds = float(np.mean([sum(run["seconds"].values()) for run in runs]))
        lines.append(_row("mean", _mean_over_runs(runs), seconds))
    return markdown(_HEADERS, lines)


def _mean_over_runs(runs: Sequence[dict[str, Any]]) -> dict[str, dict[str, list[float]]]:
    """Average every task's figures over the runs."""
    return {
        stage: {
            name: np.mean([run["held_out"][stage][name] for run in runs], axis=0).tolist()
            for name in ("reward", "perfect", "format")
        }
        for stage in _STAGES
    }


def _row(label: str, held_out: dict[str, dict[str, list[float]]], seconds: float) -> list[str]:
    rewards = [held_out[stage]["reward"] for stage in _STAGES]
    perfect = [np.mean(held_out[stage]["perfect"]) for stage in _STAGES[1:]]
    return [
        label,
        *(str(bootstrap_mean(values)) for values in rewards),
        bootstrap_difference(rewards[1], rewards[2]).signed(),
        f"{perfect[0]:.0%}, {perfect[1]:.0%}",
        f"{seconds / 60:.1f}",
    ]


def main() -> None:
    """Print the table of finished runs."""
    import tyro

    folders = tyro.cli(tyro.conf.Positional[tuple[Path, ...]], description=__doc__)
    print(aggregate(folders))


if __name__ == "__main__":
    main()

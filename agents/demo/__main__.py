"""Command line of the demo."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro
from rich.console import Console
from transformers.utils import logging

from agents.demo.figure import draw
from agents.demo.page import write_page
from agents.demo.pipeline import DemoResult, run_demo, save_results
from agents.demo.recipe import FULL, QUICK
from agents.demo.seeds import aggregate
from agents.demo.table import show


@dataclass(frozen=True)
class DemoConfig:
    """Settings of the demo.

    Attributes:
        quick: Train a tiny model from scratch instead of SmolLM2-135M; the code path is the same.
        seed: Seed of the run.
        seeds: Run several seeds, one after the other, and add them up; instead of seed.
        out: Folder for the checkpoints, the logs, the figure and the page.
    """

    quick: bool = False
    seed: int = 0
    seeds: tuple[int, ...] = ()
    out: Path = Path("runs/demo")


def run_one(quick: bool, seed: int, out: Path, console: Console) -> DemoResult:
    """Run the demo for one seed and write its figure, page and figures into ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    result = run_demo(QUICK if quick else FULL, seed, out, console)
    draw(result, out / "learning_curve.png")
    write_page(result, out / "learning_curve.png", out / "report.html")
    save_results(result, out / "results.json")
    show(result, console)
    console.print(f"report: {out / 'report.html'}", highlight=False)
    return result


def main() -> None:
    """Run the demo from the command line."""
    config = tyro.cli(DemoConfig, description=__doc__)
    logging.disable_progress_bar()
    console = Console()
    if not config.seeds:
        run_one(config.quick, config.seed, config.out, console)
        return
    folders = [config.out / f"seed{seed}" for seed in config.seeds]
    for seed, folder in zip(config.seeds, folders, strict=True):
        run_one(config.quick, seed, folder, console)
    table = aggregate(folders)
    (config.out / "seeds.md").write_text(table + "\n", encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()

"""The stages of the demo, in order, and what they found."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from rich.console import Console

from agents import grpo, sft
from agents.demo.recipe import Recipe
from agents.evaluation import Evaluation, evaluate
from agents.logs import StepBar, read_metrics
from agents.models import load_folder, load_model
from agents.precision import choose_device, choose_dtype
from agents.prompting import ChatEncoder
from agents.session import RunConfig
from agents.statistics import Interval, bootstrap_difference
from agents.transformers_policy import TransformersPolicy

__all__ = ["STAGES", "DemoResult", "run_demo", "save_results"]

STAGES = ("untrained", "after warm start", "after GRPO")
_T = TypeVar("_T")


@dataclass(frozen=True)
class DemoResult:
    """Everything the report shows.

    Attributes:
        recipe: The settings.
        seed: The seed of the run.
        evaluations: Per stage, the held-out tasks and how they were answered.
        metrics: Per trainer (``sft``, ``grpo``), one row per step.
        seconds: Wall time per stage.
        cpu_seconds: Processor time per stage.
        checkpoint: Where the trained model is.
        reloaded: Share of answers that a model loaded again from the checkpoint repeats.
        machine: Processor threads and software.
    """

    recipe: Recipe
    seed: int
    evaluations: Mapping[str, Evaluation]
    metrics: Mapping[str, list[dict[str, float]]]
    seconds: Mapping[str, float]
    cpu_seconds: Mapping[str, float]
    checkpoint: Path
    reloaded: float
    machine: Mapping[str, Any]

    @property
    def gain(self) -> Interval:
        """Held-out reward gained by GRPO over the warm start, paired by task."""
        before, after = (self.evaluations[stage].rewards for stage in STAGES[1:])
        return bootstrap_difference(before, after)

    def as_json(self) -> dict[str, Any]:
        """Return the figures as JSON-like values, for ``agents.demo.seeds``."""
        return {
            "seed": self.seed,
            "recipe": asdict(self.recipe),
            "machine": dict(self.machine),
            "seconds": dict(self.seconds),
            "cpu_seconds": dict(self.cpu_seconds),
            "reloaded": self.reloaded,
            "gain": asdict(self.gain),
            "held_out": {
                stage: {
                    "reward": got.rewards,
                    "perfect": got.perfect,
                    "format": got.component("format"),
                }
                for stage, got in self.evaluations.items()
            },
        }


class _Clock:
    """Announces stages and takes their time."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.wall: dict[str, float] = {}
        self.cpu: dict[str, float] = {}

    def __call__(self, stage: str, work: Callable[[], _T]) -> _T:
        """Do ``work``, a stage of that name."""
        self._console.rule(f"[bold]{stage}")
        wall, cpu = time.perf_counter(), time.process_time()
        result = work()
        self.wall[stage] = time.perf_counter() - wall
        self.cpu[stage] = time.process_time() - cpu
        self._console.print(f"{self.wall[stage]:.0f} s ({self.cpu[stage]:.0f} s of processor time)")
        return result


def run_demo(recipe: Recipe, seed: int, out: Path, console: Console) -> DemoResult:
    """Run every stage.

    Args:
        recipe: The settings.
        seed: Seed of the warm start and of GRPO; the held-out tasks are the same for all seeds.
        out: Folder for checkpoints, logs and ``results.json``.
        console: Where to show progress.
    """
    threads = recipe.threads or torch.get_num_threads()
    torch.set_num_threads(threads)
    clock = _Clock(console)

    # 1. The model as it comes, on the held-out tasks.
    loaded = clock(
        "load the model",
        lambda: load_model(recipe.model, recipe.env, recipe.env_kwargs, seed),
    )
    evaluations = {STAGES[0]: clock("score: untrained", lambda: _score(recipe, *loaded))}

    # 2. Supervised warm start on gold answers of the train split.
    warm = recipe.sft(out / "sft", seed, threads)
    folder = clock("train: warm start", lambda: _train(sft.train, warm, console))
    evaluations[STAGES[1]] = clock("score: after warm start", lambda: _score_folder(recipe, folder))

    # 3. GRPO on the train split, from the warm start's checkpoint.
    settings = recipe.grpo(out / "grpo", seed, threads, folder)
    folder = clock("train: GRPO", lambda: _train(grpo.train, settings, console))

    # 4. The checkpoint, loaded, on the held-out tasks; then loaded once more, on some of them.
    after = clock("score: after GRPO", lambda: _score_folder(recipe, folder))
    evaluations[STAGES[2]] = after
    some = min(8, recipe.held_out)
    again = clock("load the checkpoint again", lambda: _score_folder(recipe, folder, some))
    same = [one == other for one, other in zip(after.answers, again.answers, strict=False)]

    return DemoResult(
        recipe=recipe,
        seed=seed,
        evaluations=evaluations,
        metrics={name: read_metrics(out / name / "metrics.jsonl") for name in ("sft", "grpo")},
        seconds=clock.wall,
        cpu_seconds=clock.cpu,
        checkpoint=folder,
        reloaded=sum(same) / len(same),
        machine=_machine(),
    )


def _machine() -> dict[str, Any]:
    return {
        "threads": torch.get_num_threads(),
        "processor": platform.machine(),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def save_results(result: DemoResult, path: Path) -> None:
    """Write the figures of a run as JSON."""
    path.write_text(json.dumps(result.as_json(), indent=1) + "\n")


def _train(train: Callable[..., Path], config: RunConfig, console: Console) -> Path:
    """Train with a progress bar."""
    with StepBar(config.out.name.upper(), config.steps, console) as bar:
        return train(config, bar)


def _score_folder(recipe: Recipe, folder: Path, tasks: int | None = None) -> Evaluation:
    return _score(recipe, *load_folder(folder), tasks)


def _score(recipe: Recipe, model: Any, tokenizer: Any, tasks: int | None = None) -> Evaluation:
    """Answer the first test tasks greedily, in the number format that training computes in."""
    device = choose_device("auto")
    model = model.to(device, choose_dtype("auto", device))
    encoder = ChatEncoder(tokenizer, recipe.env_kwargs.get("protocol", "toolrl"))
    count = recipe.held_out if tasks is None else tasks
    policy = TransformersPolicy(
        model, encoder, max_new_tokens=recipe.max_new_tokens, batch_size=count
    )
    return evaluate(policy, recipe.env, {**recipe.env_kwargs, "split": "test"}, range(count))

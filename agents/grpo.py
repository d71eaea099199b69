"""GRPO on a registered environment (DeepSeekMath, arXiv 2402.03300), without a KL term.

python -m agents.grpo --env ToolRL-Toolbox-v0 --model runs/sft/checkpoint --steps 20
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from agents.advantages import ADVANTAGES, is_informative
from agents.generation import Completion, generate
from agents.logprobs import sampled_logprobs
from agents.logs import StepBar
from agents.losses import clipped_policy_loss
from agents.packing import Example
from agents.rollout import Group, GroupCollector, Sampler, derive_seed
from agents.session import RunConfig, Session
from toolrl_env.core.errors import ConfigurationError, UnknownName

__all__ = ["GRPOConfig", "train"]

_STREAM = 2  # keeps these random choices apart from those of other trainers with the same seed
_DENOMINATORS = ("tokens", "constant")


@dataclass(frozen=True)
class GRPOConfig(RunConfig):
    """Settings of a GRPO run.

    Attributes:
        prompts: Prompts per step.
        group_size: Answers per prompt, at least 2.
        max_new_tokens: Tokens after which an answer is cut.
        temperature: Of the policy, in sampling and in the update alike.
        advantage: "grpo" (divided by the group's spread) or "dr_grpo" (only centred).
        denominator: "tokens" (mean over the batch's tokens, DAPO) or "constant" (answers times
            max_new_tokens, Dr. GRPO).
        clip_low: How far below 1 the probability ratio may count.
        clip_high: How far above 1 the probability ratio may count.
        updates: Optimiser steps on each batch; with 1, the ratio is 1 and nothing is clipped.
    """

    out: Path = Path("runs/grpo")
    learning_rate: float = 1e-5
    prompts: int = 2
    group_size: int = 8
    max_new_tokens: int = 128
    temperature: float = 1.0
    advantage: str = "grpo"
    denominator: str = "tokens"
    clip_low: float = 0.2
    clip_high: float = 0.2
    updates: int = 1

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        super().__post_init__()
        self.require_positive(
            prompts=self.prompts,
            max_new_tokens=self.max_new_tokens,
            temperature=self.temperature,
            clip_low=self.clip_low,
            clip_high=self.clip_high,
            updates=self.updates,
        )
        if self.group_size < 2:
            raise ConfigurationError(f"group_size={self.group_size!r}; it must be at least 2")
        if self.advantage not in ADVANTAGES:
            raise UnknownName("advantage", self.advantage, ADVANTAGES)
        if self.denominator not in _DENOMINATORS:
            raise UnknownName("denominator", self.denominator, _DENOMINATORS)


def train(config: GRPOConfig, on_step: Callable[[dict[str, float]], None] | None = None) -> Path:
    """Run GRPO.

    Args:
        config: The settings.
        on_step: Called with each step's metrics.

    Returns:
        The folder of the last checkpoint.
    """
    session = Session(config, on_step)
    collector = GroupCollector(
        config.env,
        session.env_kwargs,
        session.encoder,
        prompts=config.prompts,
        group_size=config.group_size,
    )
    sample = make_sampler(session, config)

    for step in range(session.start, config.steps):
        began = time.perf_counter()
        # 1. Play: a group of answers to each of several tasks, scored by the environment.
        seeds = [derive_seed(config.seed, _STREAM, step, row) for row in range(config.prompts)]
        rng = np.random.default_rng((config.seed, _STREAM, step))
        groups = collector.collect(sample, seeds, rng, training_step=step)
        played = time.perf_counter()

        # 2. Keep the groups that can teach: equal rewards give advantages of 0.
        informative = [group for group in groups if is_informative(group.rewards)]

        # 3. Update on them.
        updates = [update(session, config, informative, step) for _ in range(config.updates)]

        # 4. Log; save.
        metrics = {"step": step, **describe(groups, len(informative)), **updates[-1]}
        now = time.perf_counter()
        session.finish_step(metrics | {"generate_seconds": played - began, "seconds": now - began})

    session.close()
    collector.close()
    return session.checkpoint


def make_sampler(session: Session, config: GRPOConfig) -> Sampler:
    """Return the function that samples a group of answers to each prompt."""

    def sample(
        prompts: Sequence[tuple[int, ...]], rng: np.random.Generator
    ) -> list[list[Completion]]:
        return generate(
            session.policy,
            prompts,
            config.group_size,
            max_new_tokens=config.max_new_tokens,
            eos_id=session.encoder.eos_id,
            temperature=config.temperature,
            rngs=rng.spawn(len(prompts) * config.group_size),
        )

    return sample


def update(
    session: Session, config: GRPOConfig, groups: Sequence[Group], step: int
) -> dict[str, float]:
    """Take one optimiser step on groups of unequal rewards, one group at a time.

    Returns:
        Loss, clip fraction, approximate KL (means over groups) and the gradient's norm; zeros if
        there is no group, in which case nothing moves, the optimiser's moments included.
    """
    if not groups:
        return {"loss": 0.0, "clip_fraction": 0.0, "approx_kl": 0.0, "grad_norm": 0.0}
    tokens = sum(len(s.completion.token_ids) for group in groups for s in group.samples)
    answers = sum(len(group.samples) for group in groups)
    constant = config.denominator == "constant"
    denominator = float(answers * config.max_new_tokens if constant else tokens)
    loss, clip_fraction, approx_kl = 0.0, 0.0, 0.0
    for group in groups:
        episodes = [Example(group.prompt_ids, s.completion.token_ids) for s in group.samples]
        scores = sampled_logprobs(session.policy, episodes, config.temperature)  # [G, T]
        result = clipped_policy_loss(
            scores.logprobs,
            old_logprobs(group),
            torch.from_numpy(ADVANTAGES[config.advantage](group.rewards)).float(),
            scores.mask,
            clip_low=config.clip_low,
            clip_high=config.clip_high,
            denominator=denominator,
        )
        session.backward(result.loss)
        loss += result.loss.item()
        clip_fraction += result.clip_fraction.item() / len(groups)
        approx_kl += result.approx_kl.item() / len(groups)
    norm = session.optimise(step)
    diagnostics = {"clip_fraction": clip_fraction, "approx_kl": approx_kl, "grad_norm": norm}
    return {"loss": loss, **diagnostics}


def old_logprobs(group: Group) -> torch.Tensor:
    """Return the log-probabilities at sampling time, right-padded with 0, as [G, T]."""
    rows = [sample.completion.logprobs for sample in group.samples]
    width = max(len(row) for row in rows)
    return torch.tensor([[*row, *[0.0] * (width - len(row))] for row in rows])


def describe(groups: Sequence[Group], informative: int) -> dict[str, float]:
    """Return means over every scored answer of a batch: reward, its components, length."""
    samples = [sample for group in groups for sample in group.samples]
    means = {
        name: float(np.mean([sample.outcome.components[name] for sample in samples]))
        for name in samples[0].outcome.components
        if name != "total"
    }
    return {
        "reward": float(np.mean([sample.outcome.reward for sample in samples])),
        "reward_std": float(np.mean([group.rewards.std() for group in groups if group.samples])),
        **means,
        "answer_tokens": float(np.mean([len(s.completion.token_ids) for s in samples])),
        "finished": float(np.mean([sample.completion.finished for sample in samples])),
        "informative_groups": float(informative),
        "failures": float(sum(group.failures for group in groups)),
    }


def main() -> None:
    """Run from the command line."""
    import tyro
    from transformers.utils import logging

    logging.disable_progress_bar()
    config = tyro.cli(GRPOConfig, description=__doc__)
    with StepBar("GRPO", config.steps) as bar:
        folder = train(config, bar)
    print(f"checkpoint: {folder}")


if __name__ == "__main__":
    main()

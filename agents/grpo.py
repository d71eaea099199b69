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
from numpy.typing import NDArray

from agents.advantages import ADVANTAGES
from agents.batch_metrics import describe
from agents.conversation import Limits
from agents.episode import Episode, Group
from agents.generation import Completion, generate
from agents.logprobs import sampled_logprobs
from agents.logs import StepBar
from agents.losses import clipped_policy_loss
from agents.playing import Sampler
from agents.rollout import GroupCollector, derive_seed
from agents.schemes import CREDITS, TRUNCATED, assign_credit
from agents.session import RunConfig, Session
from agents.tree import BRANCH_AT, TreeConfig
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
        credit: Who gets the credit in an episode of several turns: "outcome" (all of it alike),
            "turns" (discounted returns, whitened over the batch), "mt_grpo", "gigpo" or "span"
            (see agents/credit.py).
        credit_weight: Of the outcome in "mt_grpo", of the steps in "gigpo", of the calls in "span".
        gamma: Discount per turn, in "turns" and "gigpo".
        max_context: Tokens of a whole episode, its prompt included.
        max_turns: Answers after which an episode stops, whatever the environment allows.
        branches: Branches of each episode, which begin in the middle of it (see agents/tree.py); 0
            for none.
        branch_at: Where: before a "random" turn, or "all" turns but the first.
        truncated: What happens to episodes that a limit cut: "keep" or "mask" (not trained on).
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
    credit: str = "outcome"
    credit_weight: float = 1.0
    gamma: float = 0.95
    max_context: int = 4096
    max_turns: int = 30
    branches: int = 0
    branch_at: str = "random"
    truncated: str = "keep"

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
        if self.credit not in CREDITS:
            raise UnknownName("credit", self.credit, CREDITS)
        if self.truncated not in TRUNCATED:
            raise UnknownName("truncated", self.truncated, TRUNCATED)
        if self.branches < 0:
            raise ConfigurationError(f"branches={self.branches!r}; it must be at least 0")
        if self.branch_at not in BRANCH_AT:
            raise UnknownName("branching point", self.branch_at, BRANCH_AT)
        if not 0 <= self.gamma <= 1:
            raise ConfigurationError(f"gamma={self.gamma!r}; a discount is within [0, 1]")
        if not self.credit_weight >= 0:
            raise ConfigurationError(f"credit_weight={self.credit_weight!r}; it is at least 0")

    @property
    def limits(self) -> Limits:
        """How long answers and episodes may become."""
        return Limits(self.max_new_tokens, self.max_context, self.max_turns)

    @property
    def tree(self) -> TreeConfig | None:
        """How episodes branch, if they do."""
        return TreeConfig(self.branches, self.branch_at) if self.branches else None


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
        limits=config.limits,
        prompts=config.prompts,
        group_size=config.group_size,
        tree=config.tree,
    )
    sample = make_sampler(session, config)

    for step in range(session.start, config.steps):
        began = time.perf_counter()
        # 1. Play: a group of episodes of each of several tasks, scored by the environment.
        seeds = [derive_seed(config.seed, _STREAM, step, row) for row in range(config.prompts)]
        rng = np.random.default_rng((config.seed, _STREAM, step))
        groups = collector.collect(sample, seeds, rng, training_step=step)
        played = time.perf_counter()

        # 2. Give every token its credit; keep the groups that have any.
        informative = [part for part in credited(config, groups) if part.can_teach]

        # 3. Update on them.
        updates = [update(session, config, informative, step) for _ in range(config.updates)]

        # 4. Log; save.
        counts = {"informative_groups": float(len(informative))}
        metrics = {"step": step, **describe(groups, config.prompts), **counts, **updates[-1]}
        now = time.perf_counter()
        session.finish_step(metrics | {"generate_seconds": played - began, "seconds": now - began})

    session.close()
    collector.close()
    return session.checkpoint


def make_sampler(session: Session, config: GRPOConfig) -> Sampler:
    """Return the function that samples answers to contexts."""

    def sample(
        contexts: Sequence[tuple[int, ...]],
        samples: Sequence[int],
        rngs: Sequence[np.random.Generator],
    ) -> list[list[Completion]]:
        return generate(
            session.policy,
            contexts,
            samples,
            max_new_tokens=config.max_new_tokens,
            eos_id=session.encoder.eos_id,
            temperature=config.temperature,
            rngs=rngs,
        )

    return sample


@dataclass(frozen=True, slots=True)
class Credited:
    """The scored episodes of a group, with an advantage for each of their tokens.

    Attributes:
        episodes: B of them.
        advantages: For each, [T]; 0.0 at tokens that are not trained on.
    """

    episodes: tuple[Episode, ...]
    advantages: Sequence[NDArray[np.float64]]

    @property
    def can_teach(self) -> bool:
        """Whether any token has an advantage: without one there is no gradient."""
        return any(bool(np.any(np.abs(values) > 1e-9)) for values in self.advantages)


def credited(config: GRPOConfig, groups: Sequence[Group]) -> list[Credited]:
    """Return the groups' scored episodes with the credit of their tokens."""
    normalise = ADVANTAGES[config.advantage]
    scored = [group for group in groups if group.scored]
    advantages = assign_credit(
        config.credit,
        scored,
        [normalise(group.rewards) for group in scored],
        normalise=normalise,
        gamma=config.gamma,
        weight=config.credit_weight,
        keep_truncated=config.truncated == "keep",
    )
    return [Credited(group.scored, rows) for group, rows in zip(scored, advantages, strict=True)]


def update(
    session: Session, config: GRPOConfig, groups: Sequence[Credited], step: int
) -> dict[str, float]:
    """Take one optimiser step on groups that have any advantage, one group at a time.

    Returns:
        Loss, clip fraction, approximate KL (means over groups) and the gradient's norm; zeros if
        there is no group, in which case nothing moves, the optimiser's moments included.
    """
    if not groups:
        return {"loss": 0.0, "clip_fraction": 0.0, "approx_kl": 0.0, "grad_norm": 0.0}
    constant = config.denominator == "constant"
    denominator = float(
        sum(
            len(episode.turns) * config.max_new_tokens if constant else sum(episode.sampled)
            for group in groups
            for episode in group.episodes
        )
    )
    loss, clip_fraction, approx_kl = 0.0, 0.0, 0.0
    for group in groups:
        scores = sampled_logprobs(session.policy, group.episodes, config.temperature)  # [B, T]
        old = padded([episode.logprobs for episode in group.episodes])
        advantages = padded(group.advantages)
        mask = scores.mask
        result = clipped_policy_loss(
            scores.logprobs[mask][:, None],  # [N, 1]: every token has an advantage of its own
            old[mask][:, None],
            advantages[mask],
            mask[mask][:, None],
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


def padded(rows: Sequence[Sequence[float]] | Sequence[NDArray[np.float64]]) -> torch.Tensor:
    """Return rows of different lengths, right-padded with 0, as float32 [B, T]."""
    width = max(len(row) for row in rows)
    full = [[*row, *[0.0] * (width - len(row))] for row in rows]
    return torch.tensor(full, dtype=torch.float32)


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

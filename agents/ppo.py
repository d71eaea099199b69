"""PPO with a value head on a registered environment (arXiv 1707.06347).

It plays as GRPO does, but judges an answer by a learnt value instead of by its group, token by
token (GAE), so a prompt needs one answer only.

python -m agents.ppo --env ToolRL-Toolbox-v0 --model runs/sft/checkpoint --steps 20
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from agents.advantages import whiten
from agents.command_line import run_trainer
from agents.episode import Episode
from agents.gae import Targets, episode_targets
from agents.grpo import make_sampler
from agents.kl import kl_estimate
from agents.losses import aggregate, clipped
from agents.multi_turn import RolloutConfig
from agents.packing import micro_batches
from agents.rollout import GroupCollector, derive_seed
from agents.session import Session
from agents.shaping import describe_groups, sampled_tokens
from agents.values import ValueHead, every_state, forward, value_loss
from toolrl_env.core.errors import ConfigurationError

__all__ = ["PPOConfig", "train"]

_STREAM = 3  # keeps these random choices apart from those of other trainers with the same seed


@dataclass(frozen=True)
class PPOConfig(RolloutConfig):
    """Settings of a PPO run.

    Attributes:
        prompts: Prompts per step.
        group_size: Answers per prompt; 1 is enough.
        gamma: Discount per token.
        lam: Lambda of GAE.
        whiten: Whether advantages are brought to mean 0 and standard deviation 1 over the batch.
        clip_low: How far below 1 the ratio may count.
        clip_high: How far above 1 the ratio may count.
        value_clip: How far a value may move on one batch; None does not bound it.
        value_weight: Weight of the value loss.
        value_learning_rate: Of the value head; the body has the policy's.
        updates: Optimiser steps on each batch.
    """

    out: Path = Path("runs/ppo")
    learning_rate: float = 1e-5
    prompts: int = 16
    group_size: int = 1
    gamma: float = 1.0
    lam: float = 0.95
    whiten: bool = True
    clip_low: float = 0.2
    clip_high: float = 0.2
    value_clip: float | None = None
    value_weight: float = 0.1
    value_learning_rate: float = 1e-3
    updates: int = 2

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        super().__post_init__()
        self.require_positive(
            prompts=self.prompts,
            group_size=self.group_size,
            clip_low=self.clip_low,
            clip_high=self.clip_high,
            value_clip=1.0 if self.value_clip is None else self.value_clip,
            value_weight=self.value_weight,
            value_learning_rate=self.value_learning_rate,
            updates=self.updates,
        )
        for name, value in (("gamma", self.gamma), ("lam", self.lam)):
            if not 0 <= value <= 1:
                raise ConfigurationError(f"{name}={value!r}; it must be in [0, 1]")


@dataclass(frozen=True, slots=True)
class Part:
    """Some episodes of a batch as tensors, as they were before the update.

    Attributes:
        episodes: B of them.
        logprobs: As the policy had them, shape [B, T].
        values: As the head had them, shape [B, T].
        advantages: Shape [B, T].
        returns: Shape [B, T].
        mask: True at tokens that the policy sampled, shape [B, T].
    """

    episodes: tuple[Episode, ...]
    logprobs: Tensor
    values: Tensor
    advantages: Tensor
    returns: Tensor
    mask: Tensor


class Critic:
    """The value head and its optimiser, saved and resumed with the session.

    Args:
        session: The run.
        config: Its settings.

    Attributes:
        head: The value head.
    """

    def __init__(self, session: Session, config: PPOConfig) -> None:
        width = session.policy.config.get_text_config().hidden_size
        self.head = ValueHead(width).to(session.device)
        self._optimizer = torch.optim.AdamW(
            self.head.parameters(), lr=config.value_learning_rate, weight_decay=0.0
        )
        self._max_norm = config.max_grad_norm
        session.attach("value_head", self.head)
        session.attach("value_optimizer", self._optimizer)

    def optimise(self) -> None:
        """Take one optimiser step with the gradient gathered so far."""
        torch.nn.utils.clip_grad_norm_(self.head.parameters(), self._max_norm)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)


def train(config: PPOConfig, on_step: Callable[[dict[str, float]], None] | None = None) -> Path:
    """Run PPO.

    Args:
        config: The settings.
        on_step: Called with each step's metrics.

    Returns:
        The folder of the last checkpoint.
    """
    session = Session(config, on_step)
    critic = Critic(session, config)
    collector = GroupCollector(
        config.env,
        session.env_kwargs,
        session.encoder,
        limits=config.limits,
        prompts=config.prompts,
        group_size=config.group_size,
    )

    for step in range(session.start, config.steps):
        began = time.perf_counter()
        sample = make_sampler(session, config, several_turns=collector.several_turns)
        # 1. Play.
        seeds = [derive_seed(config.seed, _STREAM, step, row) for row in range(config.prompts)]
        rng = np.random.default_rng((config.seed, _STREAM, step))
        groups = collector.collect(sample, seeds, rng, step)
        episodes = [episode for group in groups for episode in group.scored]
        played = time.perf_counter() - began

        # 2. Judge: values of every state, from which advantages and returns follow.
        parts = judge(session, critic, config, episodes)

        # 3. Update policy and values.
        updates = [update(session, critic, config, parts, step) for _ in range(config.updates)]

        # 4. Log; save.
        tokens = {"generated_tokens": float(sum(map(sampled_tokens, episodes)))}
        metrics = {"step": step, **describe_groups(groups), **tokens, **updates[-1]}
        whole = time.perf_counter() - began
        session.finish_step(metrics | {"generate_seconds": played, "seconds": whole})

    session.close()
    collector.close()
    return session.checkpoint


@torch.no_grad()
def judge(
    session: Session, critic: Critic, config: PPOConfig, episodes: Sequence[Episode]
) -> list[Part]:
    """Return the batch in parts, with advantages and returns."""
    parts = []
    for indices in micro_batches(every_state(episodes), config.micro_batch_tokens):
        some = tuple(episodes[index] for index in indices)
        said = forward(session.policy, critic.head, some, config.temperature)
        values = said.values.double().cpu().numpy()
        targets = [
            episode_targets(e, values[row, : len(e.token_ids) + 1], config.gamma, config.lam)
            for row, e in enumerate(some)
        ]
        advantages, returns = (each.to(session.device) for each in _stack(targets, said.mask.shape))
        parts.append(Part(some, said.logprobs, said.values[:, :-1], advantages, returns, said.mask))
    if not config.whiten:
        return parts
    white = whiten([part.advantages[part.mask].double().cpu().numpy() for part in parts])
    tensors = [torch.from_numpy(values).float().to(session.device) for values in white]
    return [
        replace(part, advantages=part.advantages.masked_scatter(part.mask, values))
        for part, values in zip(parts, tensors, strict=True)
    ]


def update(
    session: Session, critic: Critic, config: PPOConfig, parts: Sequence[Part], step: int
) -> dict[str, float]:
    """Take one optimiser step of policy and values on a batch, part by part.

    Returns:
        Losses, clip fraction and approximate KL (means over tokens), the share of the returns'
        variance that the values explain, and the gradient's norm.
    """
    whole = float(sum(int(part.mask.sum()) for part in parts))
    sums = dict.fromkeys(("loss", "value_loss", "clip_fraction", "approx_kl"), 0.0)
    for part in parts:
        now = forward(session.policy, critic.head, part.episodes, config.temperature)
        mask, values = part.mask, now.values[:, :-1]
        surrogate = clipped(
            now.logprobs, part.logprobs, part.advantages, mask,
            clip_low=config.clip_low, clip_high=config.clip_high,
        )  # fmt: skip
        policy = aggregate(surrogate.losses, mask, "token", whole)
        error = value_loss(
            values, part.values, part.returns, mask, clip=config.value_clip, denominator=whole
        )
        session.backward(policy + config.value_weight * error)
        moved = kl_estimate(part.logprobs, now.logprobs.detach(), mask, "k3")
        for name, value in (
            ("loss", policy),
            ("value_loss", error),
            ("clip_fraction", surrogate.clipped.sum() / whole),
            ("approx_kl", moved.sum() / whole),
        ):
            sums[name] += float(value.detach())
    norm = session.optimise(step)
    critic.optimise()
    return {**sums, "explained_variance": _explained(parts), "grad_norm": norm}


def _stack(targets: Sequence[Targets], shape: torch.Size) -> tuple[Tensor, Tensor]:
    """Return advantages and returns, right-padded with 0, as [B, T] each."""
    advantages, returns = torch.zeros(shape), torch.zeros(shape)
    for row, target in enumerate(targets):
        width = len(target.advantages)
        advantages[row, :width] = torch.from_numpy(target.advantages).float()
        returns[row, :width] = torch.from_numpy(target.returns).float()
    return advantages, returns


def _explained(parts: Sequence[Part]) -> float:
    """Return 1 - Var(R - V) / Var(R), with the values as they were; 0 if R is constant."""
    returns = torch.cat([part.returns[part.mask] for part in parts])
    errors = returns - torch.cat([part.values[part.mask] for part in parts])
    spread = float(returns.var(correction=0))
    return 1 - float(errors.var(correction=0)) / spread if spread > 0 else 0.0


def main() -> None:
    """Run from the command line."""
    run_trainer(PPOConfig, train, "PPO", __doc__)


if __name__ == "__main__":
    main()

"""Policy gradients on groups of answers in a registered environment (GRPO and its kin).

Source: DeepSeekMath, arXiv 2402.03300. What each choice means, and when: docs/training.md.

python -m agents.grpo --env ToolRL-Toolbox-v0 --model runs/sft/checkpoint --steps 20
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from transformers import PreTrainedModel

from agents.advantages import GROUP_ADVANTAGES
from agents.command_line import run_trainer
from agents.episode import Group
from agents.generation import Completion, Decoder
from agents.lessons import (
    Lesson,
    LessonConfig,
    assign,
    denominator,
    make_lesson,
    measure,
    trained_tokens,
)
from agents.logprobs import sampled_logprobs
from agents.multi_turn import RolloutConfig
from agents.objective import policy_loss
from agents.parts import Part, divide
from agents.playing import Sampler
from agents.rollout import GroupCollector
from agents.selection import Played, Selection, SelectionConfig
from agents.session import Session
from agents.shaping import describe_groups, sampled_tokens
from toolrl_env.core.errors import ConfigurationError

__all__ = ["GRPOConfig", "train"]

_STREAM = 2  # keeps these random choices apart from those of other trainers with the same seed


@dataclass(frozen=True)
class GRPOConfig(LessonConfig, SelectionConfig):
    """Settings of a GRPO run.

    Attributes:
        updates: Optimiser steps on each batch; with 1, the ratio is 1 and nothing is clipped.
    """

    out: Path = Path("runs/grpo")
    learning_rate: float = 1e-5
    updates: int = 1

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        super().__post_init__()
        self.require_positive(updates=self.updates)
        if self.group_size < 2 and self.needs_groups and self.credit != "turns":
            raise ConfigurationError(
                f"group_size={self.group_size!r} with advantage={self.advantage!r}, which compares "
                "answers to one prompt; it must be at least 2"
            )
        if self.overlong_buffer > self.max_new_tokens:
            raise ConfigurationError(
                f"overlong_buffer={self.overlong_buffer!r} is above max_new_tokens"
            )
        if self.credit != "outcome":
            self._refuse_with_credit()

    def _refuse_with_credit(self) -> None:
        """Refuse what is defined for the rewards of whole episodes only."""
        if self.advantage not in GROUP_ADVANTAGES:
            raise ConfigurationError(
                f"credit={self.credit!r} with advantage={self.advantage!r}; the credit of turns "
                f"takes one of {', '.join(sorted(GROUP_ADVANTAGES))}"
            )
        if self.overlong_buffer or self.kl_in_reward:
            raise ConfigurationError(
                f"credit={self.credit!r} with overlong_buffer or kl_in='reward', which change the "
                "reward of a whole episode; use credit='outcome'"
            )


def train(config: GRPOConfig, on_step: Callable[[dict[str, float]], None] | None = None) -> Path:
    """Run GRPO.

    Args:
        config: The settings.
        on_step: Called with each step's metrics.

    Returns:
        The folder of the last checkpoint.
    """
    session = Session(config, on_step)
    selection = Selection(config, _STREAM)
    session.attach("selection", selection)
    reference = None if config.kl == "none" else session.reference()
    levels = make_levels(session, config)

    for step in range(session.start, config.steps):
        began = time.perf_counter()
        sample = make_sampler(session, config, several_turns=levels[0].several_turns)

        # 1. Play: groups of episodes of several tasks, scored by the environment.
        played = selection.play(partial(play, levels, sample, step), step)
        seconds = time.perf_counter() - began

        # 2. Compare: rewards become advantages of tokens.
        lessons = compare(session, config, played, reference)

        # 3. Keep the groups that can teach: without an advantage there is no gradient.
        useful = [lesson for lesson in lessons if lesson.teaches or config.regularised]

        # 4. Update on them, in parts that fit into memory.
        parts, whole = prepare(session, config, useful, reference)
        updates = [update(session, config, parts, whole, step) for _ in range(config.updates)]

        # 5. Log; save.
        metrics = {"step": step, **describe(played, useful), **updates[-1]}
        elapsed = time.perf_counter() - began
        session.finish_step(metrics | {"generate_seconds": seconds, "seconds": elapsed})

    session.close()
    for collector in levels:
        collector.close()
    return session.checkpoint


def play(
    levels: Sequence[GroupCollector],
    sample: Sampler,
    step: int,
    level: int,
    seeds: Sequence[int],
    rng: np.random.Generator,
) -> list[Group]:
    """Play one group per seed at a level of the curriculum."""
    return levels[level].collect(sample, seeds, rng, step)


def compare(
    session: Session, config: GRPOConfig, played: Played, reference: PreTrainedModel | None
) -> list[Lesson]:
    """Return the kept groups and their branches, each compared within itself or the batch.

    No model runs, unless the distance to the reference is a part of the reward.
    """
    groups = [group for root in played.kept for group in (root, *root.branches) if group.scored]
    lessons = [make_lesson(group, config) for group in groups]
    if config.kl_in_reward:
        lessons = [measure(lesson, config, session.policy, reference) for lesson in lessons]
    return assign(config, lessons)


def prepare(
    session: Session,
    config: GRPOConfig,
    useful: Sequence[Lesson],
    reference: PreTrainedModel | None,
) -> tuple[list[Part], float]:
    """Return what to train on, in parts of ``micro_batch_tokens``, and the loss's denominator."""
    if not config.kl_in_reward:
        useful = [measure(lesson, config, session.policy, reference) for lesson in useful]
    return divide(useful, config.micro_batch_tokens), denominator(config, useful)


def make_levels(session: Session, config: GRPOConfig) -> list[GroupCollector]:
    """Return what plays each level of the curriculum; without one, a single level."""
    return [
        GroupCollector(
            config.env,
            session.env_kwargs | changes,
            session.encoder,
            limits=config.limits,
            prompts=config.prompts,
            group_size=config.group_size,
            tree=config.tree,
        )
        for changes in config.level_kwargs()
    ]


def make_sampler(session: Session, config: RolloutConfig, *, several_turns: bool) -> Sampler:
    """Return the function that samples answers to contexts, good until the weights change.

    Args:
        session: Has the policy.
        config: The settings.
        several_turns: Whether contexts will go on, so that they are worth remembering.
    """
    decoder = Decoder(
        session.policy,
        eos_id=session.encoder.eos_id,
        temperature=config.temperature,
        room=config.remember if several_turns else 0,
    )

    def sample(
        contexts: Sequence[tuple[int, ...]],
        samples: Sequence[int],
        rngs: Sequence[np.random.Generator],
    ) -> list[list[Completion]]:
        return decoder.generate(contexts, samples, max_new_tokens=config.max_new_tokens, rngs=rngs)

    return sample


def update(
    session: Session, config: GRPOConfig, parts: Sequence[Part], whole: float, step: int
) -> dict[str, float]:
    """Take one optimiser step on a batch, part by part.

    Returns:
        Loss, clip fraction, approximate KL, entropy (means over tokens) and the gradient's norm;
        zeros if there is no part, in which case nothing moves, the optimiser's moments included.
    """
    watched = ("clip_fraction", "approx_kl", "entropy", "kl")
    sums = dict.fromkeys(watched, 0.0)
    if not parts:
        return {"loss": 0.0, **sums, "grad_norm": 0.0}
    loss, tokens = 0.0, sum(part.tokens for part in parts)
    for part in parts:
        new = sampled_logprobs(session.policy, part.episodes, config.temperature).logprobs  # [B, T]
        result = policy_loss(config, part.batch(new), whole)
        session.backward(result.loss)
        loss += result.loss.item()
        for name in watched:
            sums[name] += result.watched[name] * part.tokens / tokens
    norm = session.optimise(step)
    return {"loss": loss, **sums, "grad_norm": norm}


def describe(played: Played, useful: Sequence[Lesson]) -> dict[str, float]:
    """Return a step's metrics: means over every scored answer, and what was played for them."""
    generated = sum(
        sampled_tokens(episode)
        for root in played.groups
        for group in (root, *root.branches)
        for episode in group.episodes
    )
    return {
        **describe_groups(played.groups),
        "informative_groups": float(len(useful)),
        "generated_tokens": float(generated),
        "trained_tokens": float(trained_tokens(useful)),
        "batches": float(played.batches),
        "skipped": float(played.skipped),
        "level": float(played.level),
    }


def main() -> None:
    """Run from the command line."""
    run_trainer(GRPOConfig, train, "GRPO", __doc__)


if __name__ == "__main__":
    main()

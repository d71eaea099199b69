"""Policy gradients on groups of answers in a registered environment (GRPO and its kin).

Source: DeepSeekMath, arXiv 2402.03300. What each choice means, and when: docs/training.md.

python -m agents.grpo --env ToolRL-Toolbox-v0 --model runs/sft/checkpoint --steps 20
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agents.bridge import as_group
from agents.episode import Group
from agents.generation import Completion, generate_groups
from agents.lessons import Lesson, assign, denominator, lesson_logprobs, make_lesson, trained_tokens
from agents.logs import StepBar
from agents.objective import ObjectiveConfig, policy_loss
from agents.rollout import GroupCollector, Sampler
from agents.selection import Played, Selection, SelectionConfig
from agents.session import Session
from agents.shaping import describe_groups, sampled_tokens
from toolrl_env.core.errors import ConfigurationError

__all__ = ["GRPOConfig", "train"]

_STREAM = 2  # keeps these random choices apart from those of other trainers with the same seed


@dataclass(frozen=True)
class GRPOConfig(ObjectiveConfig, SelectionConfig):
    """Settings of a GRPO run.

    Attributes:
        max_new_tokens: Tokens after which an answer is cut.
        temperature: Of the policy, in sampling and in the update alike.
        updates: Optimiser steps on each batch; with 1, the ratio is 1 and nothing is clipped.
    """

    out: Path = Path("runs/grpo")
    learning_rate: float = 1e-5
    max_new_tokens: int = 128
    temperature: float = 1.0
    updates: int = 1

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        super().__post_init__()
        self.require_positive(
            max_new_tokens=self.max_new_tokens,
            temperature=self.temperature,
            updates=self.updates,
        )
        if self.group_size < 2 and self.needs_groups:
            raise ConfigurationError(
                f"group_size={self.group_size!r} with advantage={self.advantage!r}, which compares "
                "answers to one prompt; it must be at least 2"
            )
        if self.overlong_buffer > self.max_new_tokens:
            raise ConfigurationError(
                f"overlong_buffer={self.overlong_buffer!r} is above max_new_tokens"
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
    sample = make_sampler(session, config)

    for step in range(session.start, config.steps):
        began = time.perf_counter()

        # 1. Play: groups of answers to several tasks, scored by the environment.
        def play(
            level: int, seeds: Sequence[int], rng: np.random.Generator, step: int = step
        ) -> list[Group]:
            return [as_group(g) for g in levels[level].collect(sample, seeds, rng, step)]

        played = selection.play(play, step)
        seconds = time.perf_counter() - began

        # 2. Compare: rewards become advantages.
        lessons = [
            make_lesson(group, config, session.policy, config.temperature, reference)
            for group in played.kept
        ]
        lessons = assign(config, lessons, config.max_new_tokens)

        # 3. Keep the groups that can teach: without an advantage there is no gradient.
        useful = [lesson for lesson in lessons if lesson.teaches or config.regularised]

        # 4. Update on them.
        updates = [update(session, config, useful, step) for _ in range(config.updates)]

        # 5. Log; save.
        metrics = {"step": step, **describe(played, useful), **updates[-1]}
        whole = time.perf_counter() - began
        session.finish_step(metrics | {"generate_seconds": seconds, "seconds": whole})

    session.close()
    for collector in levels:
        collector.close()
    return session.checkpoint


def make_levels(session: Session, config: GRPOConfig) -> list[GroupCollector]:
    """Return what plays each level of the curriculum; without one, a single level."""
    return [
        GroupCollector(
            config.env,
            session.env_kwargs | changes,
            session.encoder,
            prompts=config.prompts,
            group_size=config.group_size,
        )
        for changes in config.level_kwargs()
    ]


def make_sampler(session: Session, config: GRPOConfig) -> Sampler:
    """Return the function that samples a group of answers to each prompt."""

    def sample(
        prompts: Sequence[tuple[int, ...]], rng: np.random.Generator
    ) -> list[list[Completion]]:
        return generate_groups(
            session.policy,
            prompts,
            config.group_size,
            max_new_tokens=config.max_new_tokens,
            eos_id=session.encoder.eos_id,
            temperature=config.temperature,
            rng=rng,
        )

    return sample


def update(
    session: Session, config: GRPOConfig, lessons: Sequence[Lesson], step: int
) -> dict[str, float]:
    """Take one optimiser step, one group at a time.

    Returns:
        Loss, clip fraction, approximate KL, entropy (means over groups) and the gradient's norm;
        zeros if there is no group, in which case nothing moves, the optimiser's moments included.
    """
    watched = ("clip_fraction", "approx_kl", "entropy", "kl")
    sums = dict.fromkeys(watched, 0.0)
    if not lessons:
        return {"loss": 0.0, **sums, "grad_norm": 0.0}
    whole = denominator(config, lessons, config.max_new_tokens)
    loss = 0.0
    for lesson in lessons:
        new = lesson_logprobs(session.policy, lesson, config.temperature)  # [G, T]
        result = policy_loss(config, lesson.batch(new), whole)
        session.backward(result.loss)
        loss += result.loss.item()
        for name in watched:
            sums[name] += result.watched[name] / len(lessons)
    norm = session.optimise(step)
    return {"loss": loss, **sums, "grad_norm": norm}


def describe(played: Played, useful: Sequence[Lesson]) -> dict[str, float]:
    """Return a step's metrics: means over every scored answer, and what was played for them."""
    generated = sum(sampled_tokens(e) for group in played.groups for e in group.episodes)
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
    import tyro
    from transformers.utils import logging

    logging.disable_progress_bar()
    config = tyro.cli(GRPOConfig, description=__doc__)
    with StepBar("GRPO", config.steps) as bar:
        folder = train(config, bar)
    print(f"checkpoint: {folder}")


if __name__ == "__main__":
    main()

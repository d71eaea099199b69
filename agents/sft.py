"""Supervised fine-tuning on an environment's gold answers, or on recorded episodes.

It is the warm start before GRPO, and behaviour cloning where episodes are given.

Where an episode goes over several turns, its gold answers are played, and every one of them is
learnt in its place; what the environment says in between is context.

python -m agents.sft --env ToolRL-Toolbox-v0 --env-kwargs '{"difficulty": 1}' --steps 5
python -m agents.sft --env ToolRL-Toolbox-v0 --demonstrations runs/best/trajectories.jsonl
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

import toolrl_env  # noqa: F401  # registers the ids
from agents.chat_delta import ChatDelta
from agents.command_line import run_trainer
from agents.conversation import Conversation, Limits
from agents.env_kwargs import make_env
from agents.episode import Episode
from agents.generation import Completion
from agents.logprobs import sampled_logprobs
from agents.losses import negative_log_likelihood
from agents.packing import micro_batches
from agents.prompting import ChatEncoder
from agents.rollout import derive_seed
from agents.session import RunConfig, Session
from toolrl_env.core.errors import ConfigurationError, DataError
from toolrl_env.core.types import StopReason, Trajectory
from toolrl_env.wrappers import read_trajectories

__all__ = ["SFTConfig", "gold_episode", "read_demonstrations", "shown_episode", "train"]

_STREAM = 1  # keeps these random choices apart from those of other trainers with the same seed


@dataclass(frozen=True)
class SFTConfig(RunConfig):
    """Settings of a supervised run.

    Attributes:
        demonstrations: A trajectory file (of RecordTrajectories, agents.evaluate, or exported from
            a Minari dataset), whose answers are learnt instead of the gold ones.
        batch_size: Episodes per step.
        max_context: Tokens of an episode, its prompt included; the turns that fit are learnt.
    """

    out: Path = Path("runs/sft")
    demonstrations: Path | None = None
    batch_size: int = 8
    max_context: int = 4096

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        super().__post_init__()
        self.require_positive(batch_size=self.batch_size, max_context=self.max_context)


def read_demonstrations(path: Path | None) -> list[Trajectory]:
    """Return the episodes of a trajectory file, those that something of ours stopped left out.

    Raises:
        DataError: The file cannot be read, or has none.
    """
    if path is None:
        return []
    found = [
        each
        for each in read_trajectories(path)
        if each.transitions[-1].stop_reason is not StopReason.INFRASTRUCTURE
    ]
    if not found:
        raise DataError(f"{path}: there are no episodes to learn from")
    return found


def gold_episode(
    env: gym.Env[str, str], encoder: ChatEncoder, delta: ChatDelta, seed: int, max_context: int
) -> Episode:
    """Reset ``env`` with ``seed``, play its gold answers, and return them as an episode.

    Args:
        env: The environment.
        encoder: The model's encoder.
        delta: The same model's.
        seed: Picks the task.
        max_context: Tokens of the episode; the turns that fit are played.

    Raises:
        ConfigurationError: Not even the first answer fits.
    """
    _, info = env.reset(seed=seed)
    golds = (env.unwrapped.gold_answer() for _ in itertools.count())
    return _played(env, encoder, delta, np.random.default_rng(seed), info, golds, max_context)


def shown_episode(
    env: gym.Env[str, str],
    encoder: ChatEncoder,
    delta: ChatDelta,
    shown: Trajectory,
    max_context: int,
) -> Episode:
    """Play the answers of a recorded episode again, and return them as an episode.

    Args:
        env: The environment; it may show the same tasks in another way.
        encoder: The model's encoder.
        delta: The same model's.
        shown: The recorded episode.
        max_context: Tokens of the episode; the turns that fit are played.

    Raises:
        ConfigurationError: The environment has other tasks or another protocol, or not even the
            first answer fits.
    """
    base = env.unwrapped
    if base.tasks.fingerprint != shown.fingerprint:
        raise ConfigurationError(
            f"the demonstrations are of {shown.env_id} with {dict(shown.env_kwargs)}; this "
            "environment has other tasks: give the same env and split"
        )
    protocol = shown.env_kwargs.get("protocol", "toolrl")
    if base.protocol.name != protocol:
        raise ConfigurationError(
            f"the demonstrations are written in protocol {protocol!r}, this environment reads "
            f"{base.protocol.name!r}"
        )
    options = {"task_id": shown.task_id, "training_step": shown.training_step}
    _, info = env.reset(seed=0, options=options)
    answers = (step.action for step in shown.transitions)
    return _played(env, encoder, delta, np.random.default_rng(0), info, answers, max_context)


def _played(
    env: gym.Env[str, str],
    encoder: ChatEncoder,
    delta: ChatDelta,
    rng: np.random.Generator,
    info: Mapping[str, Any],
    answers: Iterator[str],
    max_context: int,
) -> Episode:
    """Give answers until the episode is over, they are, or there is no room for the next one."""
    prompt = encoder.prompt(info)
    conversation, ids = Conversation(env, encoder, delta, rng, prompt, info["messages"]), ()
    while not conversation.over and (answer := next(answers, None)) is not None:
        ids = encoder.answer(answer)
        if not conversation.goes_on(Limits(len(ids), max_context)):
            break
        conversation.answer(Completion(ids, (0.0,) * len(ids), finished=True))
    episode = conversation.episode()
    if not episode.turns:
        raise ConfigurationError(
            f"the prompt and the first answer to task {info['task_id']!r} have "
            f"{len(prompt) + len(ids)} tokens, more than max_context={max_context}"
        )
    return episode


def _drawn(
    env: gym.Env[str, str],
    encoder: ChatEncoder,
    delta: ChatDelta,
    shown: Sequence[Trajectory],
    seed: int,
    max_context: int,
) -> Episode:
    """Return the demonstration that a seed picks; a gold episode if there are none."""
    if shown:
        return shown_episode(env, encoder, delta, shown[seed % len(shown)], max_context)
    return gold_episode(env, encoder, delta, seed, max_context)


def train(config: SFTConfig, on_step: Callable[[dict[str, float]], None] | None = None) -> Path:
    """Run supervised training.

    Args:
        config: The settings.
        on_step: Called with each step's metrics.

    Returns:
        The folder of the last checkpoint.
    """
    shown = read_demonstrations(config.demonstrations)
    session = Session(config, on_step)
    env = make_env(config.env, session.env_kwargs)
    encoder, delta = session.encoder, ChatDelta(session.encoder)

    for step in range(session.start, config.steps):
        began = time.perf_counter()
        # 1. Draw tasks, or demonstrations; the gold answers, or those shown, are the targets.
        seeds = [derive_seed(config.seed, _STREAM, step, row) for row in range(config.batch_size)]
        batch = [_drawn(env, encoder, delta, shown, seed, config.max_context) for seed in seeds]

        # 2. Forward and backward in parts; every token of the batch weighs the same.
        total, loss = sum(sum(episode.sampled) for episode in batch), 0.0
        for part in micro_batches(batch, config.micro_batch_tokens):
            scores = sampled_logprobs(session.policy, [batch[index] for index in part])
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
    run_trainer(SFTConfig, train, "SFT", __doc__)


if __name__ == "__main__":
    main()

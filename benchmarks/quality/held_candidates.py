"""Held-out tasks of which every candidate was scored: what agents are judged on and against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np

import toolrl_env  # noqa: F401  # registers the ids
from agents.statistics import Interval
from toolrl_env.wrappers import CandidateActions
from toolrl_env.wrappers.numeric.actions import REPLY, write_answer
from toolrl_env.wrappers.numeric.candidate_actions import CandidateLayout
from toolrl_env.wrappers.numeric.candidate_features import FEATURES

__all__ = ["Held", "hold_out"]


@dataclass(frozen=True)
class Held:
    """Held-out tasks, every candidate of which was scored once.

    Attributes:
        observations: float32 [tasks, size].
        masks: bool [tasks, n].
        rewards: float [tasks, n]; NaN where there is no candidate.
        layout: Of the observations.
        categories: Of the tasks.
        gold: Rewards of the gold answers: float [tasks].
    """

    observations: np.ndarray
    masks: np.ndarray
    rewards: np.ndarray
    layout: CandidateLayout
    categories: tuple[str, ...]
    gold: np.ndarray

    @property
    def best(self) -> np.ndarray:
        """Rewards of the best candidates: float [tasks]."""
        return np.nanmax(self.rewards, axis=1)

    @property
    def oracle(self) -> float:
        """Mean reward of the best candidates."""
        return float(self.best.mean())

    @property
    def random(self) -> float:
        """Expected reward of a candidate drawn evenly."""
        return float(np.nanmean(self.rewards, axis=1).mean())

    @property
    def rule(self) -> float:
        """Mean reward of the tool that is most like the request, with its first candidate."""
        layout = self.layout
        table = self.observations[:, : layout.places * layout.row]
        rows = table.reshape(len(table), layout.places, layout.row)
        alike, rank = (rows[:, :, FEATURES.index(name)] for name in ("similarity", "rank"))
        worth = np.where(self.masks, 100 * alike + rank, -1.0)
        worth[:, 0] = 0.0  # in words only if there is nothing to call
        return self.reward(worth.argmax(axis=1))

    def of(self, actions: np.ndarray) -> np.ndarray:
        """Reward of one action per task: float [tasks]."""
        return self.rewards[np.arange(len(self.rewards)), actions]

    def reward(self, actions: np.ndarray) -> float:
        """Mean reward of one action per task."""
        return float(self.of(actions).mean())

    def share(self, actions: np.ndarray, resamples: int = 2000) -> Interval:
        """Mean reward as a share of the oracle's, with a 95 % bootstrap interval over tasks."""
        got, best = self.of(actions), self.best
        drawn = np.random.default_rng(0).integers(len(got), size=(resamples, len(got)))
        shares = got[drawn].sum(axis=1) / best[drawn].sum(axis=1)
        low, high = np.quantile(shares, (0.025, 0.975))
        return Interval(float(got.sum() / best.sum()), float(low), float(high))


def hold_out(env_id: str, kwargs: Mapping[str, Any], tasks: int) -> Held:
    """Score every candidate of the first tasks of a single-turn environment.

    Args:
        env_id: Registered id.
        kwargs: Arguments of the environment, its split above all.
        tasks: How many tasks.
    """
    env = CandidateActions(gym.make(env_id, **kwargs))
    observations, masks, rewards, categories, gold = [], [], [], [], []
    for index in range(tasks):
        observation, info = env.reset(options={"task_index": index})
        mask = info["action_mask"]
        scores = np.full(len(mask), np.nan)
        for action, call in enumerate(env.candidates):
            env.unwrapped.reset(options={"task_index": index})
            answer = write_answer(env.unwrapped.protocol, call, REPLY)
            scores[action] = env.unwrapped.step(answer)[1]
        env.unwrapped.reset(options={"task_index": index})
        gold.append(env.unwrapped.step(env.unwrapped.gold_answer())[1])
        categories.append(info["category"])
        observations.append(observation)
        masks.append(mask)
        rewards.append(scores)
    tables = (np.stack(part) for part in (observations, masks, rewards))
    return Held(*tables, env.layout, tuple(categories), np.array(gold))

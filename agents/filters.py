"""Which prompts and answers are worth their compute: pure rules, and a memory of past visits.

The rules look at *correctness* alone. A shaped score (format, length, turns) varies among answers
that are all wrong, and filters keyed on it are known to ruin policies.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.advantages import is_informative
from agents.episode import Episode, Group

__all__ = ["PromptHistory", "Verdict", "components", "max_variance_subset", "verdict"]

_CORRECTNESS = "correctness"


class Verdict(enum.StrEnum):
    """What a group of answers says about its prompt."""

    SOLVED = "solved"
    MIXED = "mixed"
    HOPELESS = "hopeless"


def components(episode: Episode) -> dict[str, float]:
    """Return the parts of an episode's reward, each added over its turns, without their total."""
    sums: dict[str, float] = {}
    for turn in episode.turns:
        for name, value in turn.components.items():
            if name != "total":
                sums[name] = sums.get(name, 0.0) + value
    return sums


def verdict(group: Group) -> Verdict:
    """Judge a prompt by its answers' correctness.

    Solved: every answer is. Hopeless: none is, and all are equally far from it, by the reward
    term ``correctness`` (where the reward has no such term: none is). Mixed: anything else.

    Args:
        group: At least one scored episode.

    Raises:
        ValueError: No episode of the group was scored.
    """
    scored = group.scored
    if not scored:
        raise ValueError(f"no episode of group {group.task_id!r} was scored")
    solved = [episode.is_success for episode in scored]
    if all(solved):
        return Verdict.SOLVED
    degrees = np.array([components(episode).get(_CORRECTNESS, 0.0) for episode in scored])
    return Verdict.MIXED if any(solved) or is_informative(degrees) else Verdict.HOPELESS


def max_variance_subset(rewards: NDArray[np.float64], size: int) -> NDArray[np.int64]:
    r"""Choose the answers whose rewards vary most.

    .. math:: S^* = \arg\max_{|S| = m} \operatorname{Var}(\{r_i : i \in S\})

    The best subset is the k highest and the m - k lowest for some k, so m + 1 candidates are
    compared. Source: PODS, arXiv 2504.13818, theorem 1 (max-variance down-sampling).

    Args:
        rewards: Shape [G], finite.
        size: m, at least 1; all answers are kept if there are no more.

    Returns:
        Indices [min(m, G)] in rising order; of splits with equal variances the most even one.

    >>> max_variance_subset(np.array([0.0, 1.0, 5.0, 2.0]), 2).tolist()
    [0, 2]
    """
    rewards = np.asarray(rewards, dtype=np.float64)
    if rewards.ndim != 1 or size < 1:
        raise ValueError(f"rewards must have shape [G] and size >= 1, not {rewards.shape}, {size}")
    if rewards.size <= size:
        return np.arange(rewards.size)
    order = np.argsort(rewards, kind="stable")
    splits = [np.concatenate([order[:low], order[low + rewards.size - size :]])
              for low in range(size + 1)]  # fmt: skip
    evenness = [-abs(2 * low - size) for low in range(size + 1)]
    variances = [round(float(rewards[split].var()), 12) for split in splits]
    best = max(range(size + 1), key=lambda low: (variances[low], evenness[low]))
    return np.sort(splits[best])


class PromptHistory:
    r"""Remembers how often a prompt was lately of no use, and leaves it out for a while.

    After z visits in a row that were all solved (or all hopeless) it is played with probability

    .. math:: p_e^{\,z}

    so that it is never given up, and one mixed visit brings it back. Source: GRESO,
    arXiv 2506.02177 (probabilistic pre-rollout filtering, with an exploration
    probability for easy and one for hard prompts), keyed here on correctness.

    Args:
        keep_solved: Exploration probability of solved prompts, in (0, 1]; 1 never skips.
        keep_hopeless: The same of hopeless prompts.
    """

    def __init__(self, keep_solved: float = 0.5, keep_hopeless: float = 0.5) -> None:
        for name, value in (("keep_solved", keep_solved), ("keep_hopeless", keep_hopeless)):
            if not 0 < value <= 1:
                raise ValueError(f"{name}={value!r}; it must be in (0, 1]")
        self._keep = {Verdict.SOLVED: keep_solved, Verdict.HOPELESS: keep_hopeless}
        self._streaks: dict[str, tuple[Verdict, int]] = {}

    def probability(self, prompt: str) -> float:
        """Return the probability with which the prompt is to be played, in (0, 1]."""
        if prompt not in self._streaks:
            return 1.0
        last, length = self._streaks[prompt]
        return self._keep[last] ** length

    def record(self, prompt: str, seen: Verdict) -> None:
        """Add a visit."""
        if seen is Verdict.MIXED:
            self._streaks.pop(prompt, None)
            return
        last, length = self._streaks.get(prompt, (seen, 0))
        self._streaks[prompt] = (seen, length + 1 if last is seen else 1)

    def state_dict(self) -> dict[str, Any]:
        """Return everything remembered, as plain values."""
        return {prompt: [seen.value, z] for prompt, (seen, z) in self._streaks.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what ``state_dict`` returned."""
        self._streaks = {prompt: (Verdict(seen), z) for prompt, (seen, z) in state.items()}

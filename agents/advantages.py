"""Advantages of grouped samples: pure functions of rewards."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["ADVANTAGES", "dr_grpo", "grpo", "is_informative"]

Array = NDArray[np.float64]


def grpo(rewards: Array, epsilon: float = 1e-4) -> Array:
    r"""Group-normalised advantage.

    .. math:: A_i = \frac{r_i - \operatorname{mean}(r)}{\operatorname{std}(r) + \epsilon}

    with the population standard deviation. Source: DeepSeekMath, arXiv 2402.03300, section 4.1.2
    (outcome supervision).

    Args:
        rewards: Rewards of one prompt's answers, shape [G], finite.
        epsilon: Added to the standard deviation.

    Returns:
        Advantages [G], mean 0. All 0 if the rewards are equal.

    Raises:
        ValueError: Not one-dimensional, empty, or not finite.

    >>> grpo(np.array([1.0, 3.0]), epsilon=0.0).tolist()
    [-1.0, 1.0]
    """
    centred = dr_grpo(rewards)
    return (
        centred / (centred.std() + epsilon) if is_informative(rewards) else np.zeros_like(centred)
    )


def dr_grpo(rewards: Array) -> Array:
    r"""Group-centred advantage, not divided by the spread.

    .. math:: A_i = r_i - \operatorname{mean}(r)

    Dividing by the standard deviation weighs prompts by how even their answers are. Source:
    Dr. GRPO, arXiv 2503.20783, section 3.2.

    Args:
        rewards: Rewards of one prompt's answers, shape [G], finite.

    Returns:
        Advantages [G], mean 0.

    Raises:
        ValueError: Not one-dimensional, empty, or not finite.

    >>> dr_grpo(np.array([1.0, 3.0])).tolist()
    [-1.0, 1.0]
    """
    rewards = np.asarray(rewards, dtype=np.float64)
    if rewards.ndim != 1 or rewards.size == 0:
        raise ValueError(f"rewards must have shape [G] with G >= 1, not {rewards.shape}")
    if not np.isfinite(rewards).all():
        raise ValueError(f"rewards must be finite, got {rewards.tolist()}")
    return rewards - rewards.mean()


def is_informative(rewards: Array) -> bool:
    """Return whether a group has any spread: without it every advantage is 0.

    Args:
        rewards: Rewards of one prompt's answers, shape [G]; G may be 0.

    >>> is_informative(np.array([2.0, 2.0]))
    False
    """
    rewards = np.asarray(rewards, dtype=np.float64)
    return rewards.size > 1 and bool(np.ptp(rewards) > 1e-9)


ADVANTAGES: dict[str, Callable[[Array], Array]] = {"grpo": grpo, "dr_grpo": dr_grpo}
"""The choices of ``agents.grpo``'s ``--advantage``."""

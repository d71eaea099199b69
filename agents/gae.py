"""Generalised advantage estimation over the tokens of an episode: pure functions of arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.episode import Episode
from toolrl_env.core.types import StopReason

__all__ = ["Targets", "bootstraps", "episode_targets", "gae", "token_rewards"]

Array = NDArray[np.float64]
_CUT = (None, StopReason.TURN_LIMIT, StopReason.CONTEXT_LIMIT)


@dataclass(frozen=True, slots=True)
class Targets:
    """What the policy and the value head learn from an episode.

    Attributes:
        advantages: Shape [T], 0 at context.
        returns: What the value head should have said, shape [T], 0 at context.
    """

    advantages: Array
    returns: Array


def gae(rewards: Array, values: Array, after: float, gamma: float, lam: float) -> Array:
    r"""Advantages of a sequence of actions.

    .. math::
        \delta_t = r_t + \gamma V_{t+1} - V_t, \qquad
        A_t = \delta_t + \gamma \lambda A_{t+1}, \qquad A_N = 0

    Source: Schulman et al., arXiv 1506.02438, eq. 16.

    Args:
        rewards: After each action, shape [N].
        values: Of the state in which each action was taken, shape [N].
        after: Value of the state after the last action: 0 if the episode terminated there.
        gamma: Discount per action, in [0, 1].
        lam: Between one-step advantages (0) and returns minus values (1).

    Returns:
        Advantages [N]; with the values added, they are the value head's targets.

    Raises:
        ValueError: Shapes differ or a factor is out of range.

    >>> gae(np.array([0.0, 1.0]), np.array([0.5, 0.5]), 0.0, gamma=1.0, lam=1.0).tolist()
    [0.5, 0.5]
    """
    if rewards.ndim != 1 or rewards.shape != values.shape:
        raise ValueError(f"rewards {rewards.shape} and values {values.shape} must both be [N]")
    if not (0 <= gamma <= 1 and 0 <= lam <= 1):
        raise ValueError(f"gamma={gamma!r} and lam={lam!r} must be in [0, 1]")
    following = np.append(values[1:], after)
    deltas = rewards + gamma * following - values
    advantages = np.zeros(len(rewards))
    running = 0.0
    for index in range(len(rewards) - 1, -1, -1):
        running = deltas[index] + gamma * lam * running
        advantages[index] = running
    return advantages


def bootstraps(episode: Episode) -> bool:
    """Return whether the episode was cut from outside, so that what would follow still counts.

    An answer that the token limit cut, but that the environment then judged and ended, did not go
    on: it terminated.
    """
    return episode.stop_reason in _CUT


def token_rewards(episode: Episode) -> Array:
    """Return each turn's reward at the turn's last token, 0 elsewhere, shape [T]."""
    rewards = np.zeros(len(episode.token_ids))
    for turn in episode.turns:
        rewards[turn.tokens[1] - 1] += turn.reward
    return rewards


def episode_targets(episode: Episode, values: Array, gamma: float, lam: float) -> Targets:
    """Advantages and returns of the tokens that the policy sampled.

    The environment's tokens are no actions: what follows the last token of a turn is the first
    token of the next one, in whose state the observation has been read.

    Args:
        episode: T tokens after the prompt.
        values: Of the state before each token, and of the last state, shape [T + 1].
        gamma: Discount per sampled token.
        lam: As in ``gae``.
    """
    sampled = np.array(episode.sampled, dtype=bool)
    if values.shape != (len(sampled) + 1,):
        raise ValueError(f"values must have shape [{len(sampled) + 1}], not {values.shape}")
    own = values[:-1][sampled]
    after = float(values[-1]) if bootstraps(episode) else 0.0
    advantages, returns = np.zeros(len(sampled)), np.zeros(len(sampled))
    advantages[sampled] = gae(token_rewards(episode)[sampled], own, after, gamma, lam)
    returns[sampled] = advantages[sampled] + own
    return Targets(advantages, returns)

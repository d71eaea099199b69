"""From played groups to the numbers that advantages are made of: rewards and their parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from agents.episode import Episode, Group
from agents.filters import components
from toolrl_env.core.errors import InfrastructureError, UnknownName

__all__ = [
    "component_table",
    "describe_groups",
    "overlong_penalty",
    "part_weights",
    "sampled_tokens",
]

Array = NDArray[np.float64]


def overlong_penalty(length: int, limit: int, buffer: int) -> float:
    r"""Soft penalty of answers that come close to the token limit.

    .. math::
        R(y) = \begin{cases} 0 & |y| \le L - b \\ \frac{(L - b) - |y|}{b} & L - b < |y| \le L \\
            -1 & |y| > L \end{cases}

    Source: DAPO, arXiv 2503.14476, eq. 13.

    Args:
        length: Tokens of the answer.
        limit: L, the most there can be.
        buffer: b, tokens over which the penalty rises, 1 to ``limit``.

    Returns:
        Between -1 and 0.

    >>> [overlong_penalty(n, limit=100, buffer=20) for n in (80, 90, 100)]
    [0.0, -0.5, -1.0]
    """
    if not 1 <= buffer <= limit:
        raise ValueError(f"buffer={buffer!r}; it must be in 1 … {limit}")
    return max(-1.0, min(0.0, (limit - buffer - length) / buffer))


def component_table(
    groups: Sequence[Group], extra: Mapping[str, Sequence[Array]]
) -> tuple[tuple[str, ...], list[Array]]:
    """Line up the parts of every episode's reward.

    A part that some episode does not have counts 0 there.

    Args:
        groups: Groups, each with at least one scored episode.
        extra: Further parts, by name: one array [G] a group.

    Returns:
        The names [K] and one array [G, K] a group.
    """
    rows: list[list[dict[str, float]]] = [
        [components(episode) for episode in group.scored] for group in groups
    ]
    names = sorted({name for group in rows for row in group for name in row})
    tables = [
        np.array([[row.get(name, 0.0) for name in names] for row in group]).reshape(len(group), -1)
        for group in rows
    ]
    for values in extra.values():
        tables = [
            np.column_stack([table, column]) for table, column in zip(tables, values, strict=True)
        ]
    return (*names, *extra), tables


def part_weights(names: Sequence[str], weights: Mapping[str, float]) -> Array:
    """Return the weight of each part, 1 where none is given, shape [K].

    Raises:
        UnknownName: A weight is given to a part that the reward does not have.
    """
    for name in weights:
        if name not in names:
            raise UnknownName("reward component", name, names)
    return np.array([float(weights.get(name, 1.0)) for name in names])


def sampled_tokens(episode: Episode) -> int:
    """Return how many tokens the policy sampled."""
    return sum(episode.sampled)


def describe_groups(groups: Sequence[Group]) -> dict[str, float]:
    """Return means over the scored episodes of a batch, and counts of what was left out.

    Means over episodes from their beginning: ``reward`` (the sum over turns), the same of each of
    its parts, ``success``, ``turns``, ``context_tokens`` (the environment's, after the prompt);
    over answers: ``answer_tokens``, ``finished``; over groups: ``reward_std``. Counts over
    everything, branches included: ``truncated`` episodes, ``masked_turns``, ``failures`` (episodes
    in which something of ours failed), ``branch_groups``.

    Raises:
        InfrastructureError: Not one episode was scored, so that there is no mean.
    """
    scored = [group for group in groups if group.scored]
    if not scored:
        failures = [episode.failure for group in groups for episode in group.episodes]
        raise InfrastructureError(
            f"none of {len(failures)} episodes was scored; the first failure: "
            f"{failures[0] if failures else 'nothing was played'}"
        )
    episodes = [episode for group in scored for episode in group.scored]
    names, tables = component_table(scored, {})
    means = np.concatenate(tables).mean(axis=0)
    turns = [turn for episode in episodes for turn in episode.turns]
    every = [e for root in groups for g in (root, *root.branches) for e in g.episodes]
    return {
        "reward": float(np.mean([episode.reward for episode in episodes])),
        "reward_std": float(np.mean([group.rewards.std() for group in scored])),
        **dict(zip(names, means.tolist(), strict=True)),
        "success": float(np.mean([episode.is_success for episode in episodes])),
        "turns": len(turns) / len(episodes),
        "context_tokens": float(np.mean([episode.sampled.count(False) for episode in episodes])),
        "answer_tokens": float(np.mean([turn.tokens[1] - turn.tokens[0] for turn in turns])),
        "finished": float(np.mean([turn.finished for turn in turns])),
        "truncated": float(sum(episode.truncated for episode in every if not episode.failed)),
        "masked_turns": float(sum(turn.masked for episode in every for turn in episode.turns)),
        "failures": float(sum(episode.failed for episode in every)),
        "branch_groups": float(sum(len(group.branches) for group in groups)),
    }

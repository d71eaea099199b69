"""Which token of an episode gets how much credit: pure functions from groups to advantages.

All of them return, for each group, one array [T] for each of its scored episodes: an advantage for
each of ``token_ids``, 0 at the environment's tokens and in masked turns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from agents.advantages import grpo, rebn
from agents.episode import Episode, Group

__all__ = [
    "TokenAdvantages",
    "by_turn",
    "gigpo",
    "mt_grpo",
    "outcome",
    "returns_to_go",
    "trainable",
    "turn_returns",
]

Array = NDArray[np.float64]
TokenAdvantages = list[list[Array]]
Normalise = Callable[[Array], Array]


def trainable(episode: Episode, *, keep_truncated: bool = True) -> NDArray[np.bool_]:
    """Return which of ``token_ids`` may be trained on, shape [T].

    The policy's own tokens, without those of masked turns; none of a failed episode and, unless
    ``keep_truncated``, none of a truncated one.
    """
    mask = np.zeros(len(episode.token_ids), dtype=np.bool_)
    if episode.failed or (episode.truncated and not keep_truncated):
        return mask
    for turn in episode.turns:
        if not turn.masked:
            mask[slice(*turn.tokens)] = True
    return mask


def by_turn(episode: Episode, values: Sequence[float] | Array) -> Array:
    """Give each turn's tokens the turn's value, shape [T]; masked turns get 0."""
    tokens = np.zeros(len(episode.token_ids), dtype=np.float64)
    for turn, value in zip(episode.turns, values, strict=True):
        if not turn.masked:
            tokens[slice(*turn.tokens)] = value
    return tokens


def returns_to_go(rewards: Sequence[float] | Array, gamma: float) -> Array:
    r"""Discounted sum of a turn's reward and of those after it.

    .. math:: G_k = \sum_{j \ge k} \gamma^{j-k} r_j

    Args:
        rewards: One per turn, shape [K].
        gamma: Discount per turn, in [0, 1].

    >>> returns_to_go([1.0, 0.0, 4.0], 0.5).tolist()
    [2.0, 2.0, 4.0]
    """
    if not 0 <= gamma <= 1:
        raise ValueError(f"gamma={gamma!r}; a discount is within [0, 1]")
    total, out = 0.0, []
    for reward in reversed(list(rewards)):
        total = reward + gamma * total
        out.append(total)
    return np.array(out[::-1], dtype=np.float64)


def outcome(groups: Sequence[Group], advantages: Sequence[Array]) -> TokenAdvantages:
    r"""One advantage for the whole episode, at every token of its turns.

    .. math:: A_{i,t} = A_i

    Source: DeepSeekMath, arXiv 2402.03300, section 4.1.2 (outcome supervision), over turns.

    Args:
        groups: N groups.
        advantages: For each group, one for each scored episode [G], from ``Group.rewards`` by any
            of ``agents.advantages``.
    """
    return [
        [
            by_turn(episode, [value] * len(episode.turns))
            for episode, value in zip(group.scored, values, strict=True)
        ]
        for group, values in zip(groups, advantages, strict=True)
    ]


def turn_returns(groups: Sequence[Group], gamma: float = 1.0) -> TokenAdvantages:
    r"""Discounted return of each turn, whitened over all turns of the batch (ReBN).

    .. math:: A_{i,k} = \frac{G_{i,k} - \operatorname{mean}(G)}{\operatorname{std}(G) + \epsilon}

    over every turn of every scored episode that is not masked. Source: GEM, arXiv 2510.01051,
    return batch normalisation (ReBN). No groups are needed: they may have one episode.

    Args:
        groups: The batch.
        gamma: Discount per turn, in [0, 1].
    """
    episodes = [episode for group in groups for episode in group.scored]
    returns = [returns_to_go([turn.reward for turn in e.turns], gamma) for e in episodes]
    counted = [np.array([not turn.masked for turn in episode.turns]) for episode in episodes]
    some = [index for index, own in enumerate(counted) if own.any()]
    white = rebn([returns[index][counted[index]] for index in some])
    for index, values in zip(some, white, strict=True):
        returns[index][counted[index]] = values
    rows = iter([by_turn(e, values) for e, values in zip(episodes, returns, strict=True)])
    return [[next(rows) for _ in group.scored] for group in groups]


def mt_grpo(
    groups: Sequence[Group], weight: float = 1.0, normalise: Normalise = grpo
) -> TokenAdvantages:
    r"""Turn-level advantage, plus the outcome's.

    .. math::
        A_{i,k} = A^T_{i,k} + \lambda A^O_i \;(k < K_i), \qquad A_{i,K_i} = A^O_i

    where :math:`A^O` normalises, within the group, what the last turns earned, and :math:`A^T` what
    the turns before them earned, each against the turns of the same number. Source: MT-GRPO,
    arXiv 2505.11821, which has two turns; for more, each turn before the last is
    treated like the first there.

    Args:
        groups: The batch.
        weight: :math:`\lambda`, at least 0.
        normalise: From the rewards of a group [G] to advantages [G].
    """
    if weight < 0:
        raise ValueError(f"weight={weight!r}; it must be at least 0")
    return [_mt_grpo(group.scored, weight, normalise) for group in groups]


def _mt_grpo(episodes: Sequence[Episode], weight: float, normalise: Normalise) -> list[Array]:
    if not episodes:
        return []
    last = normalise(np.array([episode.turns[-1].reward for episode in episodes]))
    values = [np.full(len(e.turns), weight * a) for e, a in zip(episodes, last, strict=True)]
    for number in range(max(len(episode.turns) for episode in episodes) - 1):
        inner = [
            index
            for index, episode in enumerate(episodes)
            if number < len(episode.turns) - 1 and not episode.turns[number].masked
        ]
        if inner:
            rewards = np.array([episodes[index].turns[number].reward for index in inner])
            for index, advantage in zip(inner, normalise(rewards), strict=True):
                values[index][number] += advantage
    for row, advantage in zip(values, last, strict=True):
        row[-1] = advantage
    return [by_turn(episode, row) for episode, row in zip(episodes, values, strict=True)]


def gigpo(
    groups: Sequence[Group],
    weight: float = 1.0,
    gamma: float = 0.95,
    normalise: Normalise = grpo,
) -> TokenAdvantages:
    r"""The episode's advantage, plus that of each step among the steps from the same state.

    .. math:: A_{i,k} = A^E_i + \omega A^S_{i,k}

    :math:`A^E` normalises the episodes' returns within the group; :math:`A^S` the discounted
    returns of all turns of the group that were taken in one state (``Turn.state``), a state met
    once having :math:`A^S = 0`. Source: GiGPO, arXiv 2505.10978, equations 3 to 8.

    Args:
        groups: The batch.
        weight: :math:`\omega`, at least 0.
        gamma: Discount per turn, in [0, 1].
        normalise: From values [G] to advantages [G]: ``grpo``, or ``dr_grpo`` for
            :math:`F_{norm} = 1`.
    """
    if weight < 0:
        raise ValueError(f"weight={weight!r}; it must be at least 0")
    return [_gigpo(group, weight, gamma, normalise) for group in groups]


def _gigpo(group: Group, weight: float, gamma: float, normalise: Normalise) -> list[Array]:
    episodes = group.scored
    if not episodes:
        return []
    returns = [returns_to_go([turn.reward for turn in e.turns], gamma) for e in episodes]
    values = [
        np.full(len(episode.turns), advantage)
        for episode, advantage in zip(episodes, normalise(group.rewards), strict=True)
    ]
    anchors: dict[str, list[tuple[int, int]]] = {}
    for index, episode in enumerate(episodes):
        for number, turn in enumerate(episode.turns):
            if not turn.masked:
                anchors.setdefault(turn.state, []).append((index, number))
    for places in anchors.values():
        steps = normalise(np.array([returns[index][number] for index, number in places]))
        for (index, number), advantage in zip(places, steps, strict=True):
            values[index][number] += weight * advantage
    return [by_turn(episode, row) for episode, row in zip(episodes, values, strict=True)]

"""Credit for single calls: what the reward breakdown says each of them earned."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agents.advantages import grpo
from agents.credit import Array, Normalise, TokenAdvantages, by_turn
from agents.episode import Episode, Group
from toolrl_env.core.types import Span

__all__ = ["span_credit"]


def span_credit(
    groups: Sequence[Group], weight: float = 1.0, normalise: Normalise = grpo
) -> TokenAdvantages:
    r"""The episode's advantage, plus what each call earned against the calls of the group.

    With the parts c of the rewards (``Turn.credits``), each named by its tokens,

    .. math::
        A_{i,t} = A^E_i + \omega \Big(\mathrm{norm}(y)_{i,k}
            + \sum_{s \ni t} \mathrm{norm}(x)_s\Big), \qquad
        x_s = \sum_{c : c.tokens = s} c.amount, \qquad
        y_{i,k} = r_{i,k} - \sum_{c \in k} c.amount + \sum_{c : c.tokens = k} c.amount

    where :math:`A^E` normalises the episodes' returns within the group, k is the turn of token t,
    and s are the spans within turns that credits name (calls that earned nothing are named with an
    amount of 0, see ``agents.turn_credits``). x is normalised over the spans in the group's turns
    of the same number, y over those turns themselves: it is what their rewards leave over, with
    what credits give to whole turns. A part that a later turn pays counts where it was earned.
    Without :math:`A^E` an answer without calls would be compared with nothing. Ours, after MatchTIR
    (arXiv 2601.10712), which adds the advantage of a turn's calls to that of the trajectory.

    Args:
        groups: The batch.
        weight: :math:`\omega`, at least 0.
        normalise: From values [N] to advantages [N].
    """
    if weight < 0:
        raise ValueError(f"weight={weight!r}; it must be at least 0")
    return [_of_group(group, weight, normalise) for group in groups]


def _of_group(group: Group, weight: float, normalise: Normalise) -> list[Array]:
    episodes = group.scored
    if not episodes:
        return []
    whole, left = normalise(group.rewards), [_turn_amounts(episode) for episode in episodes]
    named = [_span_amounts(episode) for episode in episodes]
    tokens = [by_turn(e, [a] * len(e.turns)) for e, a in zip(episodes, whole, strict=True)]
    for number in range(max(len(episode.turns) for episode in episodes)):
        there = [
            (index, episode.turns[number].tokens)
            for index, episode in enumerate(episodes)
            if number < len(episode.turns) and not episode.turns[number].masked
        ]
        rest = [(index, turn, left[index][number]) for index, turn in there]
        parts = [
            (index, span, amount)
            for index, turn in there
            for span, amount in named[index].items()
            if turn[0] <= span[0] and span[1] <= turn[1]
        ]
        for pool in (rest, parts):
            if pool:
                values = normalise(np.array([amount for _, _, amount in pool]))
                for (index, span, _), value in zip(pool, values, strict=True):
                    tokens[index][slice(*span)] += weight * value
    return tokens


def _span_amounts(episode: Episode) -> dict[Span, float]:
    """Return what each span within a turn earned, over all turns' rewards."""
    whole = {turn.tokens for turn in episode.turns}
    amounts: dict[Span, float] = {}
    for turn in episode.turns:
        for credit in turn.credits:
            if credit.tokens not in whole and credit.tokens[0] < credit.tokens[1]:
                amounts[credit.tokens] = amounts.get(credit.tokens, 0.0) + credit.amount
    return amounts


def _turn_amounts(episode: Episode) -> Array:
    """Return what each turn earned as a whole [K]."""
    place = {turn.tokens: number for number, turn in enumerate(episode.turns)}
    amounts = np.array([turn.reward for turn in episode.turns], dtype=np.float64)
    for number, turn in enumerate(episode.turns):
        for credit in turn.credits:
            amounts[number] -= credit.amount
            if credit.tokens in place:
                amounts[place[credit.tokens]] += credit.amount
    return amounts

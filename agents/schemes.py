"""The credit schemes by name, for trainers' settings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agents.credit import (
    Array,
    Normalise,
    TokenAdvantages,
    gigpo,
    mt_grpo,
    outcome,
    trained_tokens,
    turn_returns,
)
from agents.episode import Group
from agents.span_credit import span_credit
from toolrl_env.core.errors import UnknownName

__all__ = ["CREDITS", "TRUNCATED", "assign_credit"]

CREDITS = ("outcome", "turns", "mt_grpo", "gigpo", "span")
"""The choices of ``agents.grpo``'s ``--credit``."""
TRUNCATED = ("keep", "mask")
"""What may be done with episodes that a limit cut."""


def assign_credit(
    name: str,
    groups: Sequence[Group],
    advantages: Sequence[Array],
    *,
    normalise: Normalise,
    gamma: float,
    weight: float,
    keep_truncated: bool,
) -> TokenAdvantages:
    """Return an advantage for each token of each scored episode.

    Truncated episodes have a reward, so they are part of every baseline, masked or not.

    Args:
        name: One of ``CREDITS``.
        groups: The batch.
        advantages: For ``"outcome"``: of each group's scored episodes [G].
        normalise: For ``"mt_grpo"``, ``"gigpo"`` and ``"span"``: from values to advantages.
        gamma: For ``"turns"`` and ``"gigpo"``: discount per turn.
        weight: For ``"mt_grpo"`` the outcome's, for ``"gigpo"`` the steps', for ``"span"`` the
            calls'.
        keep_truncated: Whether episodes that a limit cut are trained on.

    Raises:
        UnknownName: There is no such scheme.
    """
    if name == "outcome":
        found = outcome(groups, advantages)
    elif name == "turns":
        found = turn_returns(groups, gamma)
    elif name == "mt_grpo":
        found = mt_grpo(groups, weight, normalise)
    elif name == "gigpo":
        found = gigpo(groups, weight, gamma, normalise)
    elif name == "span":
        found = span_credit(groups, weight, normalise)
    else:
        raise UnknownName("credit", name, CREDITS)
    return [
        [
            np.where(trained_tokens(episode, keep_truncated=keep_truncated), values, 0.0)
            for episode, values in zip(group.scored, rows, strict=True)
        ]
        for group, rows in zip(groups, found, strict=True)
    ]

"""The credit schemes by name, for trainers' settings."""

from __future__ import annotations

from collections.abc import Sequence

from agents.credit import Normalise, TokenAdvantages, gigpo, mt_grpo, turn_returns
from agents.episode import Group
from agents.span_credit import span_credit
from toolrl_env.core.errors import UnknownName

__all__ = ["CREDITS", "TRUNCATED", "assign_credit"]

CREDITS = ("outcome", "turns", "mt_grpo", "gigpo", "span")
"""The choices of ``agents.grpo``'s ``--credit``."""
TRUNCATED = ("keep", "mask")
"""What may be done with episodes that a limit cut."""


def assign_credit(
    name: str, groups: Sequence[Group], *, normalise: Normalise, gamma: float, weight: float
) -> TokenAdvantages:
    """Return an advantage for each token of each scored episode, by a scheme of several turns.

    Args:
        name: One of ``CREDITS`` but ``"outcome"``, which takes advantages of episodes.
        groups: The batch.
        normalise: For ``"mt_grpo"``, ``"gigpo"`` and ``"span"``: from values to advantages.
        gamma: For ``"turns"`` and ``"gigpo"``: discount per turn.
        weight: For ``"mt_grpo"`` the outcome's, for ``"gigpo"`` the steps', for ``"span"`` the
            calls'.

    Raises:
        UnknownName: There is no such scheme.
    """
    if name == "turns":
        return turn_returns(groups, gamma)
    if name == "mt_grpo":
        return mt_grpo(groups, weight, normalise)
    if name == "gigpo":
        return gigpo(groups, weight, gamma, normalise)
    if name == "span":
        return span_credit(groups, weight, normalise)
    raise UnknownName("credit of turns", name, CREDITS[1:])

"""Settings of training on episodes of several turns."""

from __future__ import annotations

import math
from dataclasses import dataclass

from agents.conversation import Limits
from agents.schemes import CREDITS, TRUNCATED
from agents.session import RunConfig
from agents.tree import BRANCH_AT, TreeConfig
from toolrl_env.core.errors import ConfigurationError, UnknownName

__all__ = ["CreditConfig", "RolloutConfig"]


@dataclass(frozen=True)
class RolloutConfig(RunConfig):
    """Settings of how episodes are played.

    Attributes:
        max_new_tokens: Tokens after which an answer is cut.
        max_context: Tokens of a whole episode, its prompt included: it stops where there is no
            room for another answer.
        max_turns: Answers after which an episode stops, whatever the environment allows.
        remember: Tokens of conversations whose keys and values are kept from one turn to the next,
            so that only what is new is read; 0 reads every context anew.
        temperature: Of the policy, in sampling and in the update alike.
    """

    max_new_tokens: int = 128
    max_context: int = 4096
    max_turns: int = 30
    remember: int = 16384
    temperature: float = 1.0

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        super().__post_init__()
        self.require_positive(temperature=self.temperature)
        if self.remember < 0:
            raise ConfigurationError(f"remember={self.remember!r}; it must be at least 0")
        Limits(self.max_new_tokens, self.max_context, self.max_turns)

    @property
    def limits(self) -> Limits:
        """How long answers and episodes may become."""
        return Limits(self.max_new_tokens, self.max_context, self.max_turns)


@dataclass(frozen=True)
class CreditConfig(RunConfig):
    """Settings of who gets the credit in an episode of several turns.

    Attributes:
        credit: "outcome" (every token alike), "turns" (discounted returns, whitened over the
            batch), "mt_grpo", "gigpo" or "span" (single calls); see agents/credit.py.
        credit_weight: Of the outcome in "mt_grpo", of the steps in "gigpo", of the calls in "span".
        gamma: Discount per turn, in "turns" and "gigpo".
        truncated: What happens to episodes that a limit cut: "keep" or "mask" (not trained on).
        branches: Branches of each episode, which begin in the middle of it (see agents/tree.py); 0
            for none.
        branch_at: Where: before a "random" turn, or before "all" turns, but never the first.
    """

    credit: str = "outcome"
    credit_weight: float = 1.0
    gamma: float = 0.95
    truncated: str = "keep"
    branches: int = 0
    branch_at: str = "random"

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        super().__post_init__()
        for kind, value, allowed in (
            ("credit", self.credit, CREDITS),
            ("truncated", self.truncated, TRUNCATED),
            ("branching point", self.branch_at, BRANCH_AT),
        ):
            if value not in allowed:
                raise UnknownName(kind, value, allowed)
        if not 0 <= self.gamma <= 1:
            raise ConfigurationError(f"gamma={self.gamma!r}; a discount is within [0, 1]")
        if not (math.isfinite(self.credit_weight) and self.credit_weight >= 0):
            raise ConfigurationError(f"credit_weight={self.credit_weight!r}; it is at least 0")
        if self.branches < 0:
            raise ConfigurationError(f"branches={self.branches!r}; it must be at least 0")

    @property
    def tree(self) -> TreeConfig | None:
        """How episodes branch, if they do."""
        return TreeConfig(self.branches, self.branch_at) if self.branches else None

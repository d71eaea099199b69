"""The call-level half of a breakdown, worked out when it is looked at."""

from __future__ import annotations

from typing import Any

from toolrl_env.core.types import CallMatch, GroundTruth, PointLoss
from toolrl_env.parsing import get_protocol
from toolrl_env.rewards.gold import ReadyGold, ready_gold
from toolrl_env.rewards.losses import find_losses
from toolrl_env.rewards.matching import Matching, MatchRules, equal_answers, match_calls

__all__ = ["UNSCORABLE", "CallDetail"]

UNSCORABLE = (KeyError, TypeError, AttributeError, RecursionError)
"""What scoring raises where a decoded value is no proper call."""


class CallDetail:
    """Which prediction each gold call was matched to, and what every lost point was lost for.

    Picklable and comparable; nothing is computed before a method is called. For
    ``correctness="exact"`` and ``"f1"`` it explains on the scale of the structured reward.

    Args:
        gold: The gold answer; has calls.
        answer: The decoded predicted calls, or ``None`` if there are none to score, or the text of
            an answer in the paper's protocol.
        rules: How calls are compared.
    """

    __slots__ = ("_answer", "_gold", "_rules")

    def __init__(
        self, gold: GroundTruth, answer: tuple[Any, ...] | str | None, rules: MatchRules
    ) -> None:
        self._gold = gold
        self._answer = answer
        self._rules = rules

    @property
    def values(self) -> tuple[Any, ...] | None:
        """The decoded predicted calls, or ``None`` if there are none to score."""
        if isinstance(self._answer, str):
            return get_protocol("toolrl").parse(self._answer).values
        return self._answer

    def __eq__(self, other: object) -> bool:
        """Two details are equal if they explain the same answer by the same rules."""
        if not isinstance(other, CallDetail):
            return NotImplemented
        return (self._gold, self._rules, self.values) == (other._gold, other._rules, other.values)

    __hash__ = None  # pyright: ignore[reportAssignmentType]  # holds dicts

    def __repr__(self) -> str:
        """Say how much was earned."""
        return f"CallDetail({self.earned:g} of {self.possible:g} points)"

    @property
    def earned(self) -> float:
        """S, the points earned; 0 for a malformed answer."""
        outcome = self._outcome()
        return outcome.earned if outcome is not None else 0.0

    @property
    def possible(self) -> float:
        """S_max, the points of a perfect answer; for coarse granularity 1."""
        return _points_at_stake(ready_gold(self._gold), self._rules)[0]

    def matches(self) -> tuple[CallMatch, ...]:
        """Return one entry per gold call, in gold order."""
        ready = ready_gold(self._gold)
        outcome = self._outcome()
        pairs = outcome.pairs if outcome is not None else [(None, 0.0)] * len(ready.values)
        stakes = _points_at_stake(ready, self._rules)[1]
        return tuple(
            CallMatch(index, partner, score, possible)
            for index, ((partner, score), possible) in enumerate(zip(pairs, stakes, strict=True))
        )

    def losses(self) -> tuple[PointLoss, ...]:
        """Return every reason for which points were lost; empty for a perfect answer."""
        ready = ready_gold(self._gold)
        values, outcome = self.values, self._outcome()
        if values is None:
            return (PointLoss("malformed", 0.0, "there are no calls that can be decoded"),)
        if outcome is None:
            return (PointLoss("malformed", 0.0, "a call lacks its name or its parameters"),)
        if equal_answers(ready.values, values, self._rules):
            return ()
        return tuple(find_losses(ready, values, self._rules, outcome))

    def _outcome(self) -> Matching | None:
        """Match again; ``None`` if the answer cannot be scored."""
        values, rules, ready = self.values, self._rules, ready_gold(self._gold)
        if values is None:
            return None
        possible, stakes = _points_at_stake(ready, rules)
        if equal_answers(ready.values, values, rules):
            return Matching(possible, possible, 1.0, tuple(enumerate(stakes)))
        if rules.granularity == "coarse":
            return Matching(0.0, possible, 0.0, ((None, 0.0),) * len(stakes))
        try:
            return match_calls(ready, values, rules)
        except UNSCORABLE:
            return None


def _points_at_stake(ready: ReadyGold, rules: MatchRules) -> tuple[float, list[float]]:
    """Return S_max and what each gold call can earn of it."""
    number = len(ready.values)
    if rules.granularity == "coarse":
        return 1.0, [1.0 / max(number, 1)] * number
    stakes = [1.0] * number
    if rules.granularity == "fine" and ready.calls is not None:
        stakes = [1.0 if call.possible is None else call.possible for call in ready.calls]
    return 1.0 + sum(stakes), stakes

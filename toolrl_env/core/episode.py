"""What an episode's rewards are computed from, and where a reward points back to.

The multi-turn environment writes these records; ``toolrl_env.rewards.episode`` reads them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.types import (
    GroundTruth,
    ParsedAction,
    Span,
    StopReason,
    ToolCall,
    ToolResult,
)

__all__ = ["CreditSpan", "EpisodeRecord", "TurnRecord"]


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """One turn of the model: what it wrote and what that did.

    Attributes:
        action: The answer, read; spans are relative to its text.
        results: One result per call; ``()`` if nobody checked or ran them.
        writes: Per call, whether its tool may change the state (false if the tool is unknown);
            ``()`` if nobody said.
        progress_before: Truth of each goal predicate before the turn; ``()`` without a goal.
        progress_after: The same after the turn, and after the user's reply if there was one.
        gold: The gold answer of this very turn where the source has one (recorded dialogues).
        masked: Whether something of ours failed in this turn, so that it must not be trained on.

    Raises:
        ConfigurationError: The lengths contradict each other.
    """

    action: ParsedAction
    results: tuple[ToolResult, ...] = ()
    writes: tuple[bool, ...] = ()
    progress_before: tuple[bool, ...] = ()
    progress_after: tuple[bool, ...] = ()
    gold: GroundTruth | None = None
    masked: bool = False

    def __post_init__(self) -> None:
        """Refuse records that cannot be scored; a masked turn may be incomplete."""
        if self.masked:
            return
        calls = len(self.action.calls)
        for name, given in (("results", len(self.results)), ("writes", len(self.writes))):
            if given not in (0, calls):
                raise ConfigurationError(
                    f"a turn of {calls} calls has {given} {name}; it must be one per call, or none"
                )
        if len(self.progress_before) != len(self.progress_after):
            raise ConfigurationError(
                f"a turn has {len(self.progress_before)} goal predicates before and "
                f"{len(self.progress_after)} after; they must be the same ones"
            )


@dataclass(frozen=True, slots=True)
class EpisodeRecord:
    """An episode up to and including the turn that is being scored.

    Attributes:
        turns: The turns so far, at least one; the last one is the one being scored.
        gold_turns: The proven gold trajectory, if any: batches of calls, and responses.
        stop_reason: Why the episode ended with the last turn; ``None`` if it goes on.
        outcome: The source's own judgement of the end, in ``[0, 1]`` (e.g. the answer's quality);
            ``None`` if the source does not judge or the episode goes on.

    Raises:
        ConfigurationError: There is no turn, or ``outcome`` is out of range or premature.
    """

    turns: tuple[TurnRecord, ...]
    gold_turns: tuple[tuple[ToolCall, ...] | str, ...] = ()
    stop_reason: StopReason | None = None
    outcome: float | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if not self.turns:
            raise ConfigurationError("an episode record needs at least one turn")
        if self.outcome is None:
            return
        if not (math.isfinite(self.outcome) and 0.0 <= self.outcome <= 1.0):
            raise ConfigurationError(f"outcome={self.outcome!r}; it must be within [0, 1]")
        if self.stop_reason is None:
            raise ConfigurationError(
                f"outcome={self.outcome!r} although the episode goes on; judge it at its end"
            )

    @property
    def ended(self) -> bool:
        """Whether the episode is over for a reason of its own: not for a failure of ours."""
        return self.stop_reason not in (None, StopReason.INFRASTRUCTURE)

    @property
    def masked(self) -> bool:
        """Whether the last turn must not be trained on."""
        return self.turns[-1].masked or self.stop_reason is StopReason.INFRASTRUCTURE

    @property
    def gold_calls(self) -> tuple[ToolCall, ...]:
        """The calls of the gold trajectory, in order."""
        return tuple(call for turn in self.gold_turns if not isinstance(turn, str) for call in turn)

    def prefixes(self) -> Iterator[EpisodeRecord]:
        """Yield the record as it stood at each turn, the last one being the whole."""
        for end in range(1, len(self.turns)):
            yield EpisodeRecord(self.turns[:end], self.gold_turns)
        yield self


@dataclass(frozen=True, slots=True)
class CreditSpan:
    """A part of a reward, and the text that earned it.

    Attributes:
        term: Name of the reward term.
        turn: Index of the turn in the episode.
        call: Index of the call in that turn; ``None`` if the turn earned it as a whole.
        span: Character range in that turn's action text; empty only if the text is.
        amount: The part, after the term's weight: over all credits of a turn's reward the amounts
            add up to the reward.
    """

    term: str
    turn: int
    call: int | None
    span: Span
    amount: float

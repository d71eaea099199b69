"""Penalties: for turns, calls, repeated identical calls and invalid calls. All ours."""

from __future__ import annotations

from toolrl_env.core.episode import EpisodeRecord
from toolrl_env.core.types import ParseStatus, TermScore
from toolrl_env.rewards.episode.calls import refused_calls, repeated_calls
from toolrl_env.rewards.episode.result import Share, TermResult, share_of_turn

__all__ = ["MAX_CALLS", "MAX_PER_TURN", "calls", "invalid", "repeats", "turns"]

MAX_PER_TURN = 10
"""Repeated or invalid calls beyond this number in one turn cost no more."""
MAX_CALLS = 100
"""Calls beyond this number in one turn cost no more as such."""

_UNREADABLE = (ParseStatus.MALFORMED, ParseStatus.EMPTY, ParseStatus.TOO_LONG)


def turns(record: EpisodeRecord) -> TermResult:
    """-1 for every turn. Range ``[-1, 0]``; credit goes to the turn as a whole.

    Keep ``weight * turns`` well below the reward for success: otherwise it pays to give up early.

    >>> from toolrl_env.core.episode import TurnRecord
    >>> from toolrl_env.parsing import get_protocol
    >>> turns(EpisodeRecord((TurnRecord(get_protocol("toolrl").parse("Hello")),))).term.score
    -1.0
    """
    term = TermScore("turns", -1.0, -1.0, 0.0, 1.0, "every turn costs")
    return TermResult(term, share_of_turn(record, -1.0))


def calls(record: EpisodeRecord) -> TermResult:
    """-1 for every call of the turn. Range ``[-MAX_CALLS, 0]``; credit goes to the calls.

    Without it a penalty of turns alone favours calling every tool at once over looking first.

    >>> from toolrl_env.core.episode import TurnRecord
    >>> from toolrl_env.core.types import ToolCall
    >>> from toolrl_env.parsing import get_protocol
    >>> protocol = get_protocol("toolrl")
    >>> two = protocol.parse(protocol.render([ToolCall("look", {"x": x}) for x in (1, 2)]))
    >>> calls(EpisodeRecord((TurnRecord(two),))).term.score
    -2.0
    """
    made = list(range(len(record.turns[-1].action.calls)))
    return _per_call(record, "calls", made, "calls", MAX_CALLS)


def repeats(record: EpisodeRecord) -> TermResult:
    """-1 for every call of the turn that only repeats an earlier one; see ``repeated_calls``.

    Range ``[-MAX_PER_TURN, 0]``; credit goes to the repeating calls.

    Exploitable: a call that changes an argument without changing its meaning (``1.0`` for ``1``, a
    space in a text) is another call.

    Raises:
        ConfigurationError: There are calls without results.

    >>> from toolrl_env.core.episode import TurnRecord
    >>> from toolrl_env.core.types import ToolCall, ToolResult
    >>> from toolrl_env.parsing import get_protocol
    >>> protocol = get_protocol("toolrl")
    >>> twice = protocol.parse(protocol.render([ToolCall("look", {"x": 1})] * 2))
    >>> ran = tuple(ToolResult(i, ok=True, executed=True) for i in range(2))
    >>> repeats(EpisodeRecord((TurnRecord(twice, ran),))).term.score
    -1.0
    """
    found = repeated_calls(record)
    return _per_call(record, "repeats", found, "calls repeat an earlier one")


def invalid(record: EpisodeRecord) -> TermResult:
    """-1 for every call of the turn that could not be run; -1 for an answer that cannot be read.

    A call cannot be run if it cannot be decoded, names no tool on offer or breaks its schema. A
    tool that ran and failed does not count: transient failures are not the model's fault. An answer
    that is empty, too long or malformed, without a single call in it, counts as one.

    Range ``[-MAX_PER_TURN, 0]``; credit goes to the invalid calls.

    Raises:
        ConfigurationError: There are calls without results.

    >>> from toolrl_env.core.episode import TurnRecord
    >>> from toolrl_env.parsing import get_protocol
    >>> invalid(EpisodeRecord((TurnRecord(get_protocol("toolrl").parse("  ")),))).term
    TermScore(name='invalid', score=-1.0, low=-10.0, high=0.0, weight=1.0, reason='cannot be read')
    """
    turn = record.turns[-1]
    if not turn.action.calls and turn.action.status in _UNREADABLE:
        term = TermScore("invalid", -1.0, -float(MAX_PER_TURN), 0.0, 1.0, "cannot be read")
        return TermResult(term, share_of_turn(record, -1.0))
    return _per_call(record, "invalid", refused_calls(turn), "calls could not be run")


def _per_call(
    record: EpisodeRecord, name: str, found: list[int], what: str, limit: int = MAX_PER_TURN
) -> TermResult:
    """Charge 1 per call, up to the limit, which they then share."""
    charge = float(min(len(found), limit))
    reason = f"{len(found)} {what}" if found else ""
    term = TermScore(name, 0.0 - charge, -float(limit), 0.0, 1.0, reason)
    last = len(record.turns) - 1
    return TermResult(term, tuple(Share(last, call, -charge / len(found)) for call in found))

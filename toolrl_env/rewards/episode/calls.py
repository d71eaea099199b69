"""Looking at the calls of an episode: identical ones, failed ones, refused ones."""

from __future__ import annotations

import json
from typing import Any

from toolrl_env.core.episode import EpisodeRecord, TurnRecord
from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.types import ParseStatus

__all__ = ["call_key", "check_results", "count_failures", "refused_calls", "repeated_calls"]

_encode = json.JSONEncoder(sort_keys=True).encode


def check_results(turn: TurnRecord, term: str) -> None:
    """Make sure that somebody checked or ran a turn's calls.

    Raises:
        ConfigurationError: There are readable calls but no results.
    """
    if turn.action.status is ParseStatus.CALLS and turn.action.calls and not turn.results:
        if turn.masked:
            return
        raise ConfigurationError(
            f"the reward term {term!r} needs one result per call, got none for "
            f"{len(turn.action.calls)} calls; validate or run them first"
        )


def call_key(name: str | None, arguments: Any) -> str:
    """Return a text that is equal for identical calls; the order of arguments does not count."""
    try:
        return _encode([name, arguments])
    except (TypeError, ValueError, RecursionError):
        return repr((name, arguments))


def count_failures(record: EpisodeRecord) -> tuple[int, int]:
    """Count the calls that failed for good, and all calls, of the turns that are not masked."""
    failed = total = 0
    good: set[str] = set()
    for turn in reversed(record.turns):
        if turn.masked:
            continue
        check_results(turn, "state_execution")
        for index in reversed(range(len(turn.action.calls))):
            call = turn.action.calls[index]
            key = call_key(call.name, call.arguments)
            total += 1
            if turn.results and turn.results[index].ok:
                good.add(key)
            elif key not in good:
                failed += 1
    return failed, total


def refused_calls(turn: TurnRecord) -> list[int]:
    """Return the indices of the calls that were not run: unreadable, unknown or against a schema.

    Raises:
        ConfigurationError: Nobody checked the calls.
    """
    check_results(turn, "invalid")
    if not turn.results:
        return list(range(len(turn.action.calls)))
    return [i for i, result in enumerate(turn.results) if not (result.ok or result.executed)]


def repeated_calls(record: EpisodeRecord) -> list[int]:
    """Return the indices of the last turn's calls that only repeat an earlier one.

    The earlier call has the same name and arguments, succeeded, and no other call that writes has
    succeeded since. So reading again after a change is no repetition, nor is trying again what
    failed; writing the same twice in a row is one. Masked turns do not count.

    Raises:
        ConfigurationError: Nobody checked the calls.
    """
    last = record.turns[-1]
    names = {call.name for call in last.action.calls}
    seen: dict[str, int] = {}  # call -> number of writes up to and including it
    writes, repeated = 0, list[int]()
    for turn in record.turns:
        if turn.masked:
            continue
        check_results(turn, "repeats")
        for index, call in enumerate(turn.action.calls):
            key = call_key(call.name, call.arguments) if call.name in names else ""
            if turn is last and seen.get(key) == writes:
                repeated.append(index)
            if turn.results and turn.results[index].ok:
                writes += bool(turn.writes and turn.writes[index])
                if key:
                    seen[key] = writes
    return repeated

"""Terms about the goal predicates on the way: state x execution, potential-based shaping."""

from __future__ import annotations

from collections.abc import Sequence

from toolrl_env.core.episode import EpisodeRecord
from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.types import TermScore
from toolrl_env.rewards.episode.calls import count_failures
from toolrl_env.rewards.episode.result import (
    Share,
    TermResult,
    effective_writes,
    share_by_progress,
    share_of_turn,
)

__all__ = ["potential", "shaping", "state_execution"]


def state_execution(record: EpisodeRecord) -> TermResult:
    """State x execution, paid with the last turn. Range ``[0, 1]``.

    After the idea of Environment Tuning (arXiv 2510.10197): progress counts as far as the state is
    right *and* the calls that led there ran. Our formula, over the turns that are not masked::

        R = max(0, gain) / (1 - share(s_0)) * (1 - failed / calls)

    ``gain`` is the net share of goal predicates made true, ``share(s_0)`` the share true at the
    start (if all were, the first factor is 1 if all are still true and else 0), ``failed`` the
    calls that were refused or failed and that the same call did not make good later (so a
    transient failure costs nothing). No calls: the second factor is 1. It is paid once, at the
    end: paid turn by turn, a model could undo a step in a turn with a failing call and redo it in
    a clean one, at a profit each time.

    Credit goes to the turns and calls that made predicates true.

    Exploitable: harmless calls that succeed dilute a failure. One failure in two calls leaves 0.5,
    with eight more reads 0.9; never more than the 1 of a trajectory without failures.
    """
    start, end = record.turns[0].progress_before, record.turns[-1].progress_after
    first = 0.0 if record.masked else potential(start)
    if not record.ended:
        return TermResult(TermScore("state_execution", 0.0, 0.0, 1.0, 1.0, "the episode goes on"))
    if first < 1.0:
        turns = [turn for turn in record.turns if not turn.masked]
        gained = sum(sum(turn.progress_after) - sum(turn.progress_before) for turn in turns)
        state = min(max(0.0, gained / len(start) / (1.0 - first)), 1.0)
    else:
        state = float(all(end))
    failed, calls = count_failures(record)
    score = state * (1.0 - failed / calls if calls else 1.0)
    reason = "" if score == 1.0 else f"progress {state:.3g}, {failed} of {calls} calls failed"
    term = TermScore("state_execution", score, 0.0, 1.0, 1.0, reason)
    return TermResult(term, share_by_progress(record, score))


def shaping(record: EpisodeRecord, gamma: float = 1.0) -> TermResult:
    """Potential-based shaping: F = gamma * phi(s') - phi(s), phi(terminal) = 0.

    phi is the share of goal predicates that are true. Source: Ng, Harada and Russell, "Policy
    invariance under reward transformations", ICML 1999: the optimal policies stay the same for a
    trainer that discounts turns by the same ``gamma``. An episode's discounted sum is
    ``-phi(s_0)``, whatever the model does: so it moves rewards in time and changes no ranking of
    whole episodes. Every end counts as terminal, the turn limit too, because trainers of language
    models do not bootstrap there; hence it pays for progress when that is made and takes it all
    back at the end, where ``outcome`` pays. Range ``[-1, gamma]``.

    Credit goes to the turn's writing calls, or to the turn.

    >>> from toolrl_env.core.episode import TurnRecord
    >>> from toolrl_env.parsing import get_protocol
    >>> action = get_protocol("toolrl").parse("<think> x </think>")
    >>> turn = TurnRecord(action, progress_before=(True, False), progress_after=(True, True))
    >>> shaping(EpisodeRecord((turn,)), gamma=0.9).term.score
    0.4
    """
    turn = record.turns[-1]
    before = 0.0 if record.masked else potential(turn.progress_before)
    after = 0.0 if record.ended or record.masked else potential(turn.progress_after)
    score = gamma * after - before
    term = TermScore("shaping", score, -1.0, gamma, 1.0, "" if score > 0.0 else "no progress")
    writers = effective_writes(turn) if after != before and not record.ended else []
    if not writers or not score:
        return TermResult(term, share_of_turn(record, score))
    last = len(record.turns) - 1
    return TermResult(term, tuple(Share(last, call, score / len(writers)) for call in writers))


def potential(progress: Sequence[bool]) -> float:
    """Return the share of goal predicates that are true, in ``[0, 1]``.

    Raises:
        ConfigurationError: There are none.
    """
    if not progress:
        raise ConfigurationError(
            "the reward terms 'shaping' and 'state_execution' need goal predicates; this source "
            "has none"
        )
    return sum(progress) / len(progress)

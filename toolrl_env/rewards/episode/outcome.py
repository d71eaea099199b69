"""Terms about how an episode ended: outcome and answer quality."""

from __future__ import annotations

from toolrl_env.core.episode import EpisodeRecord
from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.types import StopReason, TermScore
from toolrl_env.rewards.episode.result import (
    Share,
    TermResult,
    response_span,
    share_by_progress,
)

__all__ = ["answer_quality", "outcome"]

_GOES_ON = "the episode goes on"
_FINISHED = (StopReason.ANSWERED, StopReason.GOAL_REACHED, StopReason.GAVE_UP)


def outcome(record: EpisodeRecord) -> TermResult:
    r"""Success at the end: 1 or 0, paid with the last turn.

    R = 1 if the episode was finished (not cut at the turn limit, not ended by unreadable text) and
    the source's own judgement is 1 or, where it has none, every goal predicate is true; else 0.
    Range ``[0, 1]``. What the model says about its success does not count.

    Credit goes to the turns and calls that made predicates true, whoever judged the end; where
    there is no predicate, to the response that the source judged.

    Raises:
        ConfigurationError: At the end there is neither a judgement nor a goal.

    >>> from toolrl_env.core.episode import TurnRecord
    >>> from toolrl_env.parsing import get_protocol
    >>> done = get_protocol("toolrl").parse("<think> x </think>\n<response> Done. </response>")
    >>> turn = TurnRecord(done, progress_before=(True, False), progress_after=(True, False))
    >>> result = outcome(EpisodeRecord((turn,), stop_reason=StopReason.ANSWERED))
    >>> result.term.score, result.term.reason
    (0.0, '1 of 2 goal predicates hold')
    """
    score, reason = 0.0, _GOES_ON
    shares: tuple[Share, ...] = ()
    if record.ended:
        progress = record.turns[-1].progress_after
        if record.outcome is None and not progress:
            raise ConfigurationError(
                "the reward term 'outcome' needs goal predicates, or an outcome judged by the "
                "source; this source gives neither"
            )
        if record.stop_reason not in _FINISHED:
            reason = f"the episode was not finished: {record.stop_reason}"
        elif record.outcome is not None:
            reason = "" if record.outcome >= 1.0 else f"the end was judged {record.outcome:g}"
        else:
            missing = not all(progress)
            reason = f"{sum(progress)} of {len(progress)} goal predicates hold" if missing else ""
        if not reason:
            score = 1.0
            shares = share_by_progress(record, 1.0) if progress else _share_of_response(record, 1.0)
    return TermResult(TermScore("outcome", score, 0.0, 1.0, 1.0, reason), shares)


def answer_quality(record: EpisodeRecord) -> TermResult:
    r"""The source's own graded judgement of the end (``record.outcome``), paid with the last turn.

    Range ``[0, 1]``. Credit goes to the response.

    Raises:
        ConfigurationError: The episode has ended and the source has not judged it.

    >>> from toolrl_env.core.episode import TurnRecord
    >>> from toolrl_env.parsing import get_protocol
    >>> said = get_protocol("toolrl").parse("<think> x </think>\n<response> Oslo </response>")
    >>> end = EpisodeRecord((TurnRecord(said),), stop_reason=StopReason.ANSWERED, outcome=0.5)
    >>> answer_quality(end).shares
    (Share(turn=0, call=None, amount=0.5, span=(30, 34)),)
    """
    if not record.ended:
        return TermResult(TermScore("answer_quality", 0.0, 0.0, 1.0, 1.0, _GOES_ON))
    score = record.outcome
    if score is None:
        raise ConfigurationError(
            "the reward term 'answer_quality' needs an outcome judged by the source; this source "
            "does not judge: use 'outcome', 'state_execution' or 'shaping'"
        )
    reason = "" if score >= 1.0 else f"the end was judged {score:g}"
    term = TermScore("answer_quality", score, 0.0, 1.0, 1.0, reason)
    return TermResult(term, _share_of_response(record, score))


def _share_of_response(record: EpisodeRecord, amount: float) -> tuple[Share, ...]:
    span = response_span(record.turns[-1].action)
    return (Share(len(record.turns) - 1, None, amount, span),) if amount else ()

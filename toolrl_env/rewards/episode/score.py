"""A record of an episode to the reward of its last turn, and to the text that earned it."""

from __future__ import annotations

import math
from dataclasses import replace

from toolrl_env.core.episode import CreditSpan, EpisodeRecord
from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.types import BreakdownDetail, RewardBreakdown, Span
from toolrl_env.rewards.episode.config import EpisodeRewardConfig
from toolrl_env.rewards.episode.result import EpisodeTerm, Share, TermResult
from toolrl_env.rewards.episode.turn import blank_terms, score_against_gold

__all__ = ["MASKED", "score_credits", "score_episode", "score_turn"]

MASKED = "masked: something of ours failed in this turn"
"""The reason that every term of a masked turn gives."""
_OUTCOME = EpisodeRewardConfig()


def score_turn(
    record: EpisodeRecord, config: EpisodeRewardConfig = _OUTCOME, step: int = 0
) -> RewardBreakdown:
    r"""Return the reward of the last turn. Summed over the turns it is the episode's return.

    Terms about the whole trajectory pay with its last turn; ``score_credits`` says which turns
    earned it. In a masked turn every term is 0, with bounds of 0 and the reason ``MASKED``; extra
    terms are left out, as one may be what failed. Masked turns before it are in no count.

    Args:
        record: The episode up to and including the turn.
        config: The reward.
        step: The training step, from 0; matters to a scheduled ``config.turn`` only.

    Raises:
        ConfigurationError: The source lacks what a term needs (a goal, gold, results), or an extra
            term broke its contract.
        InfrastructureError: An extra term raised it.

    >>> from toolrl_env.core.episode import TurnRecord
    >>> from toolrl_env.core.types import StopReason
    >>> from toolrl_env.parsing import get_protocol
    >>> action = get_protocol("toolrl").parse("<think> x </think>\n<response> Done. </response>")
    >>> turn = TurnRecord(action, progress_before=(False,), progress_after=(True,))
    >>> record = EpisodeRecord((turn,), stop_reason=StopReason.ANSWERED)
    >>> score_turn(record, EpisodeRewardConfig(turns=0.25)).as_dict()
    {'total': 0.75, 'outcome': 1.0, 'turns': -1.0}
    """
    results, detail = _run(record, config, step)
    terms = tuple(result.term for result in results)
    total = sum(term.score * term.weight for term in terms)
    return RewardBreakdown(float(total), terms, detail)


def score_credits(
    record: EpisodeRecord, config: EpisodeRewardConfig = _OUTCOME, step: int = 0
) -> tuple[CreditSpan, ...]:
    """Return who earned the reward of the last turn: each part with its turn, call and characters.

    The amounts of a term add up to its score times its weight, so all of them to the total, up to
    rounding. A masked turn has none. Arguments and errors as for ``score_turn``.
    """
    results, _ = _run(record, config, step)
    return tuple(
        CreditSpan(
            result.term.name,
            share.turn,
            share.call,
            _span(record, share),
            share.amount * result.term.weight,
        )
        for result in results
        for share in result.shares
    )


def score_episode(
    record: EpisodeRecord, config: EpisodeRewardConfig = _OUTCOME, step: int = 0
) -> tuple[RewardBreakdown, ...]:
    """Return the reward of every turn of a recorded episode, as ``score_turn`` gave it then."""
    return tuple(score_turn(prefix, config, step) for prefix in record.prefixes())


def _run(
    record: EpisodeRecord, config: EpisodeRewardConfig, step: int
) -> tuple[list[TermResult], BreakdownDetail | None]:
    """Run every term on the record, weighted; in a masked turn all of ours come to nothing."""
    results: list[TermResult] = []
    detail = None
    if config.turn is not None and record.masked:
        results.extend(map(TermResult, blank_terms(config.turn, config.turn_weight)))
    elif config.turn is not None:
        found, detail = score_against_gold(record, config.turn, config.turn_weight, step)
        results.extend(found)
    for weight, term in config.terms:
        if record.masked and term in config.extra_terms:
            continue
        result = _checked(term, record) if term in config.extra_terms else term(record)
        if weight != 1.0:
            weighted = replace(result.term, weight=result.term.weight * weight)
            result = TermResult(weighted, result.shares)
        results.append(result)
    if len({result.term.name for result in results}) < len(results):
        names = ", ".join(result.term.name for result in results)
        raise ConfigurationError(f"two reward terms have one name; the names are: {names}")
    if record.masked:
        results = [
            TermResult(replace(result.term, score=0.0, low=0.0, high=0.0, reason=MASKED))
            for result in results
        ]
    return results, detail


def _checked(term: EpisodeTerm, record: EpisodeRecord) -> TermResult:
    """Run a term that is not ours and check what it returns."""
    result = term(record)
    if not isinstance(result, TermResult):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(
            f"the reward term {term!r} returned {result!r:.200}, no TermResult"
        )
    score, shared = result.term.score, sum(share.amount for share in result.shares)
    if not math.isfinite(score * result.term.weight):
        raise ConfigurationError(f"the reward term {result.term.name!r} returned {score!r}")
    if not math.isclose(score, shared, rel_tol=1e-9, abs_tol=1e-9):
        raise ConfigurationError(
            f"the reward term {result.term.name!r} scored {score!r}, but its shares add up to "
            f"{shared!r}"
        )
    return result


def _span(record: EpisodeRecord, share: Share) -> Span:
    action = record.turns[share.turn].action
    if share.span is not None:
        return share.span
    start, end = (0, 0) if share.call is None else action.calls[share.call].span
    return (start, end) if start < end else (0, len(action.text))  # an empty call has no characters

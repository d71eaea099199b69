"""The structured reward of ToolRL for the last turn, against that turn's own gold answer."""

from __future__ import annotations

from dataclasses import replace

from toolrl_env.core.episode import EpisodeRecord, TurnRecord
from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.types import BreakdownDetail, RewardBreakdown, TermScore
from toolrl_env.parsing import get_protocol
from toolrl_env.rewards.config import RewardConfig
from toolrl_env.rewards.episode.result import Share, TermResult, share_of_turn
from toolrl_env.rewards.score import score_action

__all__ = ["blank_terms", "score_against_gold"]

_NO_GOLD = "the dialogue has no gold answer for this turn"


def score_against_gold(
    record: EpisodeRecord, config: RewardConfig, weight: float = 1.0, step: int = 0
) -> tuple[tuple[TermResult, ...], BreakdownDetail | None]:
    """Score the last turn as a single-turn answer: format, correctness and the others, each a term.

    Source: arXiv 2504.13958, section 3.3; see ``RewardConfig``. A turn beyond the end of the gold
    dialogue earns nothing. Format and thought are the turn's credit; of the correctness each
    matched call gets the points of its pair, ``(max - min) * points / S_max``, and the turn the
    rest: the minimum and the name score.

    Args:
        record: The episode; its turns must have gold answers.
        config: The single-turn reward.
        weight: Factor of all of its terms.
        step: The training step, for scheduled rewards.

    Returns:
        The terms, and the call-level explanation.

    Raises:
        ConfigurationError: No turn so far has a gold answer.
    """
    turn = record.turns[-1]
    if turn.gold is None:
        if all(each.gold is None for each in record.turns):
            raise ConfigurationError(
                "the ToolRL reward per turn needs a gold answer for each turn; this source has "
                "none: use 'trajectory' or 'step_f1' where it has a gold trajectory"
            )
        return tuple(map(TermResult, blank_terms(config, weight))), None
    protocol = get_protocol(turn.action.protocol)
    scored = score_action(turn.action, turn.gold, protocol, config, step, turn.results)
    results: list[TermResult] = []
    for term in scored.terms:
        shares = share_of_turn(record, term.score)
        if term.name == "correctness" and turn.gold.has_call:
            shares = _by_call(record, turn, scored, term, config, step)
        results.append(TermResult(replace(term, weight=term.weight * weight), shares))
    return tuple(results), scored.detail


def _by_call(
    record: EpisodeRecord,
    turn: TurnRecord,
    scored: RewardBreakdown,
    term: TermScore,
    config: RewardConfig,
    step: int,
) -> tuple[Share, ...]:
    """Share the correctness out over the matched calls; the turn takes what is left."""
    values = turn.action.values
    if config.correctness != "structured" or values is None:
        return share_of_turn(record, term.score)
    plan, last = config.plan(step), len(record.turns) - 1
    possible = 1.0 + sum(match.possible for match in scored.matches)
    point = (plan.best - plan.worst) / possible
    shares = [
        Share(last, match.predicted, point * match.score)
        for match in scored.matches
        if match.predicted is not None and len(values) == len(turn.action.calls)
    ]
    rest = term.score - sum(share.amount for share in shares)
    return (*shares, *share_of_turn(record, rest))


def blank_terms(config: RewardConfig, weight: float) -> list[TermScore]:
    """Return the paper's terms at 0, under their own names."""
    weights = {"correctness": config.correctness_weight}
    if config.format:
        weights = {"format": config.format_weight, **weights}
    if config.length:
        weights["length"] = config.length_weight
    return [TermScore(k, 0.0, 0.0, 0.0, w * weight, _NO_GOLD) for k, w in weights.items()]

"""Terms that compare the whole trajectory's calls with the gold trajectory's."""

from __future__ import annotations

from toolrl_env.core.episode import EpisodeRecord
from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.types import ParsedCall, TermScore, ToolCall
from toolrl_env.rewards.episode.assignment import assign_calls, same_call
from toolrl_env.rewards.episode.result import Share, TermResult, share_of_turn
from toolrl_env.rewards.values import VALUE_COMPARISONS

__all__ = ["step_f1", "trajectory"]


def trajectory(record: EpisodeRecord, unmatched: float = 0.5, values: str = "python") -> TermResult:
    """Optimal matching of all calls to all gold calls, paid with the last turn.

    After MatchTIR (arXiv 2601.10712), which matches the calls of a trajectory to the gold calls,
    pays each matched call its similarity S (``assignment.similarity``) and each other call a
    penalty. There a turn earns the mean over its calls; here, over the turns that are not masked::

        R = (sum of S over matched calls - min(unmatched * U, G)) / G

    with G gold calls and U calls without a partner. Range ``[-1, 1]``; 1 for exactly the gold
    calls, 0 for none. Without gold calls: 1 for no call, else ``-min(unmatched * U, 1)``.

    Credit: each call's own share, S / G or its part of the penalty, whatever the others earned.

    Exploitable: neither the order of the calls nor what came of them counts.

    Args:
        record: The episode; must have a gold trajectory.
        unmatched: Penalty of a call without a partner, at least 0; MatchTIR's code has 0.5 by
            default.
        values: When two values are equal; a key of ``VALUE_COMPARISONS``.

    Raises:
        ConfigurationError: There is no gold trajectory.
    """
    gold = _require_gold(record, "trajectory")
    if not record.ended:
        return TermResult(TermScore("trajectory", 0.0, -1.0, 1.0, 1.0, "the episode goes on"))
    calls, places = _calls(record)
    if not gold and not calls:
        return TermResult(TermScore("trajectory", 1.0, -1.0, 1.0), share_of_turn(record, 1.0))
    size = max(len(gold), 1)
    earned = {
        index: score / size
        for index, score in assign_calls(gold, calls, VALUE_COMPARISONS[values])
        if index is not None
    }
    alone = len(calls) - len(earned)
    charge = min(unmatched / size, 1.0 / alone) if alone else 0.0
    shares = [Share(*place, earned.get(index, -charge)) for index, place in enumerate(places)]
    score = sum(share.amount for share in shares)
    reason = f"{len(earned)} of {len(gold)} gold calls have a partner, {alone} calls have none"
    term = TermScore("trajectory", min(max(score, -1.0), 1.0), -1.0, 1.0, 1.0, reason)
    return TermResult(term, tuple(share for share in shares if share.amount))


def step_f1(record: EpisodeRecord, values: str = "python") -> TermResult:
    """F1 = 2 * solved / (calls + steps), paid with the last turn. Range ``[0, 1]``.

    After FTRL (arXiv 2508.08791), which weighs the steps of a task that the calls solved against
    the number of calls. Ours: the steps are the gold calls; a call solves one that no earlier call
    solved if it has the same name, the same parameters and equal values. Over the turns that are
    not masked. Without gold calls: 1 for no call, else 0.

    Credit: the solving calls share alike; needless calls lower what all of them earn.

    Exploitable: neither the order of the calls nor what came of them counts.

    Raises:
        ConfigurationError: There is no gold trajectory.
    """
    gold = list(_require_gold(record, "step_f1"))
    if not record.ended:
        return TermResult(TermScore("step_f1", 0.0, 0.0, 1.0, 1.0, "the episode goes on"))
    calls, places = _calls(record)
    if not gold:
        score = 0.0 if calls else 1.0
        reason = "no call was needed" if calls else ""
        term = TermScore("step_f1", score, 0.0, 1.0, 1.0, reason)
        return TermResult(term, share_of_turn(record, score))
    equal = VALUE_COMPARISONS[values]
    each, size = 2.0 / (len(calls) + len(gold)), len(gold)
    shares: list[Share] = []
    for call, place in zip(calls, places, strict=True):
        step = next((i for i, mine in enumerate(gold) if same_call(mine, call, equal)), None)
        if step is not None:
            del gold[step]
            shares.append(Share(*place, each))
    score = 2.0 * len(shares) / (len(calls) + size)
    reason = f"{len(calls)} calls solved {len(shares)} of {size} steps" if score < 1.0 else ""
    return TermResult(TermScore("step_f1", score, 0.0, 1.0, 1.0, reason), tuple(shares))


def _require_gold(record: EpisodeRecord, term: str) -> tuple[ToolCall, ...]:
    if not record.gold_turns:
        raise ConfigurationError(
            f"the reward term {term!r} needs a gold trajectory; this source has none"
        )
    return record.gold_calls


def _calls(record: EpisodeRecord) -> tuple[list[ParsedCall], list[tuple[int, int]]]:
    """Return the calls of the turns that are not masked, and ``(turn, call)`` of each."""
    places = [
        (index, call)
        for index, turn in enumerate(record.turns)
        if not turn.masked
        for call in range(len(turn.action.calls))
    ]
    return [record.turns[i].action.calls[j] for i, j in places], places

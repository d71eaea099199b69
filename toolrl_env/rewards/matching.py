"""Predicted calls to gold calls: the points S of the paper's correctness reward.

S = name score + Σ over gold calls of the points of the predicted call matched to it. The name score
is the multiset Jaccard index of the tools' names; a matched pair earns the Jaccard index of the
parameters' names plus 1 for every gold parameter with an equal value (arXiv 2504.13958, section
3.3). S_max = 1 + Σ (1 + number of gold parameters).

Everything a decoded answer can hold may turn up here, so a prediction that is no call raises
``KeyError``, ``TypeError`` or ``AttributeError``, which the correctness term turns into the lowest
score. As in the paper's code a prediction's parameters are looked at only when they are needed, so
a broken call of an unmatched name does no harm beyond the name score.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, cast

from toolrl_env.rewards.gold import GoldCall, ReadyGold
from toolrl_env.rewards.values import VALUE_COMPARISONS

__all__ = [
    "MAX_OPTIMAL_PAIRS",
    "Equal",
    "MatchRules",
    "Matching",
    "assign",
    "equal_answers",
    "equal_calls",
    "match_calls",
]

MAX_OPTIMAL_PAIRS = 100_000
"""Pairs of gold and predicted calls up to which ``matching="optimal"`` is optimal; beyond, greedy.
An answer within 64 KiB has at most about 2,300 calls: only gold of 40 calls and more gets there."""


@dataclass(frozen=True, slots=True)
class MatchRules:
    """How calls are compared; see ``RewardConfig`` for the fields."""

    granularity: Literal["fine", "intermediate", "coarse"] = "fine"
    strict_names: bool = False
    matching: Literal["greedy", "optimal"] = "greedy"
    values: Literal["python", "strict", "tolerant"] = "python"


class Matching(NamedTuple):
    """What a set of predictions earned.

    Attributes:
        earned: S.
        possible: S_max.
        name_score: The share of S that the tools' names earned.
        pairs: For each gold call the index of its prediction (or ``None``) and the pair's points.
    """

    earned: float
    possible: float
    name_score: float
    pairs: Sequence[tuple[int | None, float]]


def equal_answers(gold: tuple[Any, ...], predicted: tuple[Any, ...], rules: MatchRules) -> bool:
    """Whether two lists of calls are equal, order included. Such an answer earns everything."""
    if rules.values == "python":
        return gold == predicted
    equal = VALUE_COMPARISONS[rules.values]
    return len(gold) == len(predicted) and all(
        equal_calls(mine, other, equal) for mine, other in zip(gold, predicted, strict=True)
    )


def equal_calls(gold: Any, predicted: Any, equal: Callable[[Any, Any], bool]) -> bool:
    """Whether two calls are equal; names always exactly, the rest by ``equal``."""
    if not isinstance(gold, dict) or not isinstance(predicted, dict):
        return equal(gold, predicted)
    mine, other = cast("dict[str, Any]", gold), cast("dict[str, Any]", predicted)
    return mine.get("name") == other.get("name") and equal(mine, other)


def match_calls(gold: ReadyGold, predicted: Sequence[Any], rules: MatchRules) -> Matching:
    """Match predictions to gold calls and count the points.

    Raises:
        KeyError, TypeError, AttributeError: A prediction, or a gold call, is no proper call.
    """
    calls = gold.calls
    if calls is None:
        raise TypeError("the gold calls cannot be scored")
    names = [call["name"] for call in predicted]
    name_score = earned = _name_score(gold, names, strict=rules.strict_names)
    if rules.granularity == "intermediate":
        possible = 1.0 + len(calls)
        pairs = assign(calls, predicted, names, _whole_call, rules)
    else:
        possible = gold.possible
        pairs = assign(calls, predicted, names, _keys_and_values, rules)
    if possible is None:
        raise TypeError("the parameters of a gold call cannot be counted")
    for _, score in pairs:
        earned += score
    return Matching(earned, possible, name_score, pairs)


def _name_score(gold: ReadyGold, names: list[Any], *, strict: bool) -> float:
    """Multiset Jaccard index of the names; strict: 1 for equal lists and 0 otherwise."""
    if names == gold.names:
        return 1.0
    if strict:
        return 0.0
    if gold.counts is None:
        raise TypeError("a gold name cannot be hashed")
    left, common = dict(gold.counts), 0
    for name in names:
        if left.get(name):
            left[name] -= 1
            common += 1
    return common / (len(gold.names) + len(names) - common)


Equal = Callable[[Any, Any], bool]
Points = Callable[[GoldCall, Any, Equal | None, bool], float]
"""Points of a pair: ``(gold call, prediction, comparison or None for ==, strict names)``."""
Pairs = list[tuple[int | None, float]]


def _keys_and_values(call: GoldCall, predicted: Any, equal: Equal | None, strict: bool) -> float:
    """Points for the parameters' names and values of a pair of calls of one name."""
    mine, other = call.parameters, predicted["parameters"]
    if mine is None:
        raise TypeError("the gold parameters are no object")
    keys = list(other.keys())
    if keys == call.keys:
        score = 1.0
    elif strict or not keys or not call.keys:
        score = 0.0
    else:
        common = len(mine.keys() & other.keys())
        score = common / (len(mine) + len(keys) - common)
    found = 0  # added last, as in the paper's code: the order shows in the last bit
    for key, value in mine.items():
        if key in other and (other[key] == value if equal is None else equal(value, other[key])):
            found += 1
    return score + found


def _whole_call(call: GoldCall, predicted: Any, equal: Equal | None, strict: bool) -> float:
    """1 point for an equal call and none for any other."""
    del strict
    same = predicted == call.value if equal is None else equal(call.value, predicted)
    return 1.0 if same else 0.0


def assign(
    calls: list[GoldCall],
    predicted: Sequence[Any],
    names: list[Any],
    points: Points,
    rules: MatchRules,
) -> Pairs:
    """Give each gold call a prediction of its name, or none, with the points of the pair."""
    equal = None if rules.values == "python" else VALUE_COMPARISONS[rules.values]
    if rules.matching == "optimal" and len(calls) * len(names) <= MAX_OPTIMAL_PAIRS:
        return _assign_optimally(calls, predicted, names, points, equal, rules.strict_names)
    return _assign_greedily(calls, predicted, names, points, equal, rules.strict_names)


def _assign_greedily(
    calls: list[GoldCall],
    predicted: Sequence[Any],
    names: list[Any],
    points: Points,
    equal: Equal | None,
    strict: bool,
) -> Pairs:
    """Give each gold call, in order, the first best unused prediction of its name.

    A prediction that earns nothing is not used up.
    """
    pairs: Pairs = []
    used: set[int] = set()
    for call in calls:
        best, best_score = None, 0.0
        for index, name in enumerate(names):
            if name == call.name and index not in used:
                score = points(call, predicted[index], equal, strict)
                if score > best_score:
                    best, best_score = index, score
        if best is not None:
            used.add(best)
        pairs.append((best, best_score))
    return pairs


def _assign_optimally(
    calls: list[GoldCall],
    predicted: Sequence[Any],
    names: list[Any],
    points: Points,
    equal: Equal | None,
    strict: bool,
) -> Pairs:
    """Choose the pairs of equal name with the highest sum of points (Hungarian method, scipy)."""
    import numpy as np
    from scipy import optimize  # pyright: ignore[reportMissingTypeStubs]

    solve = cast("Callable[..., tuple[list[int], list[int]]]", optimize.linear_sum_assignment)
    scores = np.zeros((len(calls), len(names)))  # [gold, predicted]
    for row, call in enumerate(calls):
        for column, name in enumerate(names):
            if name == call.name:
                scores[row, column] = points(call, predicted[column], equal, strict)
    pairs: Pairs = [(None, 0.0)] * len(calls)
    for row, column in zip(*solve(scores, maximize=True), strict=True):
        if scores[row, column] > 0:
            pairs[int(row)] = (int(column), float(scores[row, column]))
    return pairs

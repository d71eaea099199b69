"""Correctness rewards that are not the paper's: all or nothing, and F1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from toolrl_env.rewards.gold import GoldCall, ReadyGold
from toolrl_env.rewards.matching import Equal, MatchRules, assign, equal_calls
from toolrl_env.rewards.values import VALUE_COMPARISONS, equal_python

__all__ = ["exact_score", "f1_score"]


def exact_score(gold: ReadyGold, predicted: Sequence[Any], rules: MatchRules) -> float:
    """1 if the calls are exactly the gold calls, in any order, and 0 otherwise.

    Order does not count because parallel calls have none; for the gold order use
    ``granularity="coarse"``.
    """
    if len(gold.values) != len(predicted):
        return 0.0
    equal = VALUE_COMPARISONS[rules.values]
    left = list(predicted)
    for mine in gold.values:
        for index, other in enumerate(left):
            if equal_calls(mine, other, equal):
                del left[index]
                break
        else:
            return 0.0
    return 1.0


def f1_score(gold: ReadyGold, predicted: Sequence[Any], rules: MatchRules) -> float:
    """F1 = 2 · right / (gold + predicted) over items: each call's name and each of its arguments.

    An item is right if it belongs to a matched pair of calls of one name and, for an argument, if
    its value is equal. So extra arguments and extra calls lower it, unlike the paper's S. The pairs
    are found by ``rules.matching``.

    Raises:
        KeyError, TypeError, AttributeError: A call, gold or predicted, is no proper call.
    """
    if gold.calls is None:
        raise TypeError("the gold calls cannot be scored")
    names = [call["name"] for call in predicted]
    items = sum(1 + len(call.keys) for call in gold.calls)
    items += sum(1 + len(call["parameters"].keys()) for call in predicted)
    pairs = assign(gold.calls, predicted, names, _right_items, rules)
    return 2.0 * sum(score for _, score in pairs) / items


def _right_items(call: GoldCall, predicted: Any, equal: Equal | None, strict: bool) -> float:
    """Count the name and the equal arguments of a pair of calls of one name."""
    del strict
    same, given = equal or equal_python, predicted["parameters"]
    return 1.0 + sum(
        key in given and same(value, given[key]) for key, value in (call.parameters or {}).items()
    )

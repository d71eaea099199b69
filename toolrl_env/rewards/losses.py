"""What each lost point of correctness was lost for.

The losses of a decoded answer add up to S_max - S. A Jaccard index that falls short is shared out
evenly among the members of the union that are not common.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from toolrl_env.core.types import PointLoss
from toolrl_env.rewards.gold import GoldCall, ReadyGold
from toolrl_env.rewards.matching import Matching, MatchRules, match_calls
from toolrl_env.rewards.values import VALUE_COMPARISONS, same_but_type

__all__ = ["find_losses"]


def find_losses(
    gold: ReadyGold, predicted: Sequence[Any], rules: MatchRules, matching: Matching
) -> list[PointLoss]:
    """Explain every point between ``matching.earned`` and ``matching.possible``.

    Args:
        gold: The gold calls.
        predicted: The decoded predicted calls, unequal to the gold ones as a whole.
        rules: How they were compared.
        matching: What came out.
    """
    if rules.granularity == "coarse":
        return _coarse(gold, predicted, replace(rules, granularity="fine"))
    calls, intermediate = gold.calls or [], rules.granularity == "intermediate"
    names = [call["name"] for call in predicted]
    shares, extra = _name_shares(gold, names, matching)
    matched = {index for index, _ in matching.pairs}
    free = [index for index in range(len(names)) if index not in matched]
    losses: list[PointLoss] = []
    for index, (call, (partner, _)) in enumerate(zip(calls, matching.pairs, strict=True)):
        share = shares.get(index, 0.0)
        if partner is None:
            partner = next((other for other in free if names[other] == call.name), None)
            if partner is None:
                message = f"no call of {call.name!r:.80}"
                points = share + (1.0 if intermediate else call.possible or 0.0)
                losses.append(PointLoss("name", points, message, gold=index))
                continue
            free.remove(partner)
        if share:
            losses.append(PointLoss("name", share, f"too few of {call.name!r:.80}", gold=index))
        losses.extend(_pair(call, predicted[partner], rules, (index, partner)))
    return [*losses, *extra]


def _name_shares(
    gold: ReadyGold, names: list[Any], matching: Matching
) -> tuple[dict[int, float], list[PointLoss]]:
    """Share out what the name score lacks: to gold calls by index, and to calls too many."""
    lost = 1.0 - matching.name_score
    if not lost:
        return {}, []
    try:
        wanted, offered = Counter(gold.names), Counter(names)
    except TypeError:  # names that cannot be hashed; only strict names get here
        return {}, [PointLoss("name", lost, "the tools' names differ")]
    partners = [index for index, _ in matching.pairs]
    first = sorted(range(len(gold.names)), key=lambda index: partners[index] is None)
    missing = _surplus(gold.names, first, offered)
    matched = set(partners)
    first = sorted(range(len(names)), key=lambda index: index not in matched)
    extra = _surplus(names, first, wanted)
    count = len(missing) + len(extra)
    if not count:
        return {}, [PointLoss("order", lost, "the calls are in another order")]
    share = lost / count
    return dict.fromkeys(missing, share), [
        PointLoss("extra_call", share, f"a call of {names[index]!r:.80} too many", predicted=index)
        for index in extra
    ]


def _surplus(names: Sequence[Any], order: list[int], available: Counter[Any]) -> list[int]:
    """Return the indices, taken in ``order``, of names beyond their ``available`` count."""
    left = available.copy()
    surplus: list[int] = []
    for index in order:
        if left[names[index]] > 0:
            left[names[index]] -= 1
        else:
            surplus.append(index)
    return sorted(surplus)


def _pair(
    call: GoldCall, predicted: Any, rules: MatchRules, indices: tuple[int, int]
) -> list[PointLoss]:
    """Explain what a prediction of the right name lacks."""
    equal = VALUE_COMPARISONS[rules.values]
    if rules.granularity != "intermediate":
        return _differences(call, predicted["parameters"], rules, indices)
    if equal(call.value, predicted):
        return []
    given = predicted.get("parameters")
    found: list[PointLoss] = []
    if call.parameters is not None and isinstance(given, dict):
        found = _differences(call, cast("dict[str, Any]", given), rules, indices)
    return _rescale(found, 1.0, f"the call of {call.name!r:.80} differs", indices)


def _differences(
    call: GoldCall, given: dict[str, Any], rules: MatchRules, indices: tuple[int, int]
) -> list[PointLoss]:
    """Compare parameters: keys missing, keys extra, values that differ."""
    equal = VALUE_COMPARISONS[rules.values]
    mine = call.parameters or {}
    gold, predicted = indices
    missing = [key for key in mine if key not in given]
    extra = [key for key in given if key not in mine]
    wrong = len(missing) + len(extra)
    union = wrong if rules.strict_names else len(mine) + len(extra)
    losses: list[PointLoss] = []
    if not wrong and rules.strict_names and list(given) != call.keys:
        message = f"the arguments of {call.name!r:.80} are in another order"
        losses.append(PointLoss("order", 1.0, message, gold, predicted))
    for key in missing:
        message = f"{call.name!r:.80} lacks the argument {key!r:.80}"
        losses.append(
            PointLoss("missing_key", 1.0 + 1.0 / union, message, gold, predicted, key, mine[key])
        )
    for key in extra:
        message = f"{call.name!r:.80} has no gold argument {key!r:.80}"
        losses.append(
            PointLoss("extra_key", 1.0 / union, message, gold, predicted, key, None, given[key])
        )
    for key, value in mine.items():
        if key not in given or equal(value, given[key]):
            continue
        kind = "type" if same_but_type(value, given[key]) else "value"
        message = f"{key!r:.80} of {call.name!r:.80} is {given[key]!r:.80}, gold is {value!r:.80}"
        losses.append(PointLoss(kind, 1.0, message, gold, predicted, key, value, given[key]))
    return losses


def _coarse(gold: ReadyGold, predicted: Sequence[Any], rules: MatchRules) -> list[PointLoss]:
    """Explain an unequal answer by its fine-grained losses, scaled to the one point at stake."""
    try:
        found = find_losses(gold, predicted, rules, match_calls(gold, predicted, rules))
    except (KeyError, TypeError, AttributeError):
        found = []
    return _rescale(found, 1.0, "the calls are not the gold calls in the gold order", (None, None))


def _rescale(
    losses: list[PointLoss], total: float, otherwise: str, indices: tuple[int | None, int | None]
) -> list[PointLoss]:
    """Scale losses to add up to ``total``; with none to scale, say ``otherwise``."""
    points = sum(loss.points for loss in losses)
    if points <= 0:
        return [PointLoss("order", total, otherwise, *indices)]
    return [replace(loss, points=loss.points * total / points) for loss in losses]

"""The paper's three terms, and two other kinds of correctness, as pure functions.

Exploitable, all kept because the paper's code has them: the correctness term accepts a
``</tool_call>`` that stands before ``<tool_call>``; the text of a response and of a thought is
never judged; needless calls cost at most the name score, so listing a call several times with
different guesses can pay (with k guesses it loses 1 - 1/k points of S and may win 1 point a value);
calls where gold has none cost the format reward only; the length term measures the *last*
``<think>``, wherever it stands, and takes any words.
"""

from __future__ import annotations

from typing import Any, cast

from toolrl_env.core.types import GroundTruth, ParsedAction, ParseStatus, TermScore
from toolrl_env.parsing.layout import THINK_CLOSE, THINK_OPEN
from toolrl_env.rewards.alternatives import exact_score, f1_score
from toolrl_env.rewards.build import new_term
from toolrl_env.rewards.detail import UNSCORABLE
from toolrl_env.rewards.gold import ready_gold
from toolrl_env.rewards.matching import MatchRules, equal_answers, match_calls
from toolrl_env.rewards.plan import Plan, Verdict

__all__ = [
    "alternative_correctness",
    "format_score",
    "judge",
    "length_score",
    "structured_correctness",
]


def format_score(plan: Plan, gold: GroundTruth, *, layout_ok: bool) -> TermScore:
    """R_format: all for the layout that the gold answer asks for, nothing for any other.

    Source: arXiv 2504.13958, section 3.3; range ``[0, 1]`` without a schedule.
    """
    return plan.format_right if layout_ok else plan.format_wrong[gold.has_call, gold.has_response]


def judge(values: tuple[Any, ...] | None, gold: GroundTruth, rules: MatchRules) -> Verdict:
    """Say what decoded calls are worth; it depends neither on the step nor on the scale.

    A list of calls equal to gold's is ``"equal"`` before anything else is looked at.

    Args:
        values: The decoded calls, or ``None`` if there are none or any cannot be decoded.
        gold: The gold answer; has calls.
        rules: How calls are compared.
    """
    if values is None:
        return "undecodable"
    try:
        if equal_answers(gold.values, values, rules):
            return "equal"
        if rules.granularity == "coarse":
            return "unequal"
        earned, possible, _, _ = match_calls(ready_gold(gold), values, rules)
    except UNSCORABLE:
        return "undecodable"
    return earned, possible


def structured_correctness(plan: Plan, verdict: Verdict) -> TermScore:
    """R_correct = (max - min) · S / S_max + min.

    Source: arXiv 2504.13958, section 3.3 (there 6 · S / S_max - 3); S as in ``rewards.matching``.
    Equal calls earn the maximum, unequal ones under coarse granularity, and those that cannot be
    decoded or scored, the minimum.
    """
    term = plan.correctness.get(verdict)
    if term is None:
        earned, possible = cast("tuple[float, float]", verdict)
        score = (plan.best - plan.worst) * earned / possible + plan.worst
        term = plan.remember(verdict, score)
    return term


def alternative_correctness(
    plan: Plan, action: ParsedAction, gold: GroundTruth, kind: str
) -> TermScore:
    """``correctness="exact"`` or ``"f1"``, in ``[0, 1]``. Ours, not the paper's.

    Unlike the paper's it also pays where gold has no calls: 1 for an answer without any.
    """
    if not gold.has_call:
        return plan.correctness["equal" if action.status is ParseStatus.NO_CALLS else "unequal"]
    if action.values is None:
        return plan.correctness["undecodable"]
    try:
        score = (exact_score if kind == "exact" else f1_score)(
            ready_gold(gold), action.values, plan.rules
        )
    except UNSCORABLE:
        return plan.correctness["undecodable"]
    return plan.correctness.get((score, 1.0)) or plan.remember((score, 1.0), score)


def length_score(plan: Plan, text: str, *, too_long: bool = False) -> TermScore:
    """R_length: words of the thought over the words asked for, to two decimals, at most 1.

    The thought is what stands between the last ``<think>`` and the first ``</think>`` after it, or
    the end. An answer that was ``too_long`` to be read whole earns nothing.
    """
    if too_long or THINK_OPEN not in text or THINK_CLOSE not in text:
        return plan.length_low
    thought = text[text.rfind(THINK_OPEN) + len(THINK_OPEN) :].partition(THINK_CLOSE)[0]
    score = min(round(len(thought.split()) / plan.length_words, 2), 1.0)
    reason = "" if score == 1.0 else plan.length_reason
    return new_term("length", score, 0.0, 1.0, plan.length_low.weight, reason)

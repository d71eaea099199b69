"""Reward terms: pure functions from a ``TermContext`` to a ``TermScore``, and ways to combine them.

Any callable of that shape is a term. Give your own to ``RewardConfig(extra_terms=(…,))``:

>>> from toolrl_env.rewards import RewardConfig, score_response
>>> def brevity(context):
...     score = 1.0 if len(context.action.text) < 500 else 0.0
...     return TermScore("brevity", score, 0.0, 1.0)
>>> config = RewardConfig(extra_terms=(weighted(brevity, 0.5),))
>>> score_response("<think> a </think>", "<think> b </think>", config).total
1.5
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.types import GroundTruth, ParsedAction, ParseStatus, TermScore, ToolResult
from toolrl_env.parsing import AnswerProtocol

__all__ = ["Term", "TermContext", "run_term", "scheduled", "validation", "weighted"]


@dataclass(frozen=True, slots=True)
class TermContext:
    """All that a term may look at.

    Attributes:
        action: The answer as it was read.
        gold: The gold answer.
        protocol: How the answer was read.
        step: The training step, from 0.
        results: One result per call, from validation or execution; empty where nobody checked.
    """

    action: ParsedAction
    gold: GroundTruth
    protocol: AnswerProtocol
    step: int
    results: tuple[ToolResult, ...]


Term = Callable[[TermContext], TermScore]
"""A reward term. It must be total and say the same ``low`` and ``high`` for every answer."""


def run_term(term: Term, context: TermContext) -> TermScore:
    """Run a term that is not ours and check what it returns.

    Raises:
        ConfigurationError: It returned something else than a ``TermScore`` of finite numbers.
    """
    result = term(context)
    if not isinstance(result, TermScore):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f"the reward term {term!r} returned {result!r:.200}, no TermScore")
    if not math.isfinite(result.score * result.weight):
        raise ConfigurationError(
            f"the reward term {result.name!r} returned score {result.score!r} with weight "
            f"{result.weight!r}; both must be finite"
        )
    return result


def weighted(term: Term, weight: float) -> Term:
    """Return ``term`` with its weight in the total multiplied by ``weight``.

    Raises:
        ConfigurationError: ``weight`` is not finite.
    """
    if not math.isfinite(weight):
        raise ConfigurationError(f"weight={weight!r}; it must be a finite number")
    return scheduled(term, lambda _: weight)


def scheduled(term: Term, factor: Callable[[int], float]) -> Term:
    """Return ``term`` with its weight in the total multiplied by ``factor(step)``.

    >>> fading = scheduled(validation, lambda step: max(0.0, 1 - step / 100))
    """

    def with_factor(context: TermContext) -> TermScore:
        result = run_term(term, context)
        return replace(result, weight=result.weight * factor(context.step))

    return with_factor


def validation(context: TermContext) -> TermScore:
    """Minus the share of calls that break their tool's schema, in ``[-1, 0]``. Ours.

    An answer whose calls cannot be read, or that makes none where the gold answer does, is at -1,
    so that leaving calls out never helps. Where neither makes calls it is 0. It only takes away: an
    answer that is perfect without it stays the best, unless the gold calls themselves break their
    schema, as some rows of the real datasets do.

    Raises:
        ConfigurationError: There are calls but no results: nobody validated them.
    """
    action, results = context.action, context.results
    if action.status is ParseStatus.CALLS and action.calls:
        if len(results) != len(action.calls):
            raise ConfigurationError(
                f"the term 'validation' needs one result per call, got {len(results)} for "
                f"{len(action.calls)} calls; pass results=CallValidator(tools).check(action.calls)"
            )
        wrong = sum(not result.ok for result in results)
        score = -wrong / len(results) if wrong else 0.0
        reason = f"{wrong} of {len(results)} calls break their tool's schema" if wrong else ""
    elif action.status is ParseStatus.NO_CALLS and not context.gold.has_call:
        score, reason = 0.0, ""
    else:
        score, reason = -1.0, "there are no calls that can be validated"
    return TermScore("validation", score, -1.0, 0.0, 1.0, reason)

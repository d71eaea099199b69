"""An answer and a gold answer to a ``RewardBreakdown``."""

from __future__ import annotations

from collections.abc import Sequence

from toolrl_env.core.errors import ConfigurationError, WrongActionType
from toolrl_env.core.types import (
    GroundTruth,
    ParsedAction,
    ParseStatus,
    RewardBreakdown,
    TermScore,
    ToolResult,
)
from toolrl_env.parsing import MAX_CHARS, AnswerProtocol, get_protocol, parse_ground_truth
from toolrl_env.parsing.glance import decode_block, glance
from toolrl_env.rewards.build import new_breakdown
from toolrl_env.rewards.components import (
    alternative_correctness,
    format_score,
    judge,
    length_score,
    structured_correctness,
)
from toolrl_env.rewards.config import RewardConfig
from toolrl_env.rewards.detail import CallDetail
from toolrl_env.rewards.plan import keep_verdict
from toolrl_env.rewards.terms import TermContext, run_term

__all__ = ["score_action", "score_blank", "score_response"]

_TOOLRL = get_protocol("toolrl")
_PAPER = RewardConfig()


def score_response(
    response: str, ground_truth: str, config: RewardConfig = _PAPER, step: int = 0
) -> RewardBreakdown:
    r"""Score an answer in the paper's layout.

    Args:
        response: What the model wrote, anything at all. Beyond 64 Ki characters it is cut and
            scored as malformed.
        ground_truth: The gold answer in the paper's layout.
        config: The reward; by default the paper's.
        step: The training step, from 0; matters to scheduled rewards only.

    Raises:
        InvalidGroundTruth: The gold answer's calls are not JSON.
        WrongActionType: ``response`` is not a string.
        ConfigurationError: ``step`` is negative.

    >>> call = '{"name": "f", "parameters": {"x": 1}}'
    >>> gold = f"<think> a </think>\n<tool_call>\n{call}\n</tool_call>"
    >>> score_response(gold, gold).as_dict()
    {'total': 4.0, 'format': 1.0, 'correctness': 3.0}
    >>> score_response(gold.replace("1", "2"), gold).losses[0].message
    "'x' of 'f' is 2, gold is 1"
    """
    if not isinstance(response, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise WrongActionType(f"response must be a string, not {type(response).__name__}")
    gold = parse_ground_truth(ground_truth)
    if config.extra_terms or config.correctness != "structured" or len(response) > MAX_CHARS:
        return score_action(_TOOLRL.parse(response), gold, _TOOLRL, config, step)
    plan = config.plan(step)
    layout_ok, block = glance(response, gold.has_call, gold.has_response)
    correctness, detail = plan.no_gold_calls, None
    if gold.has_call:
        verdict = plan.verdicts.get((ground_truth, block))
        if verdict is None:
            verdict = judge(None if block is None else decode_block(block), gold, plan.rules)
            keep_verdict(plan.verdicts, ground_truth, block, verdict)
        correctness = structured_correctness(plan, verdict)
        detail = CallDetail(gold, response, plan.rules)
    terms, total = (correctness,), correctness.score * correctness.weight
    if config.format:
        layout = format_score(plan, gold, layout_ok=layout_ok)
        terms, total = (layout, correctness), layout.score * layout.weight + total
    if config.length:
        thought = length_score(plan, response)
        terms, total = (*terms, thought), total + thought.score * thought.weight
    return new_breakdown(total, terms, detail)


def score_action(
    action: ParsedAction,
    gold: GroundTruth,
    protocol: AnswerProtocol,
    config: RewardConfig,
    step: int = 0,
    results: Sequence[ToolResult] = (),
) -> RewardBreakdown:
    """Score an answer that was read already.

    Args:
        action: The answer, as ``protocol.parse`` returned it.
        gold: The gold answer.
        protocol: The protocol of the answer.
        config: The reward.
        step: The training step, from 0.
        results: One result per call, for terms that ask for them (``validation``).

    Raises:
        ConfigurationError: ``step`` is negative, or an extra term broke its contract.
    """
    plan = config.plan(step)
    if config.correctness != "structured":
        correctness = alternative_correctness(plan, action, gold, config.correctness)
    elif gold.has_call:
        correctness = structured_correctness(plan, judge(action.values, gold, plan.rules))
    else:
        correctness = plan.no_gold_calls
    detail = CallDetail(gold, action.values, plan.rules) if gold.has_call else None
    terms, total = (correctness,), correctness.score * correctness.weight
    if config.format:
        layout_ok = protocol.layout_ok(action, gold.has_call, gold.has_response)
        layout = format_score(plan, gold, layout_ok=layout_ok)
        terms, total = (layout, correctness), layout.score * layout.weight + total
    if config.length:
        too_long = action.status is ParseStatus.TOO_LONG
        thought = length_score(plan, action.text, too_long=too_long)
        terms, total = (*terms, thought), total + thought.score * thought.weight
    if config.extra_terms:
        context = TermContext(action, gold, protocol, step, tuple(results))
        for term in config.extra_terms:
            extra = run_term(term, context)
            terms, total = (*terms, extra), total + extra.score * extra.weight
        _check_names(terms)
    return new_breakdown(total, terms, detail)


def _check_names(terms: tuple[TermScore, ...]) -> None:
    if len({term.name for term in terms}) < len(terms):
        names = ", ".join(term.name for term in terms)
        raise ConfigurationError(f"two reward terms have one name; the names are: {names}")


def score_blank(gold: GroundTruth, config: RewardConfig, step: int) -> tuple[TermScore, ...]:
    """Return the terms of an empty answer, for the sake of their ranges."""
    return score_action(_TOOLRL.parse(""), gold, _TOOLRL, config, step).terms

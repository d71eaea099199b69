"""What was wrong with an answer, in one list: for a person and for the model."""

from __future__ import annotations

from toolrl_env.core.types import (
    ActionError,
    ErrorCode,
    ParsedAction,
    RewardBreakdown,
    ToolResult,
)

__all__ = ["action_errors"]


def action_errors(
    parsed: ParsedAction, results: tuple[ToolResult, ...], breakdown: RewardBreakdown
) -> tuple[ActionError, ...]:
    """Collect everything wrong with an answer: its text, else its layout, then its calls.

    Args:
        parsed: The answer, read.
        results: What validating or running its calls gave.
        breakdown: Its reward; a format term below its highest explains a wrong layout.
    """
    errors = [
        ActionError(issue.code, issue.message, issue.message, span=issue.span)
        for issue in parsed.issues
    ]
    if not errors:
        errors = [
            ActionError(ErrorCode.BAD_LAYOUT, term.reason, term.reason)
            for term in breakdown.terms
            if term.name == "format" and term.score < term.high
        ]
    for result in results:
        if not result.ok:
            errors.extend(result.errors)
    return tuple(errors)

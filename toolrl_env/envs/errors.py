"""What was wrong with an answer, in one list: for a person and for the model."""

from __future__ import annotations

from toolrl_env.core.types import (
    ActionError,
    ErrorCode,
    ParsedAction,
    RewardBreakdown,
    ToolResult,
)

__all__ = ["MAX_ERRORS", "action_errors"]

MAX_ERRORS = 64
"""Errors of one answer that ``info["errors"]`` holds; one more says how many were left out."""
_WRONG_LAYOUT = "the answer does not consist of the parts, in the layout, that are asked for here"


def action_errors(
    parsed: ParsedAction, results: tuple[ToolResult, ...], breakdown: RewardBreakdown
) -> tuple[ActionError, ...]:
    """Collect what is wrong with an answer: its text, else its layout, then its calls, bounded."""
    errors = _text_errors(parsed) if parsed.issues else _layout_errors(breakdown)
    left_out = max(0, len(parsed.issues) - len(errors))
    for result in results:
        if result.ok or parsed.calls[result.call].issue is not None:  # said with the text's
            continue
        room = MAX_ERRORS - len(errors)
        errors.extend(result.errors[:room])
        left_out += max(0, len(result.errors) - room)
    if left_out:
        text = f"{left_out} more errors are not listed"
        errors.append(ActionError(errors[-1].code, text, text))
    return tuple(errors)


def _text_errors(parsed: ParsedAction) -> list[ActionError]:
    calls = {id(call.issue): index for index, call in enumerate(parsed.calls)}
    errors: list[ActionError] = []
    for issue in parsed.issues[:MAX_ERRORS]:
        index = calls.get(id(issue))
        where = "" if index is None else f"call {index}: "
        text = where + issue.message
        errors.append(ActionError(issue.code, text, text, index, span=issue.span))
    return errors


def _layout_errors(breakdown: RewardBreakdown) -> list[ActionError]:
    """The format term's reason says what the gold answer consists of: not for the model."""
    return [
        ActionError(ErrorCode.BAD_LAYOUT, term.reason, _WRONG_LAYOUT)
        for term in breakdown.terms
        if term.name == "format" and term.score < term.high
    ]

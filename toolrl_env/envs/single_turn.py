"""One question, one answer, one reward: the setting in which the paper trains."""

from __future__ import annotations

from typing import Any

from toolrl_env.core.types import (
    ActionError,
    ErrorCode,
    ParsedAction,
    ParseStatus,
    RewardBreakdown,
    StopReason,
    ToolResult,
)
from toolrl_env.envs.base import ToolUseEnv
from toolrl_env.envs.prepare import PreparedTask
from toolrl_env.rewards import score_action

__all__ = ["MAX_ERRORS", "SingleTurnEnv"]

MAX_ERRORS = 64
"""Errors of one answer that ``info["errors"]`` holds; one more says how many were left out."""
_WRONG_LAYOUT = "the answer does not consist of the parts, in the layout, that are asked for here"
_MALFORMED = (ParseStatus.MALFORMED, ParseStatus.EMPTY, ParseStatus.TOO_LONG)


class SingleTurnEnv(ToolUseEnv):
    """An episode is one answer. ``step`` always terminates; it never truncates.

    Subclasses choose the tasks; override ``run_calls`` to execute calls instead of validating them.
    """

    def run_calls(self, current: PreparedTask, action: ParsedAction) -> tuple[ToolResult, ...]:
        """Check every call of the answer against the schema of its tool."""
        return current.validator.check(action.calls)

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Score an answer.

        Args:
            action: The model's answer, any string.

        Returns:
            The prompt with the answer appended, the reward, ``True``, ``False``, and ``info`` with
            ``reward`` (flat floats), ``breakdown``, ``errors``, ``results`` and ``stop_reason``.

        Raises:
            WrongActionType: ``action`` is not a string.
            gymnasium.error.ResetNeeded: No episode is running.
        """
        current = self._begin_step(action)
        parsed = self.protocol.parse(action, self.max_chars)
        results = self.run_calls(current, parsed)
        breakdown = score_action(
            parsed,
            current.task.gold,
            self.protocol,
            self.reward_config,
            self._training_step,
            results,
        )
        self._breakdown = breakdown
        self._done = True
        self._observation = current.observation + parsed.text
        info = current.info()
        info["messages"].append({"role": "assistant", "content": parsed.text})
        info["reward"] = breakdown.as_dict()
        info["breakdown"] = breakdown
        info["errors"] = _errors(parsed, results, breakdown)
        info["results"] = results
        malformed = parsed.status in _MALFORMED
        info["stop_reason"] = (StopReason.MALFORMED if malformed else StopReason.ANSWERED).value
        if self.render_mode == "human":
            self.render()
        return self._observation, breakdown.total, True, False, info


def _errors(
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

"""One question, one answer, one reward: the setting in which the paper trains."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from toolrl_env.core.errors import InfrastructureError
from toolrl_env.core.types import (
    ParsedAction,
    ParseStatus,
    RewardBreakdown,
    StopReason,
    ToolResult,
)
from toolrl_env.envs.base import ToolUseEnv
from toolrl_env.envs.errors import action_errors
from toolrl_env.envs.prepare import PreparedTask
from toolrl_env.rewards.episode.score import MASKED
from toolrl_env.rewards.score import score_action, score_blank

__all__ = ["SingleTurnEnv"]

_MALFORMED = (ParseStatus.MALFORMED, ParseStatus.EMPTY, ParseStatus.TOO_LONG)


class SingleTurnEnv(ToolUseEnv):
    """An episode is one answer. ``step`` terminates; it truncates only if something of ours fails.

    Subclasses choose the tasks; override ``run_calls`` to execute calls instead of validating them.
    An ``InfrastructureError`` out of it is no reward of 0: the step is masked.
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
            ``reward`` (flat floats), ``breakdown``, ``errors``, ``results``, ``stop_reason``,
            ``failure_kind`` (a ``FailureKind`` if something of ours failed, else ``None``),
            ``failure`` (the same in words) and ``mask_sample`` (leave this step out of training).
            After such a failure: ``False``, ``True``, and every term 0 with bounds of 0.

        Raises:
            WrongActionType: ``action`` is not a string.
            gymnasium.error.ResetNeeded: No episode is running.
        """
        current = self._begin_step(action)
        parsed = self.protocol.parse(action, self.max_chars)
        failure: InfrastructureError | None = None
        results: tuple[ToolResult, ...] = ()
        try:
            results = self.run_calls(current, parsed)
            breakdown = self._score(current, parsed, results)
        except InfrastructureError as error:
            failure, breakdown = error, self._masked(current)
        self._breakdown = breakdown
        self._done = True
        self._observation = current.observation + parsed.text
        info = current.info()
        info["messages"].append({"role": "assistant", "content": parsed.text})
        info["reward"] = breakdown.as_dict()
        info["breakdown"] = breakdown
        info["errors"] = action_errors(parsed, results, breakdown)
        info["results"] = results
        info["stop_reason"] = _stop_reason(parsed, failure).value
        info["failure_kind"] = None if failure is None else failure.kind.value
        info["failure"] = None if failure is None else str(failure)
        info["mask_sample"] = failure is not None
        if self.render_mode == "human":
            self.render()
        return self._observation, breakdown.total, failure is None, failure is not None, info

    def _score(
        self, current: PreparedTask, parsed: ParsedAction, results: tuple[ToolResult, ...]
    ) -> RewardBreakdown:
        gold, step = current.task.gold, self._training_step
        return score_action(parsed, gold, self.protocol, self.reward_config, step, results)

    def _masked(self, current: PreparedTask) -> RewardBreakdown:
        """Return no reward at all. Extra terms are left out: one may be what failed."""
        config = replace(self.reward_config, extra_terms=())
        terms = score_blank(current.task.gold, config, self._training_step)
        masked = (replace(term, score=0.0, low=0.0, high=0.0, reason=MASKED) for term in terms)
        return RewardBreakdown(0.0, tuple(masked))


def _stop_reason(parsed: ParsedAction, failure: InfrastructureError | None) -> StopReason:
    if failure is not None:
        return StopReason.INFRASTRUCTURE
    return StopReason.MALFORMED if parsed.status in _MALFORMED else StopReason.ANSWERED

"""One question, one answer, one reward: the setting in which the paper trains."""

from __future__ import annotations

from typing import Any

from toolrl_env.core.types import ParsedAction, ParseStatus, StopReason, ToolResult
from toolrl_env.envs.base import ToolUseEnv
from toolrl_env.envs.errors import action_errors
from toolrl_env.envs.prepare import PreparedTask
from toolrl_env.rewards import score_action

__all__ = ["SingleTurnEnv"]

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
        info["errors"] = action_errors(parsed, results, breakdown)
        info["results"] = results
        malformed = parsed.status in _MALFORMED
        info["stop_reason"] = (StopReason.MALFORMED if malformed else StopReason.ANSWERED).value
        if self.render_mode == "human":
            self.render()
        return self._observation, breakdown.total, True, False, info

"""What an episode of verifiers earned, or what of theirs failed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import verifiers.v1 as vf

from agents.integrations.verifiers.sides import Run
from toolrl_env.core.errors import InfrastructureError
from toolrl_env.core.types import FailureKind, StopReason

__all__ = ["Ending"]

_SOLVED = 1.0
_KINDS = {
    "HarnessError": FailureKind.WORKER_KILLED,
    "InterceptionError": FailureKind.SERVER_DOWN,
    "ProviderError": FailureKind.BAD_RESULT,
    "SandboxError": FailureKind.WORKER_KILLED,
    "TimeoutError": FailureKind.TIMEOUT,
    "ToolsetError": FailureKind.SERVER_DOWN,
    "TunnelError": FailureKind.SERVER_DOWN,
}
"""By the type that verifiers gives an error; everything else is code of the task's that raised."""
_NOT_THE_AGENTS = ("setup_timeout", "finalize_timeout", "scoring_timeout")
"""Deadlines that verifiers scores past, though it was not the agent that was late."""


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of an episode.

    Attributes:
        rewards: Each reward, times its weight, of the agents that are to be trained. Of several
            agents, under ``agent/name``.
        metrics: Each metric, named in the same way.
        stop_condition: What stopped the last of them, in verifiers' words.
        truncated: Whether that was a limit: of turns, tokens or time.
    """

    rewards: Mapping[str, float]
    metrics: Mapping[str, float]
    stop_condition: str
    truncated: bool

    @classmethod
    def of(cls, run: Run) -> Ending:
        """Read what came of a task.

        Raises:
            InfrastructureError: Something of theirs failed or was late, or there is no reward.
        """
        for error in (*run.errors, *(e for t in run.traces if not t.ok for e in t.errors)):
            kind = _KINDS.get(error.type, FailureKind.TOOL_CRASHED)
            raise InfrastructureError(f"{error.type}: {error.message}", kind)
        for trace in run.traces:
            _require_sound(trace)
        traces = [trace for trace in run.traces if trace.agent.trainable]
        if not traces:
            raise InfrastructureError("no agent that can be trained took part")
        rewards: dict[str, float] = {}
        metrics: dict[str, float] = {}
        for trace in traces:
            prefix = f"{trace.agent.name}/" if len(traces) > 1 else ""
            for name, reward in trace.rewards.items():
                if reward is None:
                    raise InfrastructureError(f"{name} was not computed")
                if not math.isfinite(reward.value):
                    wrong = f"{name} is {reward.value}, no finite number"
                    raise InfrastructureError(wrong, FailureKind.BAD_RESULT)
                rewards[prefix + name] = rewards.get(prefix + name, 0.0) + reward.value
            metrics.update((prefix + n, m) for n, m in trace.metrics.items() if m is not None)
        if not rewards:
            raise InfrastructureError("no reward was recorded", FailureKind.BAD_RESULT)
        last = traces[-1]
        cut = any(trace.is_truncated or trace.is_timeout for trace in traces)
        return cls(rewards, metrics, last.stop_condition or "", cut)

    @property
    def reward(self) -> float:
        """The sum of the rewards."""
        return float(sum(self.rewards.values()))

    @property
    def is_success(self) -> bool:
        """Whether the reward is 1 or more: what ``vf-validate`` calls solved."""
        return self.reward >= _SOLVED

    @property
    def stop_reason(self) -> StopReason:
        """The same as one of ours."""
        if self.truncated:
            tokens = self.stop_condition.endswith("_tokens")
            return StopReason.CONTEXT_LIMIT if tokens else StopReason.TURN_LIMIT
        return StopReason.GOAL_REACHED if self.is_success else StopReason.ANSWERED

    def as_info(self) -> dict[str, Any]:
        """Return what ``step`` adds to ``info``."""
        return {
            "reward": {**self.rewards, "total": self.reward},
            "metrics": dict(self.metrics),
            "stop_condition": self.stop_condition,
            "stop_reason": self.stop_reason.value,
            "is_success": self.is_success,
        }


def _require_sound(trace: vf.Trace) -> None:
    """Refuse a trace that did not come to an end of its own."""
    if not trace.ok:
        raise InfrastructureError(f"the rollout of {trace.agent.name} was broken off")
    if trace.stop_condition in _NOT_THE_AGENTS:
        late = f"{trace.stop_condition}: verifiers ran out of time, not {trace.agent.name}"
        raise InfrastructureError(late, FailureKind.TIMEOUT)

"""What trainers here want of ``info``: the conversation as messages, the reward by term."""

from __future__ import annotations

import math
from typing import Any

from toolrl_env.core.types import RewardBreakdown, StopReason, TermScore

__all__ = ["Transcript"]


class Transcript:
    """The conversation of one episode with an environment of theirs.

    Their observations are the user's messages, the actions the assistant's.

    Args:
        system: The system message; empty for none.
        task_id: What to call the task.
        observation: The first observation.
    """

    def __init__(self, system: str, task_id: str, observation: str) -> None:
        self._messages = [{"role": "system", "content": system}] if system else []
        self._messages.append({"role": "user", "content": observation})
        self._task_id = task_id

    def info(self) -> dict[str, Any]:
        """Return the part of ``info`` that is there after ``reset``; nothing in it is shared."""
        return {
            "task_id": self._task_id,
            "source": "openenv",
            "category": "",
            "messages": [dict(message) for message in self._messages],
            "tools": [],
        }

    def turn(
        self, action: str, observation: str, reward: float, stop: StopReason | None
    ) -> dict[str, Any]:
        """Add a turn; return the part of ``info`` that is there after ``step``.

        OpenEnv does not tell the range of a reward: ``low`` and ``high`` are ``nan``.
        """
        self._messages.append({"role": "assistant", "content": action})
        self._messages.append({"role": "user", "content": observation})
        term = TermScore("openenv", reward, math.nan, math.nan)
        breakdown = RewardBreakdown(reward, (term,))
        return self.info() | {
            "stop_reason": stop,
            "reward": breakdown.as_dict(),
            "breakdown": breakdown,
        }

"""A small environment of two turns, to test rollouts, credit and trees apart from the real ones.

The user asks for the code of a name. ``[look]`` shows it, ``[<code>]`` ends the episode. Anything
else is told to try again. Every answer costs 0.1; the right code earns 1.
"""

from __future__ import annotations

import copy

import gymnasium as gym

from toolrl_env.core.episode import CreditSpan
from toolrl_env.core.errors import InfrastructureError
from toolrl_env.core.types import RewardBreakdown, StopReason, TermScore
from toolrl_env.spaces import UnicodeText

CODES = ("red", "green", "blue", "pink", "grey", "gold", "lime", "navy")
COST = 0.1


class TwoTurnEnv(gym.Env[str, str]):
    """``fail_at``: number of the answer that breaks, in the tasks that ``fail_every`` divides;
    ``hide`` hides what ``[look]`` finds; ``bad_reset``: number of the reset that breaks.
    """

    def __init__(
        self,
        split="train",
        fail_at=0,
        fail_every=1,
        raises=True,
        hide=False,
        max_turns=4,
        bad_reset=0,
    ):
        self.observation_space = self.action_space = UnicodeText(4000)
        self.split, self.fail_at, self.fail_every, self.raises = split, fail_at, fail_every, raises
        self.hide, self.max_turns, self.bad_reset = hide, max_turns, bad_reset
        self.resets = 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.resets += 1
        if self.resets == self.bad_reset:
            raise InfrastructureError("the server did not start")
        index = (options or {}).get("task_index")
        self.index = int(self.np_random.integers(64)) if index is None else index
        self.code = CODES[self.index % 8]
        self.looked, self.answers = False, []
        self.messages = [{"role": "user", "content": f"code {self.index // 8} ?"}]
        return "?", self._info()

    def step(self, action):
        self.answers.append(action)
        self.messages = [*self.messages, {"role": "assistant", "content": action}]
        stop, failure = None, None
        right = action == f"[{self.code}]"
        if len(self.answers) == self.fail_at and self.index % self.fail_every == 0:
            if self.raises:
                raise InfrastructureError("the tool server is gone")
            stop, failure = StopReason.INFRASTRUCTURE, "the tool server said no"
        elif action in {f"[{code}]" for code in CODES}:
            stop = StopReason.GOAL_REACHED if right else StopReason.ANSWERED
        elif len(self.answers) == self.max_turns:
            stop = StopReason.TURN_LIMIT
        else:
            self.looked = self.looked or action == "[look]"
            shown = ("?" if self.hide else self.code) if action == "[look]" else "no"
            self.messages = [*self.messages, {"role": "user", "content": f"obs {shown}"}]
        self.outcome = float(stop is StopReason.GOAL_REACHED)
        terms = (TermScore("outcome", self.outcome, 0, 1), TermScore("cost", -COST, -COST, 0))
        breakdown = RewardBreakdown(self.outcome - COST, terms)
        info = self._info() | {
            "reward": breakdown.as_dict(),
            "breakdown": breakdown,
            "stop_reason": None if stop is None else stop.value,
            "is_success": stop is StopReason.GOAL_REACHED,
            "mask_sample": stop is StopReason.INFRASTRUCTURE,
            "failure": failure,
        }
        truncated = stop in (StopReason.TURN_LIMIT, StopReason.INFRASTRUCTURE)
        return "?", breakdown.total, stop is not None and not truncated, truncated, info

    def gold_answer(self):
        return f"[{self.code}]" if self.looked else "[look]"

    def state_hash(self):
        return f"{self.index} {self.looked}"

    def credits(self):
        """The outcome is the first look's, if there was one; the cost each answer's own."""
        last = len(self.answers) - 1
        spans = [CreditSpan("cost", last, None, (0, len(self.answers[-1])), -COST)]
        if self.outcome:
            turn = self.answers.index("[look]") if self.looked else last
            inside = (1, len(self.answers[turn]) - 1)
            spans.append(CreditSpan("outcome", turn, 0, inside, 1.0))
        elif len(self.answers[-1]) > 2:
            spans.append(CreditSpan("outcome", last, 0, (1, len(self.answers[-1]) - 1), 0.0))
        return tuple(spans)

    def fork(self, n):
        return [copy.deepcopy(self) for _ in range(n)]

    def _info(self):
        return {
            "messages": [dict(message) for message in self.messages],
            "tools": [],
            "task_id": f"code-{self.index}",
            "task_index": self.index,
        }


TWO_TURNS = "ToolRLTwoTurns-v0"
gym.register(TWO_TURNS, entry_point=TwoTurnEnv)

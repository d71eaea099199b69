"""A task that a model of a million parameters learns by reinforcement within seconds.

The tool-use tasks are too hard for it: at its size GRPO moves them by less than the noise, so they
could not tell one choice from another.
"""

from __future__ import annotations

import random
from typing import Any

import gymnasium as gym

from toolrl_env.core.types import RewardBreakdown, StopReason, TermScore
from toolrl_env.spaces import UnicodeText

__all__ = ["ENV_ID", "WordsEnv"]

ENV_ID = "ToolRLAblation/Words-v0"
_WORDS = (
    "red",
    "green",
    "blue",
    "pink",
    "grey",
    "gold",
    "lime",
    "navy",
    "teal",
    "plum",
    "rust",
    "sand",
)
_TEST_SHARE = 4  # one combination of words in four is held out


class WordsEnv(gym.Env[str, str]):
    """Say the user's words again, in order, in brackets.

    The reward has the parts and the ranges of the tool-use tasks: format in {0, 1} for the
    brackets, correctness in [-3, 3] by the share of places with the right word.

    Args:
        split: "train" or "test"; no combination of words is in both.
        words: Words per task, at least 2.
    """

    def __init__(self, split: str = "train", words: int = 2) -> None:
        self.observation_space = self.action_space = UnicodeText(1000)
        self._split, self._count = split, words
        self._words: tuple[str, ...] = ()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Draw a task; the option ``task_index`` picks one."""
        super().reset(seed=seed)
        index = (options or {}).get("task_index")
        index = int(self.np_random.integers(2**31)) if index is None else index
        rng = random.Random(index)
        self._words = self._draw(rng)
        while self._held_out() != (self._split == "test"):
            self._words = self._draw(rng)
        return " ".join(self._words), self._info()

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Score an answer."""
        framed = action[:1] + action[-1:] == "[]"
        said = action[1:-1].split() if framed else []
        right = sum(one == other for one, other in zip(said, self._words, strict=False))
        share = right / max(len(said), len(self._words))
        terms = (
            TermScore("format", float(framed), 0.0, 1.0),
            TermScore("correctness", 6.0 * share - 3.0, -3.0, 3.0),
        )
        breakdown = RewardBreakdown(sum(term.score for term in terms), terms)
        extra = {"reward": breakdown.as_dict(), "breakdown": breakdown}
        info = self._info() | extra | {"stop_reason": StopReason.ANSWERED}
        return action, breakdown.total, True, False, info

    def gold_answer(self) -> str:
        """Return the answer that scores highest."""
        return f"[ {' '.join(self._words)} ]"

    def _draw(self, rng: random.Random) -> tuple[str, ...]:
        return tuple(rng.choice(_WORDS) for _ in range(self._count))

    def _held_out(self) -> bool:
        places = (_WORDS.index(word) * 12**place for place, word in enumerate(self._words))
        return random.Random(sum(places)).randrange(_TEST_SHARE) == 0

    def _info(self) -> dict[str, Any]:
        messages = [{"role": "user", "content": " ".join(self._words)}]
        return {"messages": messages, "tools": [], "task_id": " ".join(self._words)}


gym.register(ENV_ID, entry_point=WordsEnv)

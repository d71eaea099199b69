"""``ToolRL-BFCL-v0``."""

from __future__ import annotations

from typing import Any

from toolrl_env.data.bfcl import BFCLSource
from toolrl_env.envs.single_turn import SingleTurnEnv
from toolrl_env.envs.vector import ToolVectorEnv

__all__ = ["BFCLEnv", "BFCLVectorEnv"]


class BFCLEnv(SingleTurnEnv):
    """BFCL's single-turn categories, with the official checker's verdict beside our reward.

    ## Description
    Questions with the functions that may answer them, from the package ``bfcl-eval``: one call or
    several, in Python, Java or JavaScript, or none where no function fits.

    ## Observation
    ``UnicodeText``: the system prompt with the functions, and the question; in ``info`` as chat
    ``messages`` and ``tools``.

    ## Action
    ``UnicodeText``: the answer, in the layout of ``protocol``.

    ## Reward
    The single-turn reward against the first of the official possible answers. The official verdict
    is ``info["outcome"]`` (1.0 or 0.0), which also accepts the other possible answers, and the
    reason for a 0 is ``info["outcome_reason"]``.

    ## Episode end
    Terminates after one answer. Never truncates.

    ## Arguments
    - ``category``: a single-turn category of BFCL, or the group ``"non_live"``, ``"live"`` or
      ``"all"``.
    - ``split``: ``"train"``, ``"validation"``, ``"test"`` or ``"all"``. Training on these entries
      contaminates the benchmark: report scores on the test split, or train on other tasks.
    - everything of ``ToolUseEnv``.

    ## References
    Patil et al., *The Berkeley Function Calling Leaderboard*, ICML 2025; package ``bfcl-eval``.

    ## Version history
    - v0: first version.
    """

    tasks: BFCLSource

    def __init__(self, category: str = "all", split: str = "train", **kwargs: Any) -> None:
        super().__init__(BFCLSource(category, split), **kwargs)

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Score an answer, officially too; see ``SingleTurnEnv.step``."""
        observation, reward, terminated, truncated, info = super().step(action)
        outcome = self.tasks.outcome(self.task, self.protocol.parse(action, self.max_chars))
        info["outcome"] = float(outcome.ok)
        info["outcome_reason"] = outcome.reason
        return observation, reward, terminated, truncated, info


class BFCLVectorEnv(ToolVectorEnv):
    """Native vector form of ``BFCLEnv``."""

    env_class = BFCLEnv

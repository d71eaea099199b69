"""``ToolRL-BFCLMultiTurn-v0``."""

from __future__ import annotations

from typing import Any

from toolrl_env.core.episode import TurnRecord
from toolrl_env.core.types import StopReason
from toolrl_env.data.bfcl import BFCLMultiTurnSource
from toolrl_env.envs.multi_turn import MultiTurnEnv
from toolrl_env.envs.vector import ToolVectorEnv

__all__ = ["BFCLMultiTurnEnv", "BFCLMultiTurnVectorEnv"]


class BFCLMultiTurnEnv(MultiTurnEnv):
    """BFCL's multi-turn conversations over its own simulated APIs, really executed.

    ## Description
    A user with a fixed list of requests and stateful APIs (a file system, a car, a travel agency,
    …): the official data and classes of the package ``bfcl-eval``, called without ever evaluating
    the model's text. After each of the user's turns the state and the results are checked against
    gold as the official checker does.

    ## Observation
    ``UnicodeText``: the conversation so far; ``info`` has it as chat ``messages``, and the
    ``tools`` that are on offer now.

    ## Action
    ``UnicodeText``: calls, or a response that ends the model's part of the user's turn.

    ## Reward
    ``episode_reward``; by default 1 at the end if every check of every turn holds, else 0.

    ## Episode end
    Terminates when the user has nothing more to ask, or after more than 20 steps with calls in one
    of the user's turns (failed, as in the official rules: ``gave_up``). Truncates after
    ``max_turns`` answers, when the conversation is longer than an observation may be, and when
    something of ours fails.

    ## Arguments
    - ``category``: ``"base"``, ``"miss_func"``, ``"miss_param"``, ``"long_context"`` or ``"all"``.
    - ``split``: ``"train"``, ``"validation"``, ``"test"`` or ``"all"``. Training on these entries
      contaminates the benchmark: report scores on the test split, or train on other tasks.
    - ``max_turns`` (default 100), ``episode_reward``, and those of ``ToolUseEnv`` but for
      ``reward`` and ``strict``.

    ## References
    Patil et al., *The Berkeley Function Calling Leaderboard*, ICML 2025; package ``bfcl-eval``.

    ## Version history
    - v0: first version.
    """

    def __init__(
        self, category: str = "base", split: str = "train", max_turns: int = 100, **kwargs: Any
    ) -> None:
        super().__init__(BFCLMultiTurnSource(category, split), max_turns=max_turns, **kwargs)

    def _ended(self, turn: TurnRecord) -> StopReason:
        """Return ``GAVE_UP`` for a step with calls that was one too many."""
        return StopReason.GAVE_UP if turn.results else super()._ended(turn)


class BFCLMultiTurnVectorEnv(ToolVectorEnv):
    """Native vector form of ``BFCLMultiTurnEnv``."""

    env_class = BFCLMultiTurnEnv

"""Environments over tools and tasks of your own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from toolrl_env.core.types import Task
from toolrl_env.data.own import OwnTask, OwnTasks
from toolrl_env.envs.multi_turn import MultiTurnEnv
from toolrl_env.envs.vector import ToolVectorEnv
from toolrl_env.tools.limits import MAX_RESULT_CHARS, MEMORY_MB, CallLimits
from toolrl_env.tools.toolkit import ToolLike, toolkit

__all__ = ["OwnToolsEnv", "OwnToolsVectorEnv"]


class OwnToolsEnv(MultiTurnEnv):
    """Your functions, suites and servers, really called, on your tasks.

    ## Description
    The model is asked something, calls tools, reads what came back, and responds, which ends the
    episode. What is done is judged by the task's goals and its expected answer, or else by what its
    gold calls lead to: see ``OwnTask``.

    ## Observation
    ``UnicodeText``: the conversation so far; ``info`` has it as chat ``messages``, and the
    ``tools`` that are on offer now.

    ## Action
    ``UnicodeText``: calls, or a response to the user, in the layout of ``protocol``.

    ## Reward
    ``episode_reward``; by default 1 at the end if the task is done, else 0.

    ## Episode end
    Terminates with the first response. Truncates after ``max_turns`` answers, when the conversation
    is longer than an observation may be, and when something of ours fails.

    ## Arguments
    - ``tools``: a function, suite or provider, or several; see ``toolrl_env.tools.toolkit``.
    - ``tasks``: tasks or rows, or a file of rows; see ``toolrl_env.data.own``.
    - ``split``: ``"train"``, ``"validation"``, ``"test"`` or ``"all"`` (default).
    - ``time_limit``: seconds that a call may take (default 30).
    - ``max_result_chars``: longest result, in characters of JSON; what is longer is cut.
    - ``isolation``: ``"process"`` runs functions and suites in a process of their own for each
      session, which is killed when a call runs over its limits; ``None`` in this one, where the
      time limit is cooperative. ``memory_mb``: what such a process may take.
    - ``name``: what ``info["source"]`` says (default ``"own"``).
    - ``max_turns`` (default 30), ``episode_reward``, and those of ``ToolUseEnv`` but for
      ``reward`` and ``strict``.

    ## References
    The tasks are yours.

    ## Version history
    - v0: first version.
    """

    def __init__(
        self,
        tools: ToolLike | Sequence[ToolLike],
        tasks: str | Path | Sequence[OwnTask | Task | Mapping[str, Any]],
        split: str = "all",
        *,
        time_limit: float = 30.0,
        max_result_chars: int = MAX_RESULT_CHARS,
        isolation: str | None = None,
        memory_mb: int = MEMORY_MB,
        name: str = "own",
        **kwargs: Any,
    ) -> None:
        limits = CallLimits(time_limit, max_result_chars)
        provider = toolkit(tools, isolation=isolation, memory_mb=memory_mb)
        super().__init__(OwnTasks(provider, tasks, split, limits=limits, name=name), **kwargs)
        self.waits = provider.waits


class OwnToolsVectorEnv(ToolVectorEnv):
    """Native vector form of ``OwnToolsEnv``."""

    env_class = OwnToolsEnv

"""``ToolRL-Workspace-v0``."""

from __future__ import annotations

from typing import Any

from toolrl_env.data.procedural.workspace import WorkspaceSource
from toolrl_env.envs.multi_turn import MultiTurnEnv
from toolrl_env.envs.vector import ToolVectorEnv

__all__ = ["WorkspaceEnv", "WorkspaceVectorEnv"]


class WorkspaceEnv(MultiTurnEnv):
    """An office to work in: contacts, calendar, mail, files, tasks, orders and money.

    ## Description
    Each task is an office of its own in a database in memory, a user with one to four wishes, and a
    goal that is a predicate on the final database: any path that reaches it counts, and changing
    anything else does not. Gold trajectories of 1 to 12 calls are executed when a task is made.
    Details may have to be asked for, tools fail for a moment, further tools appear later, and some
    actions cannot be taken back.

    ## Observation
    ``UnicodeText``: the conversation so far; ``info`` has it as chat ``messages``, and the
    ``tools`` that are on offer now.

    ## Action
    ``UnicodeText``: calls, or a response to the user, in the layout of ``protocol``.

    ## Reward
    ``episode_reward``; by default 1 at the end if the goal is reached, else 0. ``"shaped"`` adds
    potential-based shaping by the share of wishes fulfilled.

    ## Episode end
    Terminates when the user has nothing more to say. Truncates after ``max_turns`` answers, when
    the conversation is longer than an observation may be, and when something of ours fails.

    ## Arguments
    - ``difficulty``: 1 to 12, the number of gold calls; ``None`` mixes all.
    - ``split``: ``"train"``, ``"validation"``, ``"test"`` or ``"all"``; each is endless.
    - ``max_turns`` (default 30), ``episode_reward``, and those of ``ToolUseEnv`` but for
      ``reward`` and ``strict``.

    ## References
    The tasks are our own. Shaping: Ng, Harada and Russell, *Policy invariance under reward
    transformations*, ICML 1999.

    ## Version history
    - v0: first version.
    """

    def __init__(self, split: str = "train", difficulty: int | None = None, **kwargs: Any) -> None:
        super().__init__(WorkspaceSource(split, difficulty), **kwargs)


class WorkspaceVectorEnv(ToolVectorEnv):
    """Native vector form of ``WorkspaceEnv``."""

    env_class = WorkspaceEnv

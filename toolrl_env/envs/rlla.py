"""``ToolRL-RLLA-v0``."""

from __future__ import annotations

from toolrl_env.envs.dataset import DatasetEnv
from toolrl_env.envs.dialogue import DialogueEnv
from toolrl_env.envs.modes import EnvMaker
from toolrl_env.envs.vector import ToolVectorEnv

__all__ = ["RLLADialogueEnv", "RLLAEnv", "RLLAVectorEnv", "make_rlla"]


class RLLAEnv(DatasetEnv):
    """The paper's training mixture.

    ## Description
    ToolACE, Hammer and xLAM tasks in the proportion 2 : 1 : 1, or, with ``data``, a file of the
    paper's own (``instruction``, ``input``, ``output``), whose prompts are kept as they stand.

    ## Observation
    ``UnicodeText``: the system prompt with the offered tools, and the dialogue so far. ``info`` has
    the same as chat ``messages`` and the ``tools`` as JSON Schema.

    ## Action
    ``UnicodeText``: the answer, in the layout of ``protocol``.

    ## Reward
    Format in {0, 1} plus correctness in [-3, 3] by default: -3 to 4 where tools are called for; an
    answer to a task without calls earns 0 or 1. ``reward`` picks another configuration.

    ## Episode end
    Terminates after one answer. Never truncates.

    ## Arguments
    - ``mode``: ``"single_turn"``, or ``"multi_turn"`` to replay whole conversations: then this is
      ``RLLADialogueEnv``, which also takes ``continuation``, ``episode_reward``, ``max_turns``.
    - ``data``: ``None`` for our own sample in this dataset's raw format (it is *not* the
      dataset, see ``info["is_sample"]``), a ``.json``, ``.jsonl``, ``.jsonl.gz`` or ``.parquet``
      file, or ``"hub"``.
    - ``split``: ``"train"``, ``"validation"``, ``"test"`` or ``"all"``; by a hash of the row.
    - ``data_options``: further arguments of ``toolrl_env.data.load_tasks``.
    - everything of ``ToolUseEnv``: ``protocol``, ``template``, ``chat_template``, ``reward``,
      ``strict``, ``max_chars``, ``render_mode``.

    ## References
    Qian et al., *ToolRL: Reward is All Tool Learning Needs*, arXiv 2504.13958.

    ## Version history
    - v0: first version.
    """

    dataset = "rlla"


class RLLADialogueEnv(DialogueEnv):
    """The paper's rows with history, from their first step on; see ``DialogueEnv``.

    Without ``data``: our sample in the paper's own format instead of the mixture. The earlier
    answers are scored against what the history holds, the last against the row's own gold answer.
    """

    dataset = "rlla"


make_rlla = EnvMaker(RLLAEnv, RLLADialogueEnv)
"""The entry point of the id: makes the environment in the ``mode`` that is asked for."""


class RLLAVectorEnv(ToolVectorEnv):
    """Native vector form, in either mode."""

    env_class = make_rlla

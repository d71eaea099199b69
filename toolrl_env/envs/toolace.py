"""``ToolRL-ToolACE-v0``."""

from __future__ import annotations

from toolrl_env.envs.dataset import DatasetEnv
from toolrl_env.envs.dialogue import DialogueEnv
from toolrl_env.envs.modes import EnvMaker
from toolrl_env.envs.vector import ToolVectorEnv

__all__ = ["ToolACEDialogueEnv", "ToolACEEnv", "ToolACEVectorEnv", "make_toolace"]


class ToolACEEnv(DatasetEnv):
    """ToolACE dialogues, one assistant step at a time.

    ## Description
    Each task is one assistant step of a dialogue, with everything before it in the prompt: call a
    tool, call several, ask for what is missing, or say that no tool fits.

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
      ``ToolACEDialogueEnv``, which also takes ``continuation``, ``episode_reward``, ``max_turns``.
    - ``data``: ``None`` for our own sample in this dataset's raw format (it is *not* the
      dataset, see ``info["is_sample"]``), a ``.json``, ``.jsonl``, ``.jsonl.gz`` or ``.parquet``
      file, or ``"hub"``.
    - ``split``: ``"train"``, ``"validation"``, ``"test"`` or ``"all"``; by a hash of the row.
    - ``data_options``: further arguments of ``toolrl_env.data.load_tasks``.
    - everything of ``ToolUseEnv``: ``protocol``, ``template``, ``chat_template``, ``reward``,
      ``strict``, ``max_chars``, ``render_mode``.

    ## References
    Liu et al., *ToolACE: Winning the Points of LLM Function Calling*, arXiv 2409.00920.
    Qian et al., *ToolRL: Reward is All Tool Learning Needs*, arXiv 2504.13958.

    ## Version history
    - v0: first version.
    """

    dataset = "toolace"


class ToolACEDialogueEnv(DialogueEnv):
    """ToolACE's conversations, turn by turn; see ``DialogueEnv``."""

    dataset = "toolace"


make_toolace = EnvMaker(ToolACEEnv, ToolACEDialogueEnv)
"""The entry point of the id: makes the environment in the ``mode`` that is asked for."""


class ToolACEVectorEnv(ToolVectorEnv):
    """Native vector form, in either mode."""

    env_class = make_toolace

"""``ToolRL-Hammer-v0``."""

from __future__ import annotations

from toolrl_env.envs.dataset import DatasetEnv
from toolrl_env.envs.modes import EnvMaker
from toolrl_env.envs.vector import ToolVectorEnv

__all__ = ["HammerEnv", "HammerVectorEnv", "make_hammer"]


class HammerEnv(DatasetEnv):
    """xLAM with masked names and irrelevant tools, after Hammer.

    ## Description
    In two rows of three the names of functions and parameters are random strings, so that only the
    descriptions help; other rows offer no tool that fits, and the answer is to say so.

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
    - ``mode``: ``"single_turn"`` alone: a row is one request and its answer, nothing follows.
    - ``data``: ``None`` for our own sample in this dataset's raw format (it is *not* the
      dataset, see ``info["is_sample"]``), a ``.json``, ``.jsonl``, ``.jsonl.gz`` or ``.parquet``
      file, or ``"hub"``.
    - ``split``: ``"train"``, ``"validation"``, ``"test"`` or ``"all"``; by a hash of the row.
    - ``data_options``: further arguments of ``toolrl_env.data.load_tasks``.
    - everything of ``ToolUseEnv``: ``protocol``, ``template``, ``chat_template``, ``reward``,
      ``strict``, ``max_chars``, ``render_mode``.

    ## References
    Lin et al., *Hammer: Robust Function-Calling for On-Device Language Models via Function
    Masking*, arXiv 2410.04587.
    Qian et al., *ToolRL: Reward is All Tool Learning Needs*, arXiv 2504.13958.

    ## Version history
    - v0: first version.
    """

    dataset = "hammer"


make_hammer = EnvMaker(HammerEnv)
"""The entry point of the id: makes the environment in the ``mode`` that is asked for."""


class HammerVectorEnv(ToolVectorEnv):
    """Native vector form of ``HammerEnv``."""

    env_class = make_hammer

"""``ToolRL-XLAM-v0``."""

from __future__ import annotations

from toolrl_env.envs.dataset import DatasetEnv
from toolrl_env.envs.modes import EnvMaker
from toolrl_env.envs.vector import ToolVectorEnv

__all__ = ["XLAMEnv", "XLAMVectorEnv", "make_xlam"]


class XLAMEnv(DatasetEnv):
    """xLAM function calling: calls from a single request.

    ## Description
    A request, a handful of tools, and one or more calls that fulfil it.

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
    Liu et al., *APIGen: Automated Pipeline for Generating Verifiable and Diverse
    Function-Calling Datasets*, arXiv 2406.18518.
    Qian et al., *ToolRL: Reward is All Tool Learning Needs*, arXiv 2504.13958.

    ## Version history
    - v0: first version.
    """

    dataset = "xlam"


make_xlam = EnvMaker(XLAMEnv)
"""The entry point of the id: makes the environment in the ``mode`` that is asked for."""


class XLAMVectorEnv(ToolVectorEnv):
    """Native vector form of ``XLAMEnv``."""

    env_class = make_xlam

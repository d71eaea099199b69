"""``ToolRL-APIBank-v0``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from toolrl_env.envs.dataset import DatasetEnv
from toolrl_env.envs.dialogue import DialogueEnv
from toolrl_env.envs.modes import EnvMaker
from toolrl_env.envs.vector import ToolVectorEnv

__all__ = ["APIBankDialogueEnv", "APIBankEnv", "APIBankVectorEnv", "make_api_bank"]


class APIBankEnv(DatasetEnv):
    """API-Bank dialogues: the next call.

    ## Description
    A dialogue up to the point at which one API call is due. Level 1 offers the APIs that are
    needed, level 2 asks for one that has to be chosen, level 3 takes several in a row.

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
      ``APIBankDialogueEnv``, which also takes ``continuation``, ``episode_reward``, ``max_turns``.
    - ``level``: ``1``, ``2`` or ``3``.
    - ``data``: ``None`` for our own sample in this dataset's raw format (it is *not* the
      dataset, see ``info["is_sample"]``), a ``.json``, ``.jsonl``, ``.jsonl.gz`` or ``.parquet``
      file, or ``"hub"``.
    - ``split``: ``"train"``, ``"validation"``, ``"test"`` or ``"all"``; by a hash of the row.
    - ``data_options``: further arguments of ``toolrl_env.data.load_tasks``.
    - everything of ``ToolUseEnv``: ``protocol``, ``template``, ``chat_template``, ``reward``,
      ``strict``, ``max_chars``, ``render_mode``.

    ## References
    Li et al., *API-Bank: A Comprehensive Benchmark for Tool-Augmented LLMs*, arXiv 2304.08244.
    Qian et al., *ToolRL: Reward is All Tool Learning Needs*, arXiv 2504.13958.

    ## Version history
    - v0: first version.
    """

    dataset = "api_bank"

    def __init__(
        self,
        data: str | Path | None = None,
        split: str = "train",
        level: int = 1,
        data_options: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data, split, {"level": level, **(data_options or {})}, **kwargs)


class APIBankDialogueEnv(DialogueEnv):
    """API-Bank's dialogues, turn by turn; see ``DialogueEnv``.

    A row is a dialogue up to one call, so the rows of one dialogue begin with one another: the
    longest is the task, the others are left out (``tasks.left_out``). Words that lead up to a call
    in the same answer are not asked for. ``level`` is as for ``APIBankEnv``.
    """

    dataset = "api_bank"

    def __init__(
        self,
        data: str | Path | None = None,
        split: str = "train",
        level: int = 1,
        data_options: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data, split, {"level": level, **(data_options or {})}, **kwargs)


make_api_bank = EnvMaker(APIBankEnv, APIBankDialogueEnv)
"""The entry point of the id: makes the environment in the ``mode`` that is asked for."""


class APIBankVectorEnv(ToolVectorEnv):
    """Native vector form, in either mode."""

    env_class = make_api_bank

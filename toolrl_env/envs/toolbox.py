"""``ToolRL-Toolbox-v0``."""

from __future__ import annotations

from typing import Any

from toolrl_env.core.types import ParsedAction, ToolResult
from toolrl_env.data.procedural import ToolboxSource
from toolrl_env.envs.prepare import PreparedTask
from toolrl_env.envs.single_turn import SingleTurnEnv
from toolrl_env.envs.vector import ToolVectorEnv
from toolrl_env.tools import execute_calls, results_agree

__all__ = ["ToolboxEnv", "ToolboxVectorEnv"]


class ToolboxEnv(SingleTurnEnv):
    """Endless procedural tasks whose tools really run.

    ## Description
    Requests that small deterministic tools can fulfil: arithmetic, dates, text, units, lists,
    geometry, look-ups. Every task is generated from its index alone, and its gold answer was
    executed when it was made. Categories: ``single``, ``parallel``, ``dependent`` (the dialogue
    holds a first result that the next call needs), ``irrelevant`` (no tool fits: say so) and
    ``missing_parameter`` (ask for it).

    ## Observation
    ``UnicodeText``: the system prompt with the offered tools, and the dialogue so far. ``info`` has
    the same as chat ``messages`` and the ``tools`` as JSON Schema.

    ## Action
    ``UnicodeText``: the answer, in the layout of ``protocol``. Valid calls are executed.

    ## Reward
    Format in {0, 1} plus correctness in [-3, 3] by default, as in the other environments.
    ``info["results"]`` has what each call returned, ``info["solved"]`` whether the executed results
    are those of the gold calls.

    ## Episode end
    Terminates after one answer. Truncates if a tool of ours fails; the step is then masked.

    ## Arguments
    - ``difficulty``: 1 (one call, few tools, plain words) to 5 (several calls, many look-alike
      tools, indirect words); ``None`` mixes all five.
    - ``split``: ``"train"``, ``"validation"`` or ``"test"``, disjoint in content, or ``"all"``;
      each endless.
    - everything of ``ToolUseEnv``: ``protocol``, ``template``, ``chat_template``, ``reward``,
      ``strict``, ``max_chars``, ``render_mode``.

    ## References
    The reward: Qian et al., *ToolRL: Reward is All Tool Learning Needs*, arXiv 2504.13958. The
    tasks are our own.

    ## Version history
    - v0: first version.
    """

    tasks: ToolboxSource

    def __init__(self, split: str = "train", difficulty: int | None = None, **kwargs: Any) -> None:
        super().__init__(ToolboxSource(split=split, difficulty=difficulty), **kwargs)

    def run_calls(self, current: PreparedTask, action: ParsedAction) -> tuple[ToolResult, ...]:
        """Validate and then execute every call of the answer."""
        return execute_calls(self.tasks.tools_for(current.task), action.calls, current.validator)

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Score an answer and execute its calls; see ``SingleTurnEnv.step``."""
        observation, reward, terminated, truncated, info = super().step(action)
        expected = self.task.metadata["expected_results"]
        info["solved"] = results_agree(expected, info["results"])
        return observation, reward, terminated, truncated, info


class ToolboxVectorEnv(ToolVectorEnv):
    """Native vector form of ``ToolboxEnv``."""

    env_class = ToolboxEnv

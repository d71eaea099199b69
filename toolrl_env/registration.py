"""The table of environments. Importing ``toolrl_env`` registers every row with Gymnasium."""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium

__all__ = ["ENVIRONMENTS", "EnvironmentRow", "register_all"]


class EnvironmentRow(NamedTuple):
    """One registered id.

    Attributes:
        id: The id for ``gym.make``.
        module: Module that holds the classes.
        name: Class of the environment; ``<name>`` with ``Env`` replaced by ``VectorEnv`` is its
            native vector class.
        summary: One line for ``toolrl list``.
        origin: Where its tasks come from if no data is given: ``"our sample"`` of a dataset, ``"a
            generator"``, ``"the benchmark"``, or ``"our own"``.
        maker: Name in the module of what makes the environment in the ``mode`` that is asked for;
            ``""`` for the class itself.
    """

    id: str
    module: str
    name: str
    summary: str
    origin: str = "our sample"
    maker: str = ""

    @property
    def entry_point(self) -> str:
        """``module:Class``, imported by Gymnasium when the environment is first made."""
        return f"{self.module}:{self.maker or self.name}"

    @property
    def vector_entry_point(self) -> str:
        """``module:VectorClass``."""
        return f"{self.module}:{self.name.removesuffix('Env')}VectorEnv"


ENVIRONMENTS: tuple[EnvironmentRow, ...] = (
    EnvironmentRow(
        "ToolRL-ToolACE-v0",
        "toolrl_env.envs.toolace",
        "ToolACEEnv",
        "ToolACE dialogues over many API domains: a step each, or whole (mode)",
        maker="make_toolace",
    ),
    EnvironmentRow(
        "ToolRL-XLAM-v0",
        "toolrl_env.envs.xlam",
        "XLAMEnv",
        "xLAM function calling: single and parallel calls from one request",
        maker="make_xlam",
    ),
    EnvironmentRow(
        "ToolRL-Hammer-v0",
        "toolrl_env.envs.hammer",
        "HammerEnv",
        "xLAM with masked names and irrelevant-tool cases, as in Hammer",
        maker="make_hammer",
    ),
    EnvironmentRow(
        "ToolRL-RLLA-v0",
        "toolrl_env.envs.rlla",
        "RLLAEnv",
        "the paper's training mixture, 2 : 1 : 1; dialogues of its rows with history (mode)",
        maker="make_rlla",
    ),
    EnvironmentRow(
        "ToolRL-APIBank-v0",
        "toolrl_env.envs.api_bank",
        "APIBankEnv",
        "API-Bank dialogues, level 1, 2 or 3: the next call, or whole (mode)",
        maker="make_api_bank",
    ),
    EnvironmentRow(
        "ToolRL-Toolbox-v0",
        "toolrl_env.envs.toolbox",
        "ToolboxEnv",
        "endless procedural tasks whose tools really run, graded by difficulty",
        origin="a generator",
    ),
    EnvironmentRow(
        "ToolRL-BFCL-v0",
        "toolrl_env.envs.bfcl",
        "BFCLEnv",
        "BFCL's single-turn categories, with the official verdict beside the reward",
        origin="the benchmark",
    ),
    EnvironmentRow(
        "ToolRL-BFCLMultiTurn-v0",
        "toolrl_env.envs.bfcl_multi_turn",
        "BFCLMultiTurnEnv",
        "multi-turn: BFCL's conversations over its own stateful APIs, really executed",
        origin="the benchmark",
    ),
    EnvironmentRow(
        "ToolRL-Workspace-v0",
        "toolrl_env.envs.workspace",
        "WorkspaceEnv",
        "multi-turn: an endless office world, graded by the number of calls",
        origin="a generator",
    ),
    EnvironmentRow(
        "ToolRL-Search-v0",
        "toolrl_env.envs.search",
        "SearchEnv",
        "multi-turn: two-hop questions with a search tool over a corpus",
        origin="our own",
    ),
    EnvironmentRow(
        "ToolRL-MCP-v0",
        "toolrl_env.envs.mcp",
        "MCPEnv",
        "multi-turn: any MCP server's tools on your tasks; by default a small stockroom",
        origin="our own",
    ),
)


def register_all() -> None:
    """Register every row that is not registered yet."""
    registry: dict[str, Any] = gymnasium.registry
    for row in ENVIRONMENTS:
        if row.id not in registry:
            gymnasium.register(
                id=row.id,
                entry_point=row.entry_point,
                vector_entry_point=row.vector_entry_point,
            )

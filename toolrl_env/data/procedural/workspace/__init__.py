"""The tasks of ``ToolRL-Workspace-v0``: an office, a user, a goal, and gold proven by execution."""

from toolrl_env.data.procedural.workspace.scenario import LEVELS
from toolrl_env.data.procedural.workspace.session import WorkspaceSession, WorkspaceSnapshot
from toolrl_env.data.procedural.workspace.source import GENERATOR_VERSION, WorkspaceSource

__all__ = [
    "GENERATOR_VERSION",
    "LEVELS",
    "WorkspaceSession",
    "WorkspaceSnapshot",
    "WorkspaceSource",
]

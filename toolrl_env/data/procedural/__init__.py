"""The procedural tasks of ``ToolRL-Toolbox-v0``: endless, graded, with gold proven by execution."""

from toolrl_env.data.procedural.source import ToolboxSource

__all__ = ["ToolboxSource"]

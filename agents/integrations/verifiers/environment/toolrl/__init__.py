"""``vf-eval toolrl``: what verifiers finds by the name ``toolrl``."""

from agents.integrations.verifiers.harness import ChatHarness
from agents.integrations.verifiers.play import ToolRLEnv
from agents.integrations.verifiers.taskset import ToolRLTaskset

__all__ = ["ChatHarness", "ToolRLEnv", "ToolRLTaskset"]

"""``vf-eval toolrl``: what verifiers finds by the name ``toolrl``."""

from agents.integrations.verifiers import ChatHarness, ToolRLEnv, ToolRLTaskset

__all__ = ["ChatHarness", "ToolRLEnv", "ToolRLTaskset"]

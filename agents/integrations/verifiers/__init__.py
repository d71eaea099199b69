"""Verifiers (v1): environments of ours for its users, and its tasks as Gymnasium environments."""

from agents.integrations.verifiers.foreign import VerifiersEnv
from agents.integrations.verifiers.harness import ChatHarness
from agents.integrations.verifiers.play import ToolRLEnv, ToolRLEnvConfig
from agents.integrations.verifiers.taskset import ToolRLTaskset, ToolRLTasksetConfig

__all__ = [
    "ChatHarness",
    "ToolRLEnv",
    "ToolRLEnvConfig",
    "ToolRLTaskset",
    "ToolRLTasksetConfig",
    "VerifiersEnv",
]

"""The structured reward of ToolRL: terms, variants, presets, explanations."""

from __future__ import annotations

from toolrl_env.rewards.config import REFERENCE_FLAGS, RewardConfig
from toolrl_env.rewards.detail import CallDetail
from toolrl_env.rewards.plan import forget
from toolrl_env.rewards.presets import preset_names
from toolrl_env.rewards.score import score_action, score_response
from toolrl_env.rewards.terms import Term, TermContext, scheduled, validation, weighted

__all__ = [
    "REFERENCE_FLAGS",
    "CallDetail",
    "RewardConfig",
    "Term",
    "TermContext",
    "forget",
    "preset_names",
    "scheduled",
    "score_action",
    "score_response",
    "validation",
    "weighted",
]

"""BFCL: the official entries as tasks, the official checks as outcomes."""

from toolrl_env.data.bfcl.multi_turn import BFCLMultiTurnSource
from toolrl_env.data.bfcl.outcome import Outcome
from toolrl_env.data.bfcl.scenario import CATEGORIES
from toolrl_env.data.bfcl.session import MAX_STEPS, BFCLSession, BFCLSnapshot
from toolrl_env.data.bfcl.single_turn import GROUPS, SINGLE_TURN, BFCLSource

__all__ = [
    "CATEGORIES",
    "GROUPS",
    "MAX_STEPS",
    "SINGLE_TURN",
    "BFCLMultiTurnSource",
    "BFCLSession",
    "BFCLSnapshot",
    "BFCLSource",
    "Outcome",
]

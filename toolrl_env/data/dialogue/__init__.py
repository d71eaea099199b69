"""Recorded dialogues that are replayed step by step: each answer is scored, the record goes on."""

from toolrl_env.data.dialogue.cut import Dialogue, DialogueStep, cut_dialogue
from toolrl_env.data.dialogue.session import CONTINUATIONS, DialogueSession, DialogueSnapshot
from toolrl_env.data.dialogue.source import RECORDED, DialogueSource, load_dialogues
from toolrl_env.data.dialogue.whole import find_beginnings

__all__ = [
    "CONTINUATIONS",
    "RECORDED",
    "Dialogue",
    "DialogueSession",
    "DialogueSnapshot",
    "DialogueSource",
    "DialogueStep",
    "cut_dialogue",
    "find_beginnings",
    "load_dialogues",
]

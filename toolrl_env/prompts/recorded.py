"""What a dataset recorded, as it stands in a conversation that replays it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from toolrl_env.core.types import GroundTruth, Message, ToolCall
from toolrl_env.parsing import get_protocol
from toolrl_env.prompts.guard import guarded_tokens
from toolrl_env.prompts.python import answer_content
from toolrl_env.prompts.toolrl import render_dialogue

__all__ = ["recorded_answer", "recorded_messages"]


def recorded_answer(protocol: str, gold: GroundTruth) -> str:
    """Return a recorded answer as it stands in a conversation: as a model would have given it.

    In ``python`` without the thought, and with calls whose names that syntax cannot carry written
    all the same, as in its prompts.

    Args:
        protocol: The protocol.
        gold: The recorded answer; its values are proper calls.
    """
    if protocol != "python":
        return get_protocol(protocol).render_gold(gold)
    calls = tuple(ToolCall(value["name"], value["parameters"]) for value in gold.values)
    words = get_protocol("toolrl").parse(gold.text).response
    return answer_content(Message("assistant", words or "", None, calls))


def recorded_messages(protocol: str, recorded: Sequence[Message]) -> list[dict[str, Any]]:
    """Return what a dataset recorded between two answers, word for word but for special tokens.

    ``toolrl`` has one user message in the paper's layout, ``<obs>`` and ``<user>`` blocks with an
    empty line between them; the others have one ``tool`` or ``user`` message each.
    """
    if protocol == "toolrl":
        blocks = [render_dialogue([message]) for message in recorded]
        return [{"role": "user", "content": guarded_tokens("\n\n".join(blocks))}]
    return [
        {"role": message.role, "content": guarded_tokens(message.content)}
        | ({} if message.name is None else {"name": guarded_tokens(message.name)})
        for message in recorded
    ]

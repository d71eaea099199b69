"""What there is to see of a candidate: numbers made of the request, the tools and the candidate."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from toolrl_env.wrappers.numeric.encoding import FloatVector, TextEncoder
from toolrl_env.wrappers.numeric.found_values import FoundValue
from toolrl_env.wrappers.numeric.proposals import Proposal, similarity
from toolrl_env.wrappers.numeric.visible import OfferedTool, Visible
from toolrl_env.wrappers.numeric.words import stems

__all__ = ["FEATURES", "candidate_rows"]

FEATURES = (
    "present",
    "reply",
    "name_in_request",
    "description_in_request",
    "slots_in_request",
    "similarity",
    "similarity_to_best",
    "encoded_similarity",
    "encoded_similarity_to_best",
    "arguments",
    "optional_used",
    "fit_mean",
    "fit_least",
    "mentioned",
    "in_order",
    "repeated",
    "evidence_used",
    "numbers_used",
    "first_of_tool",
    "rank",
    "tools",
)
"""Names of the numbers that stand before the encoded tool, in each candidate's row."""

_EVIDENCE = frozenset({"quoted", "date", "time", "code", "number", "name", "list"})


def candidate_rows(
    shown: Visible,
    proposals: Sequence[Proposal],
    found: Sequence[FoundValue],
    encoder: TextEncoder,
    size: int,
) -> list[FloatVector]:
    """Return one row for the reply and one for each proposal, in that order.

    Args:
        shown: What is visible.
        proposals: The candidate calls.
        found: The values that they were made from.
        encoder: Encodes the request and the tools.
        size: Size of what it makes.

    Returns:
        Rows of ``len(FEATURES) + size`` float32: the numbers, then the encoded tool.
    """
    request = np.asarray(encoder(shown.request), np.float32)
    encoded = [np.asarray(encoder(tool.text), np.float32) for tool in shown.tools]
    alike = [similarity(shown, tool) for tool in shown.tools]
    near = [float(vector @ request) for vector in encoded]
    asked = stems(shown.request)
    about = [_about_tool(index, tool, asked, alike, near) for index, tool in enumerate(shown.tools)]
    evidence = [value for value in found if value.kind in _EVIDENCE]
    count = len(shown.tools) / 16
    reply = [1.0, 1.0, *([0.0] * (len(FEATURES) - 3)), count]
    reply[6], reply[8] = max(alike, default=0.0), max(near, default=0.0)
    rows = [np.concatenate((np.array(reply, np.float32), np.zeros(size, np.float32)))]
    for proposal in proposals:
        tool = shown.tools[proposal.tool]
        numbers = [
            1.0,
            0.0,
            *about[proposal.tool],
            *_about_arguments(proposal, tool, found, evidence),
            count,
        ]
        rows.append(np.concatenate((np.array(numbers, np.float32), encoded[proposal.tool])))
    return rows


def _about_tool(
    index: int,
    tool: OfferedTool,
    asked: frozenset[str],
    alike: Sequence[float],
    near: Sequence[float],
) -> list[float]:
    slots = frozenset[str]().union(*(slot.words for slot in tool.slots))
    return [
        _share(tool.name_words, asked),
        _share(tool.words, asked),
        _share(slots, asked),
        alike[index],
        alike[index] - max(alike),
        near[index],
        near[index] - max(near),
    ]


def _about_arguments(
    proposal: Proposal,
    tool: OfferedTool,
    found: Sequence[FoundValue],
    evidence: Sequence[FoundValue],
) -> list[float]:
    fillers = proposal.fillers
    starts = [filler.start for filler in fillers if filler.start >= 0]
    spans = [
        (found[filler.source].start, found[filler.source].end)
        for filler in fillers
        if filler.source >= 0
    ]
    used = [any(start <= value.start < end for start, end in spans) for value in evidence]
    numbers = [hit for hit, value in zip(used, evidence, strict=True) if value.kind == "number"]
    optional = sum(not slot.required for slot in tool.slots)
    required = len(tool.slots) - optional
    pairs = list(itertools.pairwise(starts))
    return [
        len(fillers) / 8,
        (len(fillers) - required) / optional if optional else 0.0,
        proposal.score / 2,
        min((filler.score for filler in fillers), default=0.0) / 2,
        len(starts) / len(fillers) if fillers else 1.0,
        sum(one <= two for one, two in pairs) / len(pairs) if pairs else 1.0,
        float(len(set(starts)) < len(starts)),
        sum(used) / len(used) if used else 0.0,
        sum(numbers) / len(numbers) if numbers else 0.0,
        float(proposal.rank == 0),
        1 / (1 + proposal.rank),
    ]


def _share(words: frozenset[str], asked: frozenset[str]) -> float:
    return len(words & asked) / len(words) if words else 0.0

"""What there is to see of a candidate: numbers made of the request, the tools and the candidate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from toolrl_env.wrappers.numeric.argument_features import ARGUMENT_FEATURES, ArgumentReader
from toolrl_env.wrappers.numeric.encoding import FloatVector, TextEncoder
from toolrl_env.wrappers.numeric.found_values import FoundValue
from toolrl_env.wrappers.numeric.passages import split_passages
from toolrl_env.wrappers.numeric.proposals import Proposal, similarity
from toolrl_env.wrappers.numeric.visible import Visible
from toolrl_env.wrappers.numeric.words import share, stems

__all__ = ["FEATURES", "candidate_rows"]

_STATE_FEATURES = ("tools", "evidence", "results", "called_tools", "passages")
_TOOL_FEATURES = (
    "name_in_request",
    "description_in_request",
    "slots_in_request",
    "similarity",
    "similarity_to_best",
    "encoded_similarity",
    "encoded_similarity_to_best",
    "distinct_words",
    "asked_at",
    "called",
)
FEATURES = ("present", "reply", *_STATE_FEATURES, *_TOOL_FEATURES, *ARGUMENT_FEATURES)
"""Names of the numbers that begin each candidate's row; then the encoded tool and the passages."""


def candidate_rows(
    shown: Visible,
    proposals: Sequence[Proposal],
    found: Sequence[FoundValue],
    encoder: TextEncoder,
    size: int,
) -> FloatVector:
    """Return one row for the reply and one for each proposal, in that order.

    Args:
        shown: What is visible.
        proposals: The candidate calls.
        found: The values that they were made from.
        encoder: Encodes the request, its passages and the tools.
        size: Size of what it makes.

    Returns:
        float32, shape ``(1 + len(proposals), len(FEATURES) + 2 * size)``: the numbers, the encoded
        tool, and the mean of the encoded passages that the values come from.
    """
    passages = split_passages(shown.said)
    reader = ArgumentReader(shown, found, passages)
    request = np.asarray(encoder(shown.request), np.float32)
    encoded = [np.asarray(encoder(tool.text), np.float32) for tool in shown.tools]
    near = [float(vector @ request) for vector in encoded]
    about = _about_tools(shown, near)
    state = _about_state(shown, len(reader.evidence), len(passages.texts))
    reply = [1.0, 1.0, *state, *([0.0] * (len(FEATURES) - 2 - len(state)))]
    reply[FEATURES.index("similarity_to_best")] = max((row[3] for row in about), default=0.0)
    reply[FEATURES.index("encoded_similarity_to_best")] = max(near, default=0.0)
    numbers, tools = [reply], [np.zeros(size, np.float32)]
    weights = np.zeros((1 + len(proposals), len(passages.texts)), np.float32)
    for weight, proposal in zip(weights[1:], proposals, strict=True):
        where = reader.where(proposal)
        for place in where:
            weight[place] = 1 / len(where)
        arguments = reader.read(proposal, where)
        numbers.append([1.0, 0.0, *state, *about[proposal.tool], *arguments])
        tools.append(encoded[proposal.tool])
    spoken = [np.asarray(encoder(text), np.float32) for text in passages.texts]
    return np.hstack((np.array(numbers, np.float32), np.stack(tools), weights @ np.stack(spoken)))


def _about_state(shown: Visible, evidence: int, passages: int) -> list[float]:
    returned = float(shown.results_at < len(shown.said))
    called, parts = len(shown.called) / 4, passages / 8
    return [len(shown.tools) / 16, evidence / 8, returned, called, parts]


def _about_tools(shown: Visible, near: Sequence[float]) -> list[list[float]]:
    asked = stems(shown.request)
    lowered = shown.request.lower()
    alike = [similarity(shown, tool) for tool in shown.tools]
    counts = Counter(word for tool in shown.tools for word in tool.name_words | tool.words)
    rows: list[list[float]] = []
    for index, tool in enumerate(shown.tools):
        slots = frozenset[str]().union(*(slot.words for slot in tool.slots))
        own = tool.name_words | tool.words
        weight = sum(1 / counts[word] for word in own)
        hit = sum(1 / counts[word] for word in own & asked)
        rows.append(
            [
                share(tool.name_words, asked),
                share(tool.words, asked),
                share(slots, asked),
                alike[index],
                alike[index] - max(alike),
                near[index],
                near[index] - max(near),
                hit / weight if weight else 0.0,
                _first_mention(lowered, own & asked),
                float(tool.name in shown.called),
            ]
        )
    return rows


def _first_mention(lowered: str, words: frozenset[str]) -> float:
    """Return where the first of some words stands, in [0, 1]; 1 if none does."""
    places = [place for word in words if (place := lowered.find(word)) >= 0]
    return min(places) / len(lowered) if places else 1.0

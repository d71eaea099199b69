"""Gold answers, decoded once and shared."""

from __future__ import annotations

import functools
from typing import Any

from toolrl_env.core.errors import InvalidGroundTruth
from toolrl_env.core.frozen import freeze
from toolrl_env.core.types import GroundTruth
from toolrl_env.parsing.decoding import decode_json, explain
from toolrl_env.parsing.layout import RESPONSE_OPEN, call_block

__all__ = ["parse_ground_truth"]


def parse_ground_truth(text: str) -> GroundTruth:
    """Decode a gold answer in the paper's layout. Cached: the same object for the same text.

    The values are frozen, so sharing them is safe. As in the paper's reward, the call block is
    whatever follows the first ``<tool_call>``, even if that stands in the thought.

    Args:
        text: The gold answer: ``<think>``, ``<tool_call>`` and ``<response>`` parts.

    Raises:
        InvalidGroundTruth: Not a string, or ``<tool_call>`` occurs and a line of the block is not
            JSON, or nested deeper than ``MAX_DEPTH``.

    >>> parse_ground_truth('<tool_call>{"name": "f", "parameters": {}}</tool_call>').values
    ({'name': 'f', 'parameters': {}},)
    """
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidGroundTruth(f"a gold answer must be a string, not {type(text).__name__}")
    return _parse(text)


@functools.lru_cache(maxsize=16_384)
def _parse(text: str) -> GroundTruth:
    has_response = RESPONSE_OPEN in text
    block = call_block(text)
    if block is None:
        return GroundTruth(text, has_call=False, has_response=has_response)
    values: list[Any] = []
    for number, line in enumerate(text[block[0] : block[1]].strip().split("\n"), start=1):
        try:
            values.append(freeze(decode_json(line)))
        except ValueError as error:
            raise InvalidGroundTruth(
                f"line {number} of the gold answer's calls cannot be used, {explain(error)[1]}: "
                f"{line[:200]!r}"
            ) from error
    return GroundTruth(text, has_call=True, has_response=has_response, values=tuple(values))

"""From characters of an answer to the tokens that wrote them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence

from toolrl_env.core.types import Span

__all__ = ["token_span"]


def token_span(decode: Callable[[Sequence[int]], str], ids: Sequence[int], span: Span) -> Span:
    """Return the smallest range of tokens that wrote a range of characters.

    Sampled ids have no offsets, and need not be the tokens that the text would be split into, so
    prefixes are decoded: about ``2 log2(len(ids))`` of them. A character that several tokens spell
    out byte by byte is complete with the last of them and belongs to all.

    Args:
        decode: From ids to text.
        ids: The sampled ids, without the end token.
        span: Half-open range of characters in ``decode(ids)``.

    Returns:
        Half-open range of indices into ``ids``; empty if and only if ``span`` is.

    Raises:
        ValueError: The range is not within the text.
    """
    text = decode(ids)
    start, end = span
    if not 0 <= start <= end <= len(text):
        raise ValueError(f"characters {span} of a text of {len(text)}")

    def complete(count: int) -> int:
        """Return how many characters the first ``count`` ids complete."""
        prefix = decode(ids[:count])
        while not text.startswith(prefix):  # its last character is half a character
            prefix = prefix[:-1]
        return len(prefix)

    counts = range(len(ids) + 1)
    first = bisect_left(counts, start, key=complete)
    if start == end:
        return first, first
    if complete(first) > start:
        first -= 1
    return first, bisect_left(counts, end, key=complete)

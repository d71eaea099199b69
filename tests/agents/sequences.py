"""Episodes drawn at random, as token ids, for tests of what is computed on them."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

__all__ = ["VOCABULARY", "Tokens", "episodes"]

VOCABULARY = 250


@dataclass(frozen=True)
class Tokens:
    """The least that can be scored."""

    prompt_ids: tuple[int, ...]
    token_ids: tuple[int, ...]
    sampled: tuple[bool, ...]


def _ids(low: int, high: int) -> st.SearchStrategy[tuple[int, ...]]:
    return st.lists(st.integers(0, VOCABULARY - 1), min_size=low, max_size=high).map(tuple)


@st.composite
def episodes(draw: st.DrawFn, most: int = 5) -> list[Tokens]:
    """Draw 1 to ``most`` episodes of 1 to 3 prompts, in any order.

    Turns of the policy alternate with turns of the environment; either may come last.
    """
    prompts = draw(st.lists(_ids(1, 9), min_size=1, max_size=3))
    batch = []
    for _ in range(draw(st.integers(1, most))):
        ids: tuple[int, ...] = ()
        flags: tuple[bool, ...] = ()
        for turn in range(draw(st.integers(1, 4))):
            part = draw(_ids(1, 5))
            ids, flags = ids + part, flags + (turn % 2 == 0,) * len(part)
        batch.append(Tokens(draw(st.sampled_from(prompts)), ids, flags))
    return batch

"""Keys and values that sampling keeps: prompts that are read once, and conversations that go on.

A ``Stem`` is a prompt that several answers share; it is never copied to them. A ``Kept``
conversation is a stem and what came after it. ``Conversations`` finds, for a context, the longest
conversation that it continues, token by token: no text is compared or tokenised.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from toolrl_env.core.errors import ConfigurationError

__all__ = ["Conversations", "Kept", "Layers", "Stem", "join"]

Layers = tuple[tuple[Tensor, Tensor], ...]
"""For each layer, keys and values of K heads [K, n, D]."""


def join(first: Layers, second: Layers) -> Layers:
    """Put one piece's keys and values behind another's; either may be empty."""
    if not first or not second:
        return first or second
    return tuple(
        (torch.cat([k1, k2], dim=1), torch.cat([v1, v2], dim=1))
        for (k1, v1), (k2, v2) in zip(first, second, strict=True)
    )


@dataclass(frozen=True, slots=True, eq=False)
class Stem:
    """A prompt that was read.

    Attributes:
        length: Its tokens, n.
        layers: Its keys and values.
    """

    length: int
    layers: Layers


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """A conversation that was read or sampled, without its last token.

    Attributes:
        stem: How it begins.
        own: How many tokens it has after that, n.
        layers: Their keys and values; empty if there are none.
    """

    stem: Stem
    own: int
    layers: Layers

    @property
    def length(self) -> int:
        """Its tokens."""
        return self.stem.length + self.own


class Conversations:
    """Conversations by their tokens; the longest unused are forgotten first.

    Args:
        room: Tokens to keep at most, a shared stem counted once; 0 keeps nothing.
    """

    def __init__(self, room: int) -> None:
        if room < 0:
            raise ConfigurationError(f"room={room!r}; it must be at least 0")
        self._room = room
        self._kept: OrderedDict[tuple[int, ...], Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def tokens(self) -> int:
        """How many tokens are kept."""
        stems = {id(kept.stem): kept.stem.length for kept in self._kept.values()}
        return sum(stems.values()) + sum(kept.own for kept in self._kept.values())

    def find(self, context: Sequence[int]) -> Kept | None:
        """Return the longest conversation that the context continues by at least one token."""
        tokens = tuple(context)
        lengths = {kept.length for kept in self._kept.values() if kept.length < len(tokens)}
        for length in sorted(lengths, reverse=True):
            found = self._kept.get(tokens[:length])
            if found is not None:
                self._kept.move_to_end(tokens[:length])
                return found
        return None

    def keep(self, tokens: Sequence[int], kept: Kept) -> None:
        """Remember a conversation, and forget old ones if there is no room."""
        if len(tokens) != kept.length:
            raise ValueError(f"{len(tokens)} tokens for a conversation of {kept.length}")
        self._kept[tuple(tokens)] = kept
        self._kept.move_to_end(tuple(tokens))
        while self._kept and self.tokens > self._room:
            self._kept.popitem(last=False)

    def clear(self) -> None:
        """Forget everything, since the weights have changed."""
        self._kept.clear()

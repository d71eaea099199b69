"""Reading contexts before anything is sampled: in one row, each after what is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedModel

from agents.attention import Block, attend_row, cut
from agents.cache import Conversations, Kept, Layers, Stem, join

__all__ = ["Read", "read"]

_Known = tuple[tuple[int, ...], Kept | None]


@dataclass(frozen=True, slots=True)
class Read:
    """A context that was read.

    Attributes:
        tokens: The context.
        kept: Its keys and values.
        hidden: The model's last hidden state at its last token [D]: predicts the next one.
    """

    tokens: tuple[int, ...]
    kept: Kept
    hidden: Tensor


def read(
    model: PreTrainedModel,
    contexts: Sequence[tuple[int, ...]],
    conversations: Conversations,
    most: int,
) -> list[Read]:
    """Read contexts, but for what is remembered of them.

    Args:
        model: A model within ``own_attention``.
        contexts: None empty.
        conversations: What is remembered.
        most: Tokens read at a time, unless a single context has more.
    """
    done: list[Read] = []
    part: list[_Known] = []
    size = 0
    for context in contexts:
        known = conversations.find(context)
        new = len(context) - (known.length if known else 0)
        if part and size + new > most:
            done += _read_part(model, part)
            part, size = [], 0
        part.append((context, known))
        size += new
    return done + _read_part(model, part)


def _read_part(model: PreTrainedModel, part: Sequence[_Known]) -> list[Read]:
    past = _Past()
    ids: list[int] = []
    positions: list[int] = []
    plan: list[tuple[Block, ...]] = []
    for context, known in part:
        start = known.length if known else 0
        plan.append(cut(len(ids), len(context) - start, past.add(known)))
        ids += context[start:]
        positions += range(start, len(context))
    new: list[tuple[Tensor, Tensor]] = []  # of each layer, [K, N, D]

    def attend(layer: int, query: Tensor, key: Tensor, value: Tensor, scaling: float) -> Tensor:
        new.append((key[0], value[0]))
        keys, held = past.before(layer, key[0], value[0])
        return attend_row(query[0], keys, held, tuple(plan), scaling, past.length)[None]

    out = model.base_model(
        input_ids=torch.tensor([ids], device=model.device),
        position_ids=torch.tensor([positions], device=model.device),
        use_cache=False,
        attend=attend,
    )
    reads = []
    for (context, known), segment in zip(part, plan, strict=True):
        first, last = segment[0].first, segment[-1].last
        layers = tuple(
            (keys[:, first:last].contiguous(), values[:, first:last].contiguous())
            for keys, values in new
        )
        reads.append(Read(context, _extend(known, layers), out.last_hidden_state[0, last - 1]))
    return reads


def _extend(known: Kept | None, layers: Layers) -> Kept:
    length = layers[0][0].shape[1]
    if known is None:
        return Kept(Stem(length, layers), 0, ())
    return Kept(known.stem, known.own + length, join(known.layers, layers))


class _Past:
    """Keys and values that were read before, in one row: every stem once, then what follows it."""

    def __init__(self) -> None:
        self.length = 0
        self._pieces: list[Layers] = []
        self._stems: dict[int, tuple[int, int]] = {}

    def add(self, known: Kept | None) -> tuple[tuple[int, int], ...]:
        """Add a conversation; return the ranges where it is."""
        if known is None:
            return ()
        if id(known.stem) not in self._stems:
            self._stems[id(known.stem)] = self._append(known.stem.layers, known.stem.length)
        stem = self._stems[id(known.stem)]
        return (stem, self._append(known.layers, known.own)) if known.own else (stem,)

    def _append(self, layers: Layers, length: int) -> tuple[int, int]:
        start, self.length = self.length, self.length + length
        self._pieces.append(layers)
        return start, self.length

    def before(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Put everything of one layer before new keys and values [K, P + N, D]."""
        if not self._pieces:
            return key, value
        held = [piece[layer] for piece in self._pieces]
        keys = torch.cat([*(pair[0] for pair in held), key], dim=1)
        return keys, torch.cat([*(pair[1] for pair in held), value], dim=1)

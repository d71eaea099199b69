"""One token at a time for many answers: attention over a shared prompt and what each has itself.

The prompt's keys stay as they were read, for all the answers to it: their queries are stacked into
one matrix product. What an answer has for itself is written in place, and answers that end leave.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from agents.cache import Kept, Layers, Stem, join

__all__ = ["Batch", "PackedLinear", "decoding_copy"]


class PackedLinear(nn.Module):
    """A linear layer without bias whose weights lie as oneDNN wants them for few rows.

    An ordinary one arranges them again at every call: at 8 rows in bfloat16, that is half its time.
    The copy is of the moment: it does not follow the weights that it was made of.
    """

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.packed = torch.ops.mkldnn._reorder_linear_weight(weight.detach(), 8)

    def forward(self, x: Tensor) -> Tensor:
        """Multiply [..., I] to [..., O]."""
        return torch.ops.mkldnn._linear_pointwise(x, self.packed, None, "none", [], "")


def decoding_copy(model: PreTrainedModel) -> PreTrainedModel:
    """Return a model for decoding that shares the weights.

    On a CPU in bfloat16, linear layers are arranged for it: the copy is then good until the weights
    change. Elsewhere it is the model itself.
    """
    packs = torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    if model.device.type != "cpu" or model.dtype != torch.bfloat16 or not packs:
        return model
    shared = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    twin = copy.deepcopy(model, shared)
    for module in list(twin.modules()):
        for name, child in list(module.named_children()):
            if type(child) is nn.Linear and child.bias is None:
                setattr(module, name, PackedLinear(child.weight))
    return twin


@dataclass(slots=True)
class _Party:
    """The rows [first, last) that share a stem."""

    stem: Layers
    first: int
    last: int


class Batch:
    """Keys and values of B half-written answers.

    Rows with one stem stand together, in the order of ``rows``. A stem that a single row has is
    copied into the row's own part, so that all of those are attended at once.

    Args:
        rows: What each row continues.
        room: Tokens that may be added to a row.
    """

    def __init__(self, rows: Sequence[Kept], room: int) -> None:
        self._parties: list[_Party] = []
        own: list[Layers] = []
        for first, last, stem in _runs(rows):
            if last - first > 1:
                self._parties.append(_Party(_exact(stem.layers), first, last))
                own += [row.layers for row in rows[first:last]]
            else:
                own.append(join(stem.layers, rows[first].layers))
        lengths = [layers[0][0].shape[1] if layers else 0 for layers in own]
        self._filled = max(lengths)
        self._padding = torch.tensor([self._filled - length for length in lengths])
        shape, self._format = rows[0].stem.layers[0][0].shape, rows[0].stem.layers[0][0].dtype
        self.keys, self.values = [], []
        for index, pair in enumerate(rows[0].stem.layers):
            for buffers, part in ((self.keys, 0), (self.values, 1)):
                size = (len(rows), shape[0], self._filled + room, shape[2])
                buffer = torch.empty(size, dtype=_dtype(pair[0]), device=pair[0].device)
                for row, (layers, length) in enumerate(zip(own, lengths, strict=True)):
                    buffer[row, :, : self._filled - length] = 0
                    if length:
                        buffer[row, :, self._filled - length : self._filled] = layers[index][part]
                buffers.append(buffer)
        self._hidden = self._make_mask()

    def _make_mask(self) -> Tensor | None:
        """Return where there is only padding [B, 1, 1, filled], or ``None`` if there is none."""
        if not self._padding.any():
            return None
        places = torch.arange(self._filled) < self._padding[:, None]
        return places[:, None, None].to(self.keys[0].device)

    def select(self, keep: Tensor) -> None:
        """Go on with the given rows, in order."""
        kept = keep.tolist()
        parties = []
        for party in self._parties:
            inside = [at for at, row in enumerate(kept) if party.first <= row < party.last]
            if inside:
                parties.append(_Party(party.stem, inside[0], inside[-1] + 1))
        self._parties = parties
        self._padding = self._padding[keep.cpu()]
        self.keys = [buffer[keep] for buffer in self.keys]
        self.values = [buffer[keep] for buffer in self.values]
        self._hidden = self._make_mask()

    def step(self) -> None:
        """Make room for one more token, before the model is called."""
        self._filled += 1

    def own(self, row: int, length: int) -> Layers:
        """Return a copy of the last ``length`` keys and values of a row, in the model's format."""
        part = slice(self._filled - length, self._filled)
        return tuple(
            (_copy(keys[row, :, part], self._format), _copy(values[row, :, part], self._format))
            for keys, values in zip(self.keys, self.values, strict=True)
        )

    def attend(
        self, layer: int, query: Tensor, key: Tensor, value: Tensor, scaling: float
    ) -> Tensor:
        """Attend with one new token per row: query [B, H, 1, D], key [B, K, 1, D]."""
        now = self._filled
        keys, values = self.keys[layer][:, :, :now], self.values[layer][:, :, :now]
        keys[:, :, now - 1], values[:, :, now - 1] = key[:, :, 0], value[:, :, 0]
        rows, heads, width = keys.shape[0], keys.shape[1], keys.shape[3]
        query = query.view(rows, heads, -1, width).to(keys.dtype) * scaling  # [B, K, H/K, D]
        scores = query @ keys.transpose(2, 3)  # [B, K, H/K, t]
        if self._hidden is not None:
            scores[..., : self._hidden.shape[-1]].masked_fill_(self._hidden, -torch.inf)
        if len(self._parties) == 1 and self._parties[0].last - self._parties[0].first == rows:
            out = _with_stem(query, scores, values, self._parties[0].stem[layer])
        else:
            out = self._mixed(layer, query, scores, values)
        return out.reshape(rows, 1, -1, width).to(value.dtype)

    def _mixed(self, layer: int, query: Tensor, scores: Tensor, values: Tensor) -> Tensor:
        """Attend party by party, and at once for the rows that have no stem."""
        out, done = torch.empty_like(query), 0
        for party in [*self._parties, None]:
            first, last = (party.first, party.last) if party else (len(query), len(query))
            if done < first:
                alone = slice(done, first)
                weights = scores[alone].softmax(-1, dtype=torch.float32).to(values.dtype)
                out[alone] = weights @ values[alone]
            if party:
                part = slice(first, last)
                stem = party.stem[layer]
                out[part] = _with_stem(query[part], scores[part], values[part], stem)
            done = last
        return out


def _with_stem(
    query: Tensor, scores: Tensor, values: Tensor, stem: tuple[Tensor, Tensor]
) -> Tensor:
    """Attend over [stem | own] for rows that share a stem.

    Args:
        query: Scaled queries [B, K, H/K, D].
        scores: Of the own keys [B, K, H/K, t].
        values: Own values [B, K, t, D].
        stem: Keys and values [K, L, D].
    """
    rows, heads, repeat, width = query.shape
    keys, stem_values = stem
    length = keys.shape[1]
    flat = query.transpose(0, 1).reshape(heads, rows * repeat, width)
    shared = torch.bmm(flat, keys.transpose(1, 2)).view(heads, rows, repeat, length)
    joint = torch.cat([shared, scores.transpose(0, 1)], dim=-1)  # [K, B, H/K, L + t]
    weights = joint.softmax(-1, dtype=torch.float32).to(values.dtype)
    shared = weights[..., :length].reshape(heads, rows * repeat, length)
    mixed = torch.bmm(shared, stem_values).view(heads, rows, repeat, width).transpose(0, 1)
    return mixed + weights[..., length:].transpose(0, 1) @ values


def _runs(rows: Sequence[Kept]) -> list[tuple[int, int, Stem]]:
    """Return where each stem's rows begin and end."""
    runs: list[tuple[int, int, Stem]] = []
    for index, row in enumerate(rows):
        if runs and runs[-1][2] is row.stem:
            runs[-1] = (runs[-1][0], index + 1, row.stem)
        else:
            runs.append((index, index + 1, row.stem))
    return runs


def _dtype(like: Tensor) -> torch.dtype:
    """Return the format to attend in: on a CPU, float32 costs nothing and is exact."""
    return torch.float32 if like.device.type == "cpu" else like.dtype


def _copy(part: Tensor, dtype: torch.dtype) -> Tensor:
    return part.to(dtype, copy=True)


def _exact(layers: Layers) -> Layers:
    return tuple((keys.to(_dtype(keys)), values.to(_dtype(values))) for keys, values in layers)

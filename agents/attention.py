"""Exact attention over a packed row: each episode sees its prompt and itself, nothing is masked.

A row holds prompts and, after each, the episodes that share it (``agents/packing.py``). Attention
runs in blocks of queries: a block's keys are the prompt's and the episode's own up to its end. No
mask of the row's size exists, what is hidden is not computed (but within a block), and keys are
not repeated for grouped queries. Scores and softmax are in float32 whatever the model's format.
The backward pass computes a block's probabilities again, so that nothing quadratic is kept. Plain
matrix products only: the same code runs on a CPU and on a GPU.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from transformers import AttentionInterface, PreTrainedModel

from agents.packing import Row
from toolrl_env.core.errors import ConfigurationError

__all__ = ["Attend", "Block", "Plan", "attend_row", "own_attention", "plan_attention", "row_attend"]

_NAME = "toolrl"
_LOCKS: WeakKeyDictionary[PreTrainedModel, threading.RLock] = WeakKeyDictionary()
_NEW_LOCK = threading.Lock()

Attend = Callable[[int, Tensor, Tensor, Tensor, float], Tensor]
"""``(layer, query, key, value, scaling) -> out``: query [B, H, N, D], key and value [B, K, N, D] of
the new tokens, out [B, N, H, D]."""


@dataclass(frozen=True, slots=True)
class Block:
    """Queries that are attended together, and where their keys are.

    Attributes:
        first: Where its first query is.
        last: Where its last query is, plus 1.
        own: Where the segment begins that it is a part of: tokens in one piece, each of which sees
            those before it.
        before: Half-open ranges of the keys that all of the segment sees before its own.
    """

    first: int
    last: int
    own: int
    before: tuple[tuple[int, int], ...] = ()

    @property
    def seen(self) -> int:
        """How many keys its last query sees, itself included."""
        return sum(end - start for start, end in self.before) + self.last - self.own


Plan = tuple[tuple[Block, ...], ...]
"""The blocks of a row, one tuple per segment."""


def cut(start: int, length: int, before: tuple[tuple[int, int], ...] = ()) -> tuple[Block, ...]:
    """Cut a segment into blocks.

    Their size keeps the scores of a block in a processor's second-level cache (700 keys, 9 heads).
    """
    end, size = start + length, 128
    return tuple(Block(at, min(at + size, end), start, before) for at in range(start, end, size))


def plan_attention(row: Row) -> Plan:
    """Return the blocks of a packed row: its prompts' and its episodes' own."""
    plan = []
    for trunk in row.trunks:
        prompt = (trunk.start, trunk.start + trunk.length)
        plan.append(cut(trunk.start, trunk.length))
        plan += [cut(b.start, b.length, (prompt,)) for b in trunk.branches if b.length]
    return tuple(plan)


def attend_row(
    query: Tensor, key: Tensor, value: Tensor, plan: Plan, scaling: float, past: int = 0
) -> Tensor:
    r"""Attend in a packed row: :math:`\mathrm{softmax}(s\,q k^\top) v` over what each query sees.

    Args:
        query: Of H heads, shape [H, N, D].
        key: Of K heads, shape [K, P + N, D]; H is a multiple of K (grouped-query attention).
        value: Like ``key``.
        plan: What the N tokens see.
        scaling: s.
        past: P, the keys that come before those of the queries; ranges of blocks count them too.

    Returns:
        The outcome, shape [N, H, D], differentiable once.
    """
    return _RowAttention.apply(query, key, value, plan, scaling, past)


class _RowAttention(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, plan: Plan, scaling: float, past: int
    ) -> Tensor:
        ctx.save_for_backward(query, key, value)
        ctx.plan, ctx.scaling, ctx.past = plan, scaling, past
        heads, length, width = query.shape
        out = query.new_empty(length, heads, width)
        for segment in plan:
            keys, values = _seen(key, segment, past).float(), _seen(value, segment, past)
            for block in segment:
                queries = _fold(query[:, block.first : block.last], keys).float() * scaling
                weights = _probabilities(queries, keys, block).to(values.dtype)
                mixed = torch.bmm(weights, values[:, : block.seen])  # [K, H/K * m, D]
                out[block.first : block.last] = mixed.view(heads, -1, width).transpose(0, 1)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value = ctx.saved_tensors
        heads, _, width = query.shape
        grad = grad.transpose(0, 1)  # [H, N, D]
        d_query = torch.empty_like(query)
        d_key, d_value = (torch.zeros_like(part, dtype=torch.float32) for part in (key, value))
        for segment in ctx.plan:
            keys, values = (_seen(part, segment, ctx.past) for part in (key, value))
            exact = keys.float()
            for block in segment:
                inside = slice(block.first, block.last)
                queries, outer = _fold(query[:, inside], keys), _fold(grad[:, inside], keys)
                weights = _probabilities(queries.float() * ctx.scaling, exact, block)
                weights = weights.to(key.dtype)  # [K, H/K * m, n]
                _add(d_value, block, ctx.past, torch.bmm(weights.transpose(1, 2), outer))
                slope = torch.bmm(outer, values[:, : block.seen].transpose(1, 2))
                # p * (slope - sum(p * slope)), in one pass
                slope = torch._softmax_backward_data(slope, weights, -1, slope.dtype)
                d_part = torch.bmm(slope, keys[:, : block.seen]).mul_(ctx.scaling)
                d_query[:, inside] = d_part.view(heads, -1, width)
                d_part = torch.bmm(slope.transpose(1, 2), queries * ctx.scaling)
                _add(d_key, block, ctx.past, d_part)
        return d_query, d_key.to(key.dtype), d_value.to(value.dtype), None, None, None


def _seen(source: Tensor, segment: tuple[Block, ...], past: int) -> Tensor:
    """Return the keys (or values) that a segment sees, to its end [K, n, D]."""
    first = segment[0]
    ranges = (*first.before, (first.own + past, segment[-1].last + past))
    parts = [source[:, start:end] for start, end in ranges]
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)


def _fold(part: Tensor, keys: Tensor) -> Tensor:
    """Put the queries of the heads that share a key head under each other [K, H/K * m, D]."""
    return part.reshape(keys.shape[0], -1, part.shape[-1])


def _probabilities(queries: Tensor, keys: Tensor, block: Block) -> Tensor:
    """Return the softmax over the keys that each query of a block sees [K, H/K * m, n]."""
    scores = torch.bmm(queries, keys[:, : block.seen].transpose(1, 2))
    size = block.last - block.first
    later = torch.ones(size, size, dtype=torch.bool, device=scores.device).triu(1)
    corner = scores.view(scores.shape[0], -1, size, block.seen)[..., block.seen - size :]
    corner.masked_fill_(later, -torch.inf)
    return torch.softmax(scores, dim=-1)


def _add(total: Tensor, block: Block, past: int, part: Tensor) -> None:
    """Add a block's gradient of keys (or values) [K, n, D] to all of them [K, P + N, D]."""
    at = 0
    for start, end in (*block.before, (block.own + past, block.last + past)):
        total[:, start:end] += part[:, at : at + end - start]
        at += end - start


def row_attend(plan: Plan) -> Attend:
    """Return attention over one packed row, for ``own_attention``."""

    def attend(_: int, query: Tensor, key: Tensor, value: Tensor, scaling: float) -> Tensor:
        return attend_row(query[0], key[0], value[0], plan, scaling)[None]

    return attend


def _interface(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    _mask: Tensor | None,
    *,
    attend: Attend,
    scaling: float,
    **options: Any,
) -> tuple[Tensor, None]:
    """Answer to transformers' attention interface."""
    if options.get("dropout"):
        raise ConfigurationError("the model drops out attention: put it in evaluation mode")
    for name in ("sliding_window", "softcap", "s_aux", "position_bias"):
        if options.get(name) is not None:
            raise ConfigurationError(
                f"the model's attention has {name}={options[name]!r}; "
                "only full causal attention is supported"
            )
    return attend(module.layer_idx, query, key, value, scaling), None


@contextmanager
def own_attention(model: PreTrainedModel) -> Iterator[None]:
    """Let a model attend by the function that it is called with: ``model(..., attend=attend)``.

    No mask is made meanwhile. A name that has no mask function gets none, which also keeps
    transformers from reading positions that start again as packed sequences. A model is one
    thread's at a time: the others wait here.

    Raises:
        ConfigurationError: The model is in training mode with gradient checkpointing, which would
            attend the usual way in the backward pass; or, when it is called, its attention is not
            plain causal attention.
    """
    if model.training and model.is_gradient_checkpointing:
        raise ConfigurationError(
            "gradient checkpointing is on; turn it off, micro_batches bounds the memory"
        )
    with _NEW_LOCK:
        lock = _LOCKS.setdefault(model, threading.RLock())
    config = model.config.get_text_config()
    with lock:
        before = config._attn_implementation
        config._attn_implementation = _NAME
        try:
            yield
        finally:
            config._attn_implementation = before


AttentionInterface.register(_NAME, _interface)

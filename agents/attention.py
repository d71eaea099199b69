"""Exact attention over a packed row: each episode sees its prompt and itself, nothing is masked.

A row holds prompts and, after each, the episodes that share it (``agents/packing.py``). Attention
runs in blocks of queries: a block's keys are the prompt's and the episode's own up to its end. No
mask of the row's size exists, what is hidden is not computed (but within a block), and keys are
not repeated for grouped queries. Scores and softmax are in float32 whatever the model's format.
The backward pass computes a block's probabilities again, so that nothing quadratic is kept. Plain
matrix products only: the same code runs on a CPU and on a GPU.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from transformers import AttentionInterface, PreTrainedModel

from agents.packing import Row
from toolrl_env.core.errors import ConfigurationError

__all__ = ["ROW_ATTENTION", "Block", "Plan", "attend_row", "plan_attention", "use_attention"]

ROW_ATTENTION = "toolrl_row"


@dataclass(frozen=True, slots=True)
class Block:
    """Queries that are attended together, and where their keys are.

    Attributes:
        first: Where its first query is in the row.
        last: Where its last query is in the row, plus 1.
        own: Where the segment begins that it is a part of: a prompt, or one episode's own tokens.
        prompt: Where the prompt begins.
        shared: Tokens of the prompt to be seen before the segment; 0 if the segment is the prompt.
    """

    first: int
    last: int
    own: int
    prompt: int
    shared: int

    @property
    def seen(self) -> int:
        """How many keys its last query sees, itself included."""
        return self.shared + self.last - self.own


Plan = tuple[tuple[Block, ...], ...]
"""The blocks of a row, one tuple per segment."""


def plan_attention(row: Row, queries: int = 128) -> Plan:
    """Cut a row into blocks of at most ``queries`` queries.

    The default keeps a block's scores in a processor's second-level cache (700 keys, 9 heads).
    """
    plan = []
    for trunk in row.trunks:
        pieces = [(trunk.start, trunk.length, 0)]
        pieces += [(b.start, b.length, trunk.length) for b in trunk.branches if b.length]
        for start, length, shared in pieces:
            end = start + length
            plan.append(
                tuple(
                    Block(at, min(at + queries, end), start, trunk.start, shared)
                    for at in range(start, end, queries)
                )
            )
    return tuple(plan)


def attend_row(query: Tensor, key: Tensor, value: Tensor, plan: Plan, scaling: float) -> Tensor:
    r"""Attend in a packed row: :math:`\mathrm{softmax}(s\,q k^\top) v` over what each query sees.

    Args:
        query: Of H heads, shape [H, N, D].
        key: Of K heads, shape [K, N, D]; H is a multiple of K (grouped-query attention).
        value: Like ``key``.
        plan: From ``plan_attention``, for a row of N tokens.
        scaling: s.

    Returns:
        The outcome, shape [N, H, D], differentiable once.
    """
    return _RowAttention.apply(query, key, value, plan, scaling)


class _RowAttention(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, plan: Plan, scaling: float
    ) -> Tensor:
        ctx.save_for_backward(query, key, value)
        ctx.plan, ctx.scaling = plan, scaling
        heads, length, width = query.shape
        out = query.new_empty(length, heads, width)
        for segment in plan:
            keys, values = _seen(key, segment).float(), _seen(value, segment)
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
            keys, values = _seen(key, segment), _seen(value, segment)
            exact = keys.float()
            for block in segment:
                inside = slice(block.first, block.last)
                queries, outer = _fold(query[:, inside], keys), _fold(grad[:, inside], keys)
                weights = _probabilities(queries.float() * ctx.scaling, exact, block)
                weights = weights.to(key.dtype)  # [K, H/K * m, n]
                _add(d_value, block, torch.bmm(weights.transpose(1, 2), outer))
                slope = torch.bmm(outer, values[:, : block.seen].transpose(1, 2))
                # p * (slope - sum(p * slope)), in one pass
                slope = torch._softmax_backward_data(slope, weights, -1, slope.dtype) * ctx.scaling
                d_query[:, inside] = torch.bmm(slope, keys[:, : block.seen]).view(heads, -1, width)
                _add(d_key, block, torch.bmm(slope.transpose(1, 2), queries))
        return d_query, d_key.to(key.dtype), d_value.to(value.dtype), None, None


def _seen(source: Tensor, segment: tuple[Block, ...]) -> Tensor:
    """Return the keys (or values) of the shared prompt and of the whole segment [K, n, D]."""
    block, end = segment[0], segment[-1].last
    own = source[:, block.own : end]
    if not block.shared:
        return own
    return torch.cat([source[:, block.prompt : block.prompt + block.shared], own], dim=1)


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


def _add(total: Tensor, block: Block, part: Tensor) -> None:
    """Add a block's gradient of keys (or values) [K, n, D] to the row's [K, N, D]."""
    if block.shared:
        total[:, block.prompt : block.prompt + block.shared] += part[:, : block.shared]
    total[:, block.own : block.last] += part[:, block.shared :]


def _interface(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    plan: Plan,
    scaling: float,
    **options: Any,
) -> tuple[Tensor, None]:
    """Answer to transformers' attention interface; query [1, H, N, D], out [1, N, H, D]."""
    refuse_special(options)
    return attend_row(query[0], key[0], value[0], plan, scaling)[None], None


def refuse_special(options: dict[str, Any]) -> None:
    """Raise on a kind of attention that is not plain causal attention.

    Raises:
        ConfigurationError: The model asks for dropout, a sliding window, soft-capped scores, sink
            or position terms.
    """
    if options.get("dropout"):
        raise ConfigurationError("the model drops out attention: put it in evaluation mode")
    for name in ("sliding_window", "softcap", "s_aux", "position_bias"):
        if options.get(name) is not None:
            raise ConfigurationError(
                f"the model's attention has {name}={options[name]!r}; "
                "only full causal attention is supported"
            )


@contextmanager
def use_attention(model: PreTrainedModel, name: str) -> Iterator[None]:
    """Let a model attend in a registered way for a while."""
    config = model.config.get_text_config()
    before = config._attn_implementation
    config._attn_implementation = name
    try:
        yield
    finally:
        config._attn_implementation = before


AttentionInterface.register(ROW_ATTENTION, _interface)
# a name without a mask function gets no mask: the plan says what is seen

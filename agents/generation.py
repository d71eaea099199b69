"""Sampling groups of answers from a causal language model, without doing any work twice.

Each prompt is read once. Its keys and values are then copied to the ``group_size`` answers, which
are decoded together with those of the other prompts; an answer that has ended leaves the batch.
Left padding aligns prompts of different lengths. The mask is always an explicit 4D boolean one:
with no mask, transformers 5 picks ``enable_gqa=True``, which on CPU in bfloat16 is 8 times slower.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel
from transformers.cache_utils import Cache, DynamicLayer

__all__ = ["Completion", "generate", "inverse_cdf"]


@dataclass(frozen=True, slots=True)
class Completion:
    """One sampled answer, as the tokens that were really sampled.

    Attributes:
        token_ids: The sampled ids, with the end token if it was sampled. Never retokenised.
        logprobs: Log-probability of each id under the sampling distribution, same length.
        finished: Whether the end token was sampled (otherwise the token limit cut the answer).
    """

    token_ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    finished: bool


class _Buffer(DynamicLayer):
    """One layer's keys and values in a buffer that is written in place (no concatenation)."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room, self.length = room, 0

    def update(self, key_states: Tensor, value_states: Tensor, *_: object, **__: object) -> tuple:
        """Append along the time axis; return views of everything so far [B, H, t, D]."""
        if not self.is_initialized:
            batch, heads, _, width = key_states.shape
            self.keys = key_states.new_empty(batch, heads, self.room, width)
            self.values = value_states.new_empty(batch, heads, self.room, width)
            self.is_initialized = True
        end = self.length + key_states.shape[2]
        self.keys[:, :, self.length : end] = key_states
        self.values[:, :, self.length : end] = value_states
        self.length = end
        return self.keys[:, :, :end], self.values[:, :, :end]

    def get_seq_length(self) -> int:
        """Return the number of positions written."""
        return self.length

    def select(self, rows: Tensor) -> None:
        """Keep (or repeat) the given rows of the batch."""
        self.keys, self.values = self.keys[rows], self.values[rows]


def inverse_cdf(logits: Tensor, uniforms: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    r"""Sample one token per row by inverting the cumulative distribution.

    :math:`x = \min\{i : \sum_{j \le i} p_j > u\}` with :math:`p = \mathrm{softmax}(z / T)`.
    Temperature 0 takes the most likely token. Ten times cheaper than ``multinomial``.

    Args:
        logits: Scores, shape [B, V], float32.
        uniforms: Draws from [0, 1), shape [B]; unused at temperature 0.
        temperature: At least 0.

    Returns:
        Ids [B] and their log-probabilities [B] (at temperature 0: those of temperature 1).
    """
    if logits.ndim != 2 or uniforms.shape != logits.shape[:1]:
        raise ValueError(f"logits {tuple(logits.shape)} and uniforms {tuple(uniforms.shape)}")
    if temperature == 0:
        ids = logits.argmax(-1)
        return ids, logits.log_softmax(-1).gather(1, ids[:, None])[:, 0]
    logprobs = (logits / temperature).log_softmax(-1)
    cumulative = logprobs.exp().cumsum(-1)
    targets = uniforms[:, None] * cumulative[:, -1:]  # rounding leaves the total off 1
    ids = torch.searchsorted(cumulative, targets, right=True)[:, 0].clamp_(max=logits.shape[1] - 1)
    return ids, logprobs.gather(1, ids[:, None])[:, 0]


@torch.no_grad()
def generate(
    model: PreTrainedModel,
    contexts: Sequence[Sequence[int]],
    samples_per_context: int | Sequence[int] = 1,
    *,
    max_new_tokens: int | Sequence[int],
    eos_id: int,
    temperature: float = 1.0,
    rngs: Sequence[np.random.Generator],
) -> list[list[Completion]]:
    """Sample answers to every context, each of which is read once.

    Args:
        model: A decoder whose body is ``model.base_model`` and whose head is ``lm_head``.
        contexts: Token ids, one non-empty sequence per context; lengths may differ.
        samples_per_context: Answers to each context; one number for all, or one per context.
        max_new_tokens: Tokens, at least 1, after which an unfinished answer is cut; one number for
            all, or one per context.
        eos_id: The token that ends an answer.
        temperature: 1 samples from the model itself, 0 is greedy.
        rngs: One per answer, context after context (``rng.spawn(rows)`` gives them). Each is asked
            for ``max_new_tokens`` uniforms up front: an answer depends on its own generator and
            never on its neighbours (but for rounding), nor on when they end.

    Returns:
        One list of completions per context.
    """
    samples = _per_context(samples_per_context, len(contexts), "samples_per_context")
    limits = _per_context(max_new_tokens, len(contexts), "max_new_tokens")
    if not contexts or any(len(context) == 0 for context in contexts):
        raise ValueError("every context needs at least one token")
    rows = sum(samples)
    if len(rngs) != rows:
        raise ValueError(f"{len(rngs)} generators for {rows} answers")
    parents = torch.arange(len(contexts)).repeat_interleave(torch.tensor(samples))
    room = max(limits)
    left = torch.tensor(limits)[parents]
    draws = torch.from_numpy(
        np.stack([rng.random(room, dtype=np.float32) for rng in rngs], axis=1)
    )  # [room, rows]
    state = _prefill(model, contexts, room)
    state.select(parents)

    alive = torch.arange(rows)  # which answer each row of the batch is
    written: list[list[tuple[int, float]]] = [[] for _ in range(rows)]
    for position in range(room):
        logits = model.lm_head(state.hidden).float()  # [B, V]
        ids, chosen = inverse_cdf(logits, draws[position, alive], temperature)
        for row, token, logprob in zip(alive.tolist(), ids.tolist(), chosen.tolist(), strict=True):
            written[row].append((token, logprob))
        keep = ((ids != eos_id) & (left[alive] > position + 1)).nonzero()[:, 0]
        if len(keep) == 0:
            break
        if len(keep) < len(alive):
            state.select(keep)
            alive, ids = alive[keep], ids[keep]
        state.advance(model, ids)
    done = iter([_completion(answer, eos_id) for answer in written])
    return [[next(done) for _ in range(size)] for size in samples]


def _per_context(value: int | Sequence[int], contexts: int, name: str) -> list[int]:
    """Return one number, at least 1, per context."""
    values = [value] * contexts if isinstance(value, int) else list(value)
    if len(values) != contexts or any(number < 1 for number in values):
        raise ValueError(f"{name}={value!r}; it must be at least 1, for {contexts} contexts")
    return values


def _completion(written: Sequence[tuple[int, float]], eos_id: int) -> Completion:
    tokens, logprobs = zip(*written, strict=True)
    return Completion(tokens, logprobs, tokens[-1] == eos_id)


@dataclass
class _DecodeState:
    """Everything a batch of half-written answers needs for its next token."""

    cache: Cache
    hidden: Tensor  # [B, D], at the last position
    visible: Tensor  # [B, room], True where a key may be looked at
    lengths: Tensor  # [B], tokens so far, padding not counted

    def select(self, rows: Tensor) -> None:
        for layer in self.cache.layers:
            layer.select(rows)
        self.hidden, self.visible = self.hidden[rows], self.visible[rows]
        self.lengths = self.lengths[rows]

    def advance(self, model: PreTrainedModel, ids: Tensor) -> None:
        """Feed one token per row."""
        seen = self.cache.get_seq_length() + 1
        out = model.base_model(
            input_ids=ids[:, None],
            attention_mask=self.visible[:, None, None, :seen],
            position_ids=self.lengths[:, None],
            past_key_values=self.cache,
            use_cache=True,
        )
        self.hidden = out.last_hidden_state[:, -1]
        self.lengths = self.lengths + 1


def _prefill(model: PreTrainedModel, prompts: Sequence[Sequence[int]], room: int) -> _DecodeState:
    """Read the prompts, left-padded to the longest, each once."""
    lengths = torch.tensor([len(prompt) for prompt in prompts])
    longest = int(lengths.max())
    ids = torch.zeros(len(prompts), longest, dtype=torch.long)
    for row, prompt in enumerate(prompts):
        ids[row, longest - len(prompt) :] = torch.tensor(list(prompt))
    visible = torch.ones(len(prompts), longest + room, dtype=torch.bool)
    visible[:, :longest] = torch.arange(longest) >= (longest - lengths)[:, None]
    causal = torch.ones(longest, longest, dtype=torch.bool).tril()
    # a padding query looks at itself, so that no row of the softmax is empty
    mask = (causal & visible[:, None, :longest]) | torch.eye(longest, dtype=torch.bool)
    count = model.config.get_text_config().num_hidden_layers
    cache = Cache(layers=[_Buffer(longest + room) for _ in range(count)])
    out = model.base_model(
        input_ids=ids,
        attention_mask=mask[:, None],  # [P, 1, L, L]
        position_ids=(torch.arange(longest) - (longest - lengths)[:, None]).clamp(min=0),
        past_key_values=cache,
        use_cache=True,
    )
    return _DecodeState(cache, out.last_hidden_state[:, -1], visible, lengths)

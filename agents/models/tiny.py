"""A Llama of about a million fresh parameters, with a tokenizer made from the environment's text.

It has everything that the real model has (grouped-query attention, tied head, a chat template, end
token used for padding) and learns short procedural tasks from scratch within a minute on one core.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

import toolrl_env  # noqa: F401  # registers the ids
from agents.env_kwargs import make_env

__all__ = ["create", "make_model", "make_tokenizer"]

_START, _END = "<|im_start|>", "<|im_end|>"
_CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_PIECES = r"\p{L}+|\p{N}|[^\p{L}\p{N}]+"
"""Words, digits, and what stands between them. A word never joins the space before it, so it has
the same tokens in the question and inside JSON: copying is then easier to learn."""


def create(
    env_id: str, env_kwargs: Mapping[str, Any], seed: int, texts: int = 300
) -> tuple[LlamaForCausalLM, PreTrainedTokenizerFast]:
    """Return a fresh model for an environment.

    Args:
        env_id: The environment whose prompts and gold answers the tokenizer is trained on.
        env_kwargs: For ``gym.make``.
        seed: Of the weights. The tokenizer does not depend on it.
        texts: Tasks read for the tokenizer.
    """
    env = make_env(env_id, env_kwargs)

    def read() -> Iterable[str]:
        for index in range(texts):
            _, info = env.reset(seed=index)
            yield from (message["content"] for message in info["messages"])
            yield env.unwrapped.gold_answer()

    tokenizer = make_tokenizer(read())
    return make_model(tokenizer, seed), tokenizer


def make_tokenizer(texts: Iterable[str], vocabulary: int = 1024) -> PreTrainedTokenizerFast:
    """Train a byte-level BPE tokenizer with a chat template. Any text survives a round trip."""
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[_START, _END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator(texts, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core, bos_token=_START, eos_token=_END, pad_token=_END
    )
    tokenizer.chat_template = _CHAT_TEMPLATE
    return tokenizer


def make_model(
    tokenizer: PreTrainedTokenizerFast, seed: int, *, hidden: int = 128, layers: int = 2
) -> LlamaForCausalLM:
    """Return a Llama with fresh weights drawn from ``seed``; torch's global generator is untouched.

    Args:
        tokenizer: Gives the vocabulary and the end token.
        seed: Of the weights.
        hidden: Width, a multiple of 32.
        layers: Depth.
    """
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden,
        intermediate_size=3 * hidden,
        num_hidden_layers=layers,
        num_attention_heads=hidden // 32,
        num_key_value_heads=max(1, hidden // 64),
        max_position_embeddings=4096,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=None,
        initializer_range=0.04,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return LlamaForCausalLM(config).eval()

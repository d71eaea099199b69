"""The work of a GRPO step that is measured: how much, on what model, how many operations."""

from __future__ import annotations

import resource
import time
from dataclasses import dataclass

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

__all__ = ["Figures", "Point", "load", "matmul_speed", "peak_memory", "prompt_text", "update_flops"]

_WORDS = (" the", " of", " and", " house", " red", " tool", " call", " value", " list")


@dataclass(frozen=True)
class Point:
    """How much work: tokens of the prompt and of each answer, answers to the prompt."""

    prompt: int
    answer: int
    group: int

    @classmethod
    def parse(cls, text: str) -> Point:
        """Read ``prompt/answer/group``."""
        return cls(*(int(part) for part in text.split("/")))


@dataclass(frozen=True)
class Figures:
    """What one process measured.

    Attributes:
        generate: CPU seconds of sampling, per step.
        update: CPU seconds of everything else, per step.
        peak_gib: Peak of resident memory.
        peak_gflops: Speed of a matrix product, in 1e9 operations a second; 0 if not measured.
    """

    generate: tuple[float, ...]
    update: tuple[float, ...]
    peak_gib: float
    peak_gflops: float = 0.0


def load(dtype: torch.dtype) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Return SmolLM2 and its tokenizer."""
    from agents.models import load_folder, smollm2

    model, tokenizer = load_folder(smollm2.folder())
    return model.to(dtype), tokenizer


def prompt_text(tokenizer: PreTrainedTokenizerBase, tokens: int) -> str:
    """Return words that the tokenizer makes ``tokens`` tokens of."""
    choice = np.random.default_rng(0).choice(_WORDS, tokens)
    text = "".join(choice.tolist())
    count = len(tokenizer(text).input_ids)
    if count != tokens:
        raise ValueError(f"the prompt has {count} tokens, not {tokens}")
    return text


def peak_memory() -> float:
    """Return the peak of this process's resident memory in GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def matmul_speed(size: int = 2048, rounds: int = 5) -> float:
    """Return the best speed of a bfloat16 matrix product, in 1e9 operations per CPU second."""
    matrix = torch.randn(size, size).to(torch.bfloat16)
    best = 0.0
    for _ in range(rounds):
        began = time.process_time()
        matrix @ matrix
        best = max(best, 2 * size**3 / (time.process_time() - began) / 1e9)
    return best


def update_flops(point: Point) -> float:
    """Return the operations that our update needs (SmolLM2-135M), forward and backward."""
    layers, width, inner, heads, kv_heads, size = 30, 576, 1536, 9, 3, 64
    vocabulary = 49152
    weights = layers * (width * (2 * heads + 2 * kv_heads) * size + 3 * width * inner)
    own = point.answer - 1  # the last token of an answer predicts nothing
    row = point.prompt + point.group * own
    pairs = point.prompt**2 / 2 + point.group * own * (point.prompt + own / 2)
    attention = layers * heads * size * 2 * pairs  # scores and mix, one multiplication each
    head = point.group * point.answer * vocabulary * width
    return 6 * (weights * row + attention + head)

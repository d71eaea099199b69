"""Text to vectors of a fixed size: hashed n-grams, or whatever a callable makes of it."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolrl_env.core.checks import whole_number
from toolrl_env.core.errors import ConfigurationError
from toolrl_env.wrappers.numeric.words import tokens

__all__ = ["LIMIT", "FloatVector", "HashedNgrams", "TextEncoder", "checked_encoder"]

FloatVector = NDArray[np.float32]
LIMIT = 10.0
"""Observations are cut to [-10, 10]; unit vectors, which most sentence encoders make, never are."""
TextEncoder = Callable[[str], Any]
"""Text to a one-dimensional array of finite numbers, of the same size for every text."""


@dataclass(frozen=True, slots=True)
class HashedNgrams:
    """The default encoder: signed hashing of word stems and of pairs of them, to unit length.

    The same on every machine and in every process (CRC-32, no salt).

    Args:
        dim: Size of the vector.

    Raises:
        ConfigurationError: ``dim`` is no integer from 1 to 65536.

    >>> HashedNgrams(8)("Convert 3 miles").shape
    (8,)
    """

    dim: int = 64

    def __post_init__(self) -> None:
        """Check the size."""
        whole_number("dim", self.dim, 1, 65_536)

    def __call__(self, text: str) -> FloatVector:
        """Return the vector of a text: float32, shape ``(dim,)``, length 1 or, without words, 0."""
        return _hashed(text, self.dim)


@lru_cache(maxsize=8192)
def _hashed(text: str, dim: int) -> FloatVector:
    words = tokens(text)
    pairs = [f"{one} {two}" for one, two in itertools.pairwise(words)]
    vector = np.zeros(dim, np.float32)
    for gram in (*words, *pairs):
        code = zlib.crc32(gram.encode("utf-8", "replace"))
        vector[(code >> 1) % dim] += 1.0 if code & 1 else -1.0
    length = float(np.linalg.norm(vector))
    if length > 0:
        vector /= np.float32(length)
    vector.setflags(write=False)
    return vector


def checked_encoder(encoder: TextEncoder | None, dim: int) -> tuple[TextEncoder, int]:
    """Return the encoder to use and the size of what it makes.

    Args:
        encoder: A callable, or ``None`` for hashed n-grams.
        dim: Size of the hashed n-grams.

    Raises:
        ConfigurationError: What it makes of two texts is not a vector of the same size.
    """
    if encoder is None:
        return HashedNgrams(dim), dim
    shapes = {np.shape(encoder(text)) for text in ("", "How many miles are 3 kilometres?")}
    if len(shapes) != 1 or len(next(iter(shapes))) != 1:
        raise ConfigurationError(
            f"encoder={encoder!r:.80} makes arrays of shapes {sorted(shapes)}; "
            "allowed: a callable that makes a one-dimensional array of one size of every str"
        )
    return encoder, next(iter(shapes))[0]

"""A Gymnasium space of Unicode text that is fast, vectorises and survives shared memory.

``gymnasium.spaces.Text`` checks every character against a charset, which takes milliseconds on a
prompt, rejects most of Unicode, and in ``AsyncVectorEnv``'s default shared-memory mode returns
wrong strings silently. ``UnicodeText`` checks the length alone and registers its own
shared-memory functions, so ``gym.make_vec(..., vectorization_mode="async")`` works as it is.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from typing import Any, NoReturn, overload

import numpy as np
from gymnasium.spaces import Text
from gymnasium.vector.utils import create_empty_array
from gymnasium.vector.utils.shared_memory import (
    create_shared_memory,  # pyright: ignore[reportUnknownVariableType]  # partly annotated there
    read_from_shared_memory,
    write_to_shared_memory,
)

from toolrl_env.core.errors import ConfigurationError

__all__ = ["UnicodeText"]

_SAMPLE_CHARS = 256
_SAMPLE_ALPHABET = (
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    " \n\t{}[]()<>/\\\"':,._-+=*&^%$#@!?|~`"
    "äéßñçøđžабвгдαβγδאבجد中文日本語한국어€→😀"
)
_LENGTH_BYTES = 8


class UnicodeText(Text):
    """All strings of at most ``max_length`` characters, whatever the characters.

    Args:
        max_length: Longest string, in characters (code points).
        seed: Seed for ``sample``.

    ``sample`` draws strings of at most 256 characters from a mixed alphabet, since uniform strings
    of the full length are of no use to anyone. ``character_set``, inherited, is empty.

    >>> space = UnicodeText(10)
    >>> "naïve 😀" in space, "x" * 11 in space, 3 in space
    (True, False, False)
    """

    def __init__(self, max_length: int, *, seed: int | np.random.Generator | None = None) -> None:
        super().__init__(max_length, min_length=0, charset="", seed=seed)

    def contains(self, x: Any) -> bool:
        """Return whether ``x`` is a string of at most ``max_length`` characters."""
        return isinstance(x, str) and len(x) <= self.max_length

    def sample(self, mask: Any = None, probability: Any = None) -> str:
        """Return a random string of at most 256 characters.

        Raises:
            ValueError: ``mask`` or ``probability`` is given; neither means anything here.
        """
        if mask is not None or probability is not None:
            raise ValueError("UnicodeText.sample takes neither mask nor probability")
        longest = min(self.max_length, _SAMPLE_CHARS)
        length = int(self.np_random.integers(0, longest + 1))
        picks = self.np_random.integers(0, len(_SAMPLE_ALPHABET), size=length)
        return "".join(_SAMPLE_ALPHABET[i] for i in picks)

    @property
    def is_np_flattenable(self) -> bool:
        """False: text has no fixed-size numeric form. See the feature wrappers for one."""
        return False

    @property
    def spaces(self) -> NoReturn:
        """Text has no parts. Numeric libraries ask for them first, and learn here what to do.

        Stable-Baselines3 looks for ``spaces`` before it allocates arrays by the ``shape``, which is
        ``None`` here: without this, a forgotten wrapper ends in a ``TypeError`` about ``None``.

        Raises:
            ConfigurationError: Always; names the wrappers that make an environment numeric.
        """
        raise ConfigurationError(
            "this environment speaks text, and Stable-Baselines3 and its like need numbers: wrap "
            "it in toolrl_env.wrappers.CandidateActions (a Discrete choice among candidate calls) "
            "or toolrl_env.wrappers.ComposedActions (MultiDiscrete: a tool and its arguments), "
            "e.g. CandidateActions(gym.make(...))"
        )

    def __repr__(self) -> str:
        """Return ``UnicodeText(max_length)``."""
        return f"UnicodeText({self.max_length})"

    def __eq__(self, other: object, /) -> bool:
        """Equal if of the same class and length."""
        return isinstance(other, UnicodeText) and self.max_length == other.max_length

    __hash__ = None  # pyright: ignore[reportAssignmentType]  # like gymnasium.spaces.Text


def _slot_bytes(space: UnicodeText) -> int:
    return _LENGTH_BYTES + 4 * space.max_length  # UTF-8 takes at most 4 bytes a code point


@create_empty_array.register(UnicodeText)
def _create_empty_text(space: UnicodeText, n: int = 1, fn: Any = np.zeros) -> tuple[str, ...]:
    del space, fn
    return ("",) * n


@create_shared_memory.register(UnicodeText)
def _create_text_memory(space: UnicodeText, n: int = 1, ctx: Any = multiprocessing) -> Any:
    return ctx.Array("B", n * _slot_bytes(space))


@write_to_shared_memory.register(UnicodeText)
def _write_text_memory(space: UnicodeText, index: int, value: str, shared_memory: Any) -> None:
    data = value.encode("utf-8", "surrogatepass")
    if len(value) > space.max_length:
        raise ValueError(f"text of {len(value)} characters does not fit {space!r}")
    slot = _slot_bytes(space)
    view = np.frombuffer(shared_memory.get_obj(), dtype=np.uint8)[index * slot : (index + 1) * slot]
    view[:_LENGTH_BYTES] = np.frombuffer(len(data).to_bytes(_LENGTH_BYTES, "little"), np.uint8)
    view[_LENGTH_BYTES : _LENGTH_BYTES + len(data)] = np.frombuffer(data, np.uint8)


class _SharedTexts(Sequence[str]):
    """A live view of texts in shared memory.

    ``AsyncVectorEnv`` reads the memory once and from then on returns a deep copy of what it read,
    which is why its plain text never changes. A deep copy of this view is the present texts, as a
    tuple; with ``copy=False`` a caller holds the view itself, as with arrays.
    """

    def __init__(self, shared_memory: Any, n: int, slot: int) -> None:
        self._slots = np.frombuffer(shared_memory.get_obj(), dtype=np.uint8).reshape(n, slot)

    def __len__(self) -> int:
        return len(self._slots)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[str, ...]: ...
    def __getitem__(self, index: int | slice) -> str | tuple[str, ...]:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(len(self))))
        slot = self._slots[index]
        length = int.from_bytes(slot[:_LENGTH_BYTES].tobytes(), "little")
        data = slot[_LENGTH_BYTES : _LENGTH_BYTES + length].tobytes()
        return data.decode("utf-8", "surrogatepass")

    def __deepcopy__(self, memo: dict[int, Any]) -> tuple[str, ...]:
        del memo
        return tuple(self)

    def __repr__(self) -> str:
        return repr(tuple(self))


@read_from_shared_memory.register(UnicodeText)  # pyright: ignore[reportArgumentType]  # a live Sequence, not a tuple
def _read_text_memory(space: UnicodeText, shared_memory: Any, n: int = 1) -> Sequence[str]:
    return _SharedTexts(shared_memory, n, _slot_bytes(space))

"""Splits by a stable hash: 80 % train, 10 % validation, 10 % test."""

from __future__ import annotations

import hashlib

from toolrl_env.core.errors import UnknownName
from toolrl_env.core.types import Task

__all__ = ["SPLITS", "check_split", "in_split", "split_of"]

SPLITS = ("train", "validation", "test", "all")


def check_split(split: str) -> None:
    """Check that ``split`` is one of ``SPLITS``.

    Raises:
        UnknownName: It is not.
    """
    if split not in SPLITS:
        raise UnknownName("split", split, SPLITS)


def split_of(text: str) -> str:
    r"""Return the split of a row that opens with ``text``; white space and case do not count.

    The same on every machine and in every version of Python.

    >>> split_of("What time is it?") == split_of("  what time\nis it? ")
    True
    """
    normal = " ".join(text.split()).casefold()
    bucket = hashlib.sha256(normal.encode("utf-8", "surrogatepass")).digest()[0:8]
    tenth = int.from_bytes(bucket, "big") % 10
    if tenth < 8:
        return "train"
    return "validation" if tenth == 8 else "test"


def in_split(task: Task, split: str) -> bool:
    """Return whether ``task`` belongs to ``split``.

    What is hashed is the message that opens the dialogue. So rows that are copies of one another,
    the steps of one dialogue, and a request with and without its tools masked or removed all land
    in the same split.
    """
    return split == "all" or split_of(task.messages[0].content) == split

"""Lists of words."""

from __future__ import annotations

from typing import Literal

from toolrl_env.tools.suites.common import Words

__all__ = ["common_items", "longest_item", "remove_duplicates", "sort_items"]


def sort_items(items: Words, order: Literal["ascending", "descending"] = "ascending") -> list[str]:
    """Sort words by the alphabet, ascending or descending.

    Args:
        items: The words.
        order: Which way.
    """
    return sorted(items, key=lambda item: (item.casefold(), item), reverse=order == "descending")


def common_items(first: Words, second: Words) -> list[str]:
    """Words that two lists share.

    Args:
        first: One list.
        second: The other list.
    """
    other = set(second)
    return [item for item in dict.fromkeys(first) if item in other]


def remove_duplicates(items: Words) -> list[str]:
    """List with repeated words dropped.

    Args:
        items: The words.
    """
    return list(dict.fromkeys(items))


def longest_item(items: Words) -> str:
    """Longest word of a list.

    Args:
        items: The words.
    """
    return max(items, key=len, default="")

"""Words and letters."""

from __future__ import annotations

import zlib
from typing import Annotated, Literal

from toolrl_env.tools.signature import Limits
from toolrl_env.tools.suites.common import Text
from toolrl_env.tools.tool import ToolError

__all__ = [
    "caesar_cipher",
    "change_case",
    "checksum",
    "count_letter",
    "count_words",
    "luhn_check",
    "reverse_text",
]


def count_words(text: Text) -> int:
    """Number of words in a text.

    Args:
        text: The text.
    """
    return len(text.split())


def count_letter(text: Text, letter: Annotated[str, Limits(1, 1)]) -> int:
    """How often a letter occurs in a text.

    Args:
        text: The text.
        letter: One letter; case does not matter.
    """
    return text.lower().count(letter.lower())


def reverse_text(text: Text) -> str:
    """Text with its letters backwards.

    Args:
        text: The text.
    """
    return text[::-1]


def change_case(text: Text, style: Literal["upper", "lower", "title", "snake"]) -> str:
    """Rewrite a text in upper, lower, title or snake case.

    Args:
        text: The text.
        style: The case wanted.
    """
    if style == "snake":
        return "_".join(text.lower().split())
    return {"upper": text.upper, "lower": text.lower, "title": text.title}[style]()


def caesar_cipher(text: Text, shift: Annotated[int, Limits(-25, 25)]) -> str:
    """Shift every letter along the alphabet.

    Args:
        text: The text.
        shift: Places to move, from -25 to 25.
    """
    return "".join(_shifted(character, shift) for character in text)


def _shifted(character: str, shift: int) -> str:
    if not (character.isascii() and character.isalpha()):
        return character
    first = ord("a") if character.islower() else ord("A")
    return chr(first + (ord(character) - first + shift) % 26)


def checksum(text: Text) -> str:
    """CRC-32 checksum of a text.

    Args:
        text: The text, encoded as UTF-8.
    """
    return f"{zlib.crc32(text.encode('utf-8', 'surrogatepass')):08x}"


def luhn_check(digits: Annotated[str, Limits(2, 64)]) -> bool:
    """Whether a number passes the Luhn check.

    Args:
        digits: The number's digits.

    Raises:
        ToolError: There is something else than digits.
    """
    if not (digits.isascii() and digits.isdigit()):
        raise ToolError("only digits can be checked")
    doubled = [int(d) * (1 + position % 2) for position, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0

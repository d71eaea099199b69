"""Finding the examples in a Markdown file and running them.

- ```` ```python ```` blocks of a file run in order, in one module.
- ```` ```console ```` blocks hold lines ``$ command`` and, below each, some of its output. Commands
  ``toolrl …`` and ``python -m …`` run, unless they end in ``# slow: …``; others (``make``, ``pip``)
  set a machine up and are only looked at.
- A ```` ```text ```` block right after a python block is everything that it prints.
"""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
OWN_VENV = ("openenv", "verifiers", "verl")
"""Trainers whose dependencies collide with ours; `make test-trainers` runs their pages."""
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *(page for page in sorted((ROOT / "docs/trainers").glob("*.md")) if page.stem not in OWN_VENV),
]
SLOW = "# slow: "
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block.

    Attributes:
        page: The file.
        line: Line of its first line, from 1.
        language: What stands after the fence.
        text: What is in it.
        printed: What a ``text`` block right below says that it prints, or ``None``.
    """

    page: Path
    line: int
    language: str
    text: str
    printed: str | None


class Command(NamedTuple):
    """A command of a console block.

    Attributes:
        line: Line in the page.
        text: The command as it stands, without the marker.
        slow: Why it is not run, or ``""``.
        shown: Lines of output that the page shows.
    """

    line: int
    text: str
    slow: str
    shown: tuple[str, ...]

    @property
    def program(self) -> str:
        """Return ``toolrl``, ``python``, ``make`` …"""
        return self.text.split()[0]

    def arguments(self) -> list[str]:
        """Return the command line for ``subprocess``."""
        words = shlex.split(self.text)
        if words[0] == "toolrl":
            return [sys.executable, "-m", "toolrl_env.cli", *words[1:]]
        return [sys.executable, *words[1:]]


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    text = page.read_text("utf-8")
    found = list(_FENCE.finditer(text))
    result = []
    for match, following in zip(found, [*found[1:], None], strict=True):
        printed = None
        if following is not None and following[1] == "text":
            between = text[match.end() : following.start()]
            printed = following[2] if not between.strip() else None
        line = text.count("\n", 0, match.start()) + 2
        result.append(Block(page, line, match[1], match[2], printed))
    return result


def commands(block: Block) -> list[Command]:
    """Return the commands of a console block."""
    found: list[Command] = []
    for number, line in enumerate(block.text.splitlines(), block.line):
        if line.startswith("$ "):
            text, _, slow = line[2:].partition(SLOW)
            found.append(Command(number, text.strip(), slow, ()))
        elif line.strip():
            assert found, f"{block.page.name}:{number}: output before any command"
            found[-1] = found[-1]._replace(shown=(*found[-1].shown, line))
    return found

"""Prompt skeletons for the ``toolrl`` protocol: fixed wording with slots for tools and dialogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toolrl_env.core.errors import ConfigurationError, DataError
from toolrl_env.core.types import Message, Task, ToolSpec
from toolrl_env.prompts.toolrl import render_dialogue, render_signatures, render_tools
from toolrl_env.prompts.toolrl_reader import read_dialogue, read_system

__all__ = ["DIALOGUE_SLOT", "SIGNATURES_SLOT", "TOOLS_SLOT", "USER_MARK", "PromptTemplate"]

TOOLS_SLOT = "{{tools}}"
"""Stands for the numbered tool entries of the paper."""
SIGNATURES_SLOT = "{{signatures}}"
"""Stands for one line per tool, for short prompts."""
DIALOGUE_SLOT = "{{dialogue}}"
"""Stands for the dialogue in the user text."""
USER_MARK = "--- user ---"
"""Line of a skeleton file after which the user text begins."""

_RENDERERS = {TOOLS_SLOT: render_tools, SIGNATURES_SLOT: render_signatures}


@dataclass(frozen=True)
class PromptTemplate:
    r"""A skeleton of the two texts that the ``toolrl`` protocol sends.

    Attributes:
        system: System text with ``{{tools}}`` or ``{{signatures}}`` in it exactly once.
        user: User text with ``{{dialogue}}`` in it exactly once.

    Raises:
        ConfigurationError: A slot is missing or there twice.

    >>> template = PromptTemplate("Tools:\n{{signatures}}")
    >>> template.render([ToolSpec("now", "The time")])
    'Tools:\nnow(): The time'
    """

    system: str
    user: str = DIALOGUE_SLOT
    _slot: str = field(init=False, repr=False, compare=False, default="")
    _system_ends: tuple[str, str] = field(init=False, repr=False, compare=False, default=("", ""))
    _user_ends: tuple[str, str] = field(init=False, repr=False, compare=False, default=("", ""))

    def __post_init__(self) -> None:
        """Cut both texts at their slots, once, so that what fills a slot is never searched."""
        slots = [slot for slot in _RENDERERS for _ in range(self.system.count(slot))]
        if len(slots) != 1:
            raise ConfigurationError(
                f"the system text of a template needs exactly one {TOOLS_SLOT} or "
                f"{SIGNATURES_SLOT}, this one has {len(slots)}: {self.system[:80]!r}"
            )
        if self.user.count(DIALOGUE_SLOT) != 1:
            raise ConfigurationError(
                f"the user text of a template needs exactly one {DIALOGUE_SLOT}, this one has "
                f"{self.user.count(DIALOGUE_SLOT)}: {self.user[:80]!r}"
            )
        head, _, tail = self.system.partition(slots[0])
        object.__setattr__(self, "_slot", slots[0])
        object.__setattr__(self, "_system_ends", (head, tail))
        head, _, tail = self.user.partition(DIALOGUE_SLOT)
        object.__setattr__(self, "_user_ends", (head, tail))

    def render(self, tools: Sequence[ToolSpec]) -> str:
        """Return the system text that offers ``tools``."""
        head, tail = self._system_ends
        return head + _RENDERERS[self._slot](tools) + tail

    def render_user(self, messages: Sequence[Message]) -> str:
        """Return the user text with the dialogue ``messages``."""
        head, tail = self._user_ends
        return head + render_dialogue(messages) + tail

    @classmethod
    def from_file(cls, path: str | Path) -> PromptTemplate:
        """Read a skeleton from a UTF-8 file.

        It holds the system text and then, if the user text is to be more than the dialogue, a line
        ``--- user ---`` and the user text. One newline at the end of the file is dropped.

        Raises:
            DataError: The file cannot be read or is not UTF-8.
            ConfigurationError: A slot is missing or there twice.
        """
        try:
            text = Path(path).read_bytes().decode("utf-8").replace("\r\n", "\n")
        except OSError as error:
            raise DataError(f"template {str(path)!r} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise DataError(f"template {str(path)!r} is not UTF-8: {error}") from error
        except ValueError as error:  # a null byte in the name
            raise DataError(f"template {str(path)!r} cannot be read: {error}") from error
        system, mark, user = text.removesuffix("\n").partition(f"\n{USER_MARK}\n")
        return cls(system, user) if mark else cls(system)

    @classmethod
    def derive(cls, row: Task | Mapping[str, Any] | str) -> PromptTemplate:
        """Take the skeleton out of a real row: everything around its tools and its dialogue.

        Args:
            row: A task that kept its own prompt, a raw row with ``instruction`` and ``input`` (or
                ``system`` and ``user``), or a system text alone.

        Raises:
            DataError: The row has no prompt of the paper's layout.
        """
        system, user = _texts(row)
        head, _, tail = read_system(system)
        if user is None:
            return cls(head + TOOLS_SLOT + tail)
        return cls(head + TOOLS_SLOT + tail, read_dialogue(user).head + DIALOGUE_SLOT)


def _texts(row: Task | Mapping[str, Any] | str) -> tuple[str, str | None]:
    if isinstance(row, str):
        return row, None
    if isinstance(row, Task):
        if row.system is None:
            raise DataError(f"task {row.id!r} has no prompt of its own to derive a template from")
        return row.system, row.user
    for system, user in (("instruction", "input"), ("system", "user")):
        if isinstance(row.get(system), str) and isinstance(row.get(user), str):
            return row[system], row[user]
    raise DataError(
        "a row to derive a template from has instruction and input, or system and user; "
        f"this one has {', '.join(map(str, row))}"
    )

"""What the commands print with: consoles, and tools laid out for a person."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from toolrl_env.core.types import ToolSpec
from toolrl_env.envs.render import printable

__all__ = ["new_console", "print_block", "print_line", "print_tools"]


def new_console(*, stderr: bool = False) -> Console:
    """Return a console; where there is no terminal, its output is plain and 100 columns wide."""
    plain = Console(stderr=stderr, highlight=False, soft_wrap=False)
    if plain.is_terminal:
        return plain
    return Console(stderr=stderr, highlight=False, width=100)


def print_line(console: Console, text: str, style: str | None = None) -> None:
    """Print a line as it stands: no markup, no wrapping, nothing a terminal would act on."""
    console.print(Text(printable(text), style or ""), soft_wrap=True)


def print_block(console: Console, title: str, text: str, style: str = "dim") -> None:
    """Print a titled text as it stands, so that it can be copied from the screen."""
    console.rule(Text(title, "bold"), style=style)
    print_line(console, text)


def print_tools(console: Console, tools: Iterable[ToolSpec]) -> None:
    """Print each tool with its description and its parameters' JSON Schema."""
    for tool in tools:
        schema: dict[str, Any] = dict(tool.parameters)
        text = f"{tool.description}\n{json.dumps(schema, indent=2, ensure_ascii=False)}"
        title = Text(printable(tool.name), "bold")
        body = Text(printable(text.strip()))
        console.print(Panel(body, title=title, title_align="left", border_style="dim"))

"""What followed an answer, shown to a person: results, the user's words, new tools."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from toolrl_env.cli.text import print_line
from toolrl_env.core.types import ParsedAction, ToolResult, ToolSpec
from toolrl_env.envs.render import printable
from toolrl_env.prompts.toolrl import render_signatures

__all__ = ["offered_tools", "print_followed", "print_results"]

_WRAPPED = re.compile(r"<(user|obs)> (.*) </\1>", re.DOTALL)
_LINES = 40


def offered_tools(info: Mapping[str, Any]) -> list[ToolSpec]:
    """Return the tools that ``info`` says are on offer."""
    functions = [tool["function"] for tool in info["tools"]]
    return [ToolSpec(f["name"], f["description"], f["parameters"]) for f in functions]


def print_results(console: Console, action: ParsedAction, results: Sequence[ToolResult]) -> None:
    """Print what each executed call returned; what went wrong is printed with the errors."""
    for result in results:
        if not (result.executed and result.ok):
            continue
        name = action.calls[result.call].name
        title = Text(printable(f"call {result.call}: {name} returned"))
        body = _lines(result.value)
        more = [f"… {len(body) - _LINES} more lines"] if len(body) > _LINES else []
        text = Text(printable("\n".join(body[:_LINES] + more)))
        console.print(Panel(text, title=title, title_align="left", border_style="magenta"))


def _lines(value: Any) -> list[str]:
    """Return a result as lines: one for each item of a list, one for each field of an object."""
    if isinstance(value, list) and value:
        items = cast("list[Any]", value)
        return [json.dumps(item, ensure_ascii=False) for item in items]
    if isinstance(value, dict) and value:
        fields = cast("dict[str, Any]", value)
        return [f"{key}: {json.dumps(item, ensure_ascii=False)}" for key, item in fields.items()]
    return [json.dumps(value, ensure_ascii=False)]


def print_followed(
    console: Console,
    messages: Sequence[Mapping[str, Any]],
    before: Sequence[ToolSpec],
    now: Sequence[ToolSpec],
    ran: bool,
) -> None:
    """Print what followed an answer, but for results.

    Args:
        console: Where to.
        messages: The messages after the answer.
        before: The tools on offer when it was given.
        now: The tools on offer now.
        ran: Whether it had calls that were looked at: their results come first.
    """
    said = [message for message in messages if message["role"] == "user"]
    if ran and said and said[0]["content"].startswith("<obs>"):
        said = said[1:]
    known, left = {tool.name for tool in before}, {tool.name for tool in now}
    new = [tool for tool in now if tool.name not in known]
    gone = [tool.name for tool in before if tool.name not in left]
    if new or gone:
        said = said[:-1]
    for message in said:
        match = _WRAPPED.fullmatch(message["content"])
        words = message["content"] if match is None else match[2]
        title = "environment" if match is not None and match[1] == "obs" else "user"
        text = Text(printable(words))
        console.print(Panel(text, title=title, title_align="left", border_style="cyan"))
    if new:
        print_line(console, f"New tools:\n{render_signatures(new)}", "bold magenta")
    if gone:
        print_line(console, f"No longer there: {', '.join(gone)}", "bold magenta")

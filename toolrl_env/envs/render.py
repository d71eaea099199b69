"""The picture of an episode: the conversation, the tools, the reward and what it was lost for."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from toolrl_env.core.types import RewardBreakdown, Task
    from toolrl_env.envs.prepare import PreparedTask

__all__ = ["draw_episode", "draw_reward", "printable", "render_episode"]

_WIDTH = 100
_BAR = 20
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_STYLES = {"system": "dim", "user": "cyan", "assistant": "green", "tool": "magenta"}


def render_episode(
    current: PreparedTask | None,
    answer: str,
    breakdown: RewardBreakdown | None,
    *,
    to_screen: bool,
) -> str | None:
    """Draw an episode.

    Args:
        current: The task, or ``None`` before the first reset.
        answer: The answer, empty before the step.
        breakdown: The reward, ``None`` before the step.
        to_screen: Print to standard output and return ``None``; otherwise return the text, with
            ANSI colours, 100 columns wide.
    """
    from rich.console import Console

    task = None if current is None else current.task
    if to_screen:
        draw_episode(Console(), task, answer, breakdown)
        return None
    page = io.StringIO()
    draw_episode(Console(file=page, force_terminal=True, width=_WIDTH), task, answer, breakdown)
    return page.getvalue()


def draw_episode(
    console: Console, task: Task | None, answer: str, breakdown: RewardBreakdown | None
) -> None:
    """Draw an episode on a console; for the arguments see ``render_episode``."""
    from rich.panel import Panel
    from rich.text import Text

    if task is None:
        console.print("no episode yet: call reset()")
        return
    names = ", ".join(tool.name for tool in task.tools)
    title = printable(f"{task.source} · {task.id} · {task.category}")
    console.rule(Text(title, "bold"))
    console.print(Text.assemble(("tools  ", "bold"), printable(names)))
    for message in task.messages:
        body = message.content.strip()
        calls = "\n".join(f"{call.name}({dict(call.arguments)})" for call in message.tool_calls)
        text = Text(printable("\n".join(part for part in (calls, body) if part)))
        style = _STYLES[message.role]
        console.print(Panel(text, title=message.role, title_align="left", border_style=style))
    if breakdown is None:
        return
    console.print(
        Panel(Text(printable(answer)), title="answer", title_align="left", border_style="green")
    )
    draw_reward(console, breakdown)


def draw_reward(console: Console, breakdown: RewardBreakdown) -> None:
    """Draw a reward: its terms, and what each point was lost for."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f"reward {breakdown.total:+.3f}", title_justify="left")
    for column in ("term", "score", "range"):
        table.add_column(column)
    table.add_column("", min_width=_BAR)
    table.add_column("why not more")
    for term in breakdown.terms:
        span = term.high - term.low
        share = (term.score - term.low) / span if span else 1.0
        bar = "█" * round(share * _BAR)
        limits = f"[{term.low:g}, {term.high:g}]"
        score = f"{term.score:+.3f}"
        table.add_row(
            Text(printable(term.name)), score, Text(limits), bar, Text(printable(term.reason))
        )
    console.print(table)
    for loss in breakdown.losses:
        points = f"-{loss.points:.2f}  " if loss.points else ""
        line = printable(f"  {points}{loss.kind}: {loss.message}")
        console.print(line, style="red", markup=False, highlight=False)


def printable(text: str) -> str:
    r"""Return ``text`` without what breaks terminals or reorders what they show.

    Control characters but tab and newline, lone surrogates and changes of direction become ``�``.

    >>> printable("a\x1b[2Jb\tc")
    'a�[2Jb\tc'
    """
    return _UNPRINTABLE.sub("�", text)

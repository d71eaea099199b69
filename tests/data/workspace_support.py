"""Playing tasks of the office in tests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from toolrl_env.core.types import Task, ToolCall, ToolResult
from toolrl_env.data.procedural.workspace import WorkspaceSession, WorkspaceSource
from toolrl_env.tools import as_parsed
from toolrl_env.tools.suites.workspace import WorkspaceSuite

METHODS = WorkspaceSuite().methods()
Turn = tuple[ToolCall, ...] | str


def make(session: WorkspaceSession, name: str, /, **arguments: Any) -> ToolResult:
    """Make one call."""
    return session.execute([as_parsed(ToolCall(name, arguments))])[0]


def play(session: WorkspaceSession, turns: Iterable[Turn]) -> list[Any]:
    """Take turns; return what came back for each: results, or what the user said."""
    heard: list[Any] = []
    for turn in turns:
        if isinstance(turn, str):
            heard.append(session.reply(turn))
        else:
            heard.append(session.execute([as_parsed(call) for call in turn]))
    return heard


def play_gold(source: WorkspaceSource, task: Task) -> WorkspaceSession:
    """Return the session after the gold trajectory."""
    session = source.open(task)
    play(session, source.gold_turns(task))
    return session


def calls_of(source: WorkspaceSource, task: Task) -> list[ToolCall]:
    """Return the gold calls in order, repetitions after faults included."""
    turns = source.gold_turns(task)
    return [call for turn in turns if not isinstance(turn, str) for call in turn]


def writes(call: ToolCall) -> bool:
    """Return whether a call fulfils a wish (the payment code fulfils none)."""
    return METHODS[call.name].writes and call.name != "authorise_payments"

"""``toolrl play ENV``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import gymnasium as gym
import tyro
from rich.console import Console

from toolrl_env.cli.environment import make_environment
from toolrl_env.cli.show import TaskChoice, reset_arguments
from toolrl_env.cli.text import new_console, print_block, print_line, print_tools
from toolrl_env.cli.turns import offered_tools, print_followed, print_results
from toolrl_env.cli.typed import short_call, typed_answer
from toolrl_env.core.errors import ConfigurationError, DataError
from toolrl_env.core.types import ActionError, ToolCall, ToolSpec
from toolrl_env.envs.base import ToolUseEnv
from toolrl_env.envs.multi_turn import MultiTurnEnv
from toolrl_env.envs.render import draw_episode, draw_reward
from toolrl_env.prompts.toolrl import render_signatures
from toolrl_env.wrappers import RecordTrajectories

__all__ = ["Play", "main"]

END = "."
_HELP = (
    "One line is one answer:\n"
    "  the name of a tool and what it takes:  find_contacts query='Ada Smith' limit=3\n"
    "  or as in Python:                       find_contacts(query='Ada Smith')\n"
    "  several calls:                         read_mail 716 ; read_mail 717\n"
    "  anything else is said to the user:     Which day do you mean?\n"
    "  and so is whatever stands after '>':   > find_contacts found nobody.\n"
    "It is turned into the layout of the protocol, which is shown. To type that yourself, begin a\n"
    "line with '<', '[' or '{', or say :raw, and go on over as many lines as you like; a line\n"
    f"with only {END!r} sends it. Commands: :tools [NAME], :prompt, :task, :gold (the gold\n"
    "answer), :help, :quit."
)
_LAYOUTS = {
    "toolrl": (
        "<think> your thought </think>\n<tool_call>\n"
        '{"name": "…", "parameters": {…}}        one line per call\n</tool_call>\n'
        "or, without a call, after the thought: <response> your reply </response>"
    ),
    "native": '<tool_call>\n{"name": "…", "arguments": {…}}\n</tool_call>   or just your reply',
    "python": "[tool_a(x=1), tool_b(y='z')]   or just your reply",
}


@dataclass(frozen=True, kw_only=True)
class Play(TaskChoice):
    """Answer tasks yourself; each answer is scored, term by term, with what was lost and why.

    Attributes:
        tasks: Stop after this many tasks; without it, when you quit.
        record: Append the finished episodes to this file, for toolrl replay.
    """

    tasks: Annotated[int | None, tyro.conf.arg(metavar="N")] = None
    record: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None


class _QuitError(Exception):
    """The person is done."""


def main(arguments: Sequence[str]) -> int:
    """Play until the person quits, input ends or the tasks are done."""
    config = tyro.cli(Play, args=list(arguments), prog="toolrl play")
    env = make_environment(config)
    if config.record is not None:
        env = RecordTrajectories(env, config.record)
    console = new_console()
    print_line(console, _HELP, "bold")
    rewards: list[float] = []
    start: dict[str, Any] = reset_arguments(config)
    try:
        while config.tasks is None or len(rewards) < config.tasks:
            seen = env.reset(**start)
            start = {"options": {"training_step": config.step}}
            rewards.append(_episode(env, console, seen))
    except _QuitError:
        pass
    mean = f", mean reward {sum(rewards) / len(rewards):+.3f}" if rewards else ""
    tasks = "1 task" if len(rewards) == 1 else f"{len(rewards)} tasks"
    print_line(console, f"{tasks} answered{mean}", "bold")
    return 0


def _episode(env: gym.Env[str, str], console: Console, seen: tuple[str, dict[str, Any]]) -> float:
    """Play one episode, which begins with what reset returned; return the sum of its rewards."""
    base = env.unwrapped
    assert isinstance(base, ToolUseEnv)
    prompt, info = seen
    draw_episode(console, base.task, "", None)
    print_line(console, render_signatures(base.task.tools), "magenta")
    layout = _LAYOUTS[base.protocol.name]
    print_line(console, f"\nThe layout of an answer (:help for the short way):\n{layout}", "dim")
    total, over = 0.0, False
    while not over:
        tools = offered_tools(info)
        answer = _read_answer(console, base, prompt, tools)
        said = len(info["messages"])
        prompt, reward, terminated, truncated, info = env.step(answer)
        total += float(reward)
        over = terminated or truncated
        action = base.protocol.parse(answer, base.max_chars)
        print_results(console, action, info["results"])
        _print_errors(console, info["errors"])
        if isinstance(base, MultiTurnEnv):
            followed = info["messages"][said + 1 :]
            print_followed(console, followed, tools, offered_tools(info), bool(info["results"]))
            _print_state(console, info)
        if over or not isinstance(base, MultiTurnEnv):
            draw_reward(console, info["breakdown"])
    return total


def _print_state(console: Console, info: dict[str, Any]) -> None:
    """Say where an episode of several turns stands."""
    if info["failure"] is not None:
        print_line(console, f"something of ours failed: {info['failure']}", "bold red")
    stop = info["stop_reason"]
    end = "" if stop is None else f" · the episode is over: {stop}"
    shares = f"{info['progress']:.0%} of what must hold at the end holds now"
    style = "bold green" if info["is_success"] else "dim" if stop is None else "bold red"
    print_line(console, f"turn {info['turn']} · {shares}{end}", style)


def _print_errors(console: Console, errors: Sequence[ActionError]) -> None:
    for error in errors:
        where = f" at {error.path}" if error.path else ""
        print_line(console, f"  {error.code}{where}: {error.message}", "yellow")


def _read_answer(console: Console, base: ToolUseEnv, prompt: str, tools: Sequence[ToolSpec]) -> str:
    """Read an answer: a short line, or lines in the protocol's layout up to the end marker.

    Raises:
        _QuitError: The person quits, or input ends with nothing typed.
    """
    console.print("[bold]your answer:[/]")
    lines: list[str] = []
    raw = False
    for text in _typed_lines():
        if raw:
            if text == END:
                return "\n".join(lines)
            lines.append(text)
        elif text.startswith(":"):
            raw = text == ":raw"
            _obey(console, base, prompt, tools, text)
        elif text.lstrip().startswith(("<", "[", "{")):
            raw, lines = True, [text]
        elif text.strip() not in ("", END):
            try:
                answer = typed_answer(text, tools, base.protocol)
            except ConfigurationError as error:
                print_line(console, f"not sent: {error}", "yellow")
            else:
                print_line(console, answer, "green")
                return answer
    if not lines:
        raise _QuitError
    return "\n".join(lines)


def _obey(
    console: Console, base: ToolUseEnv, prompt: str, tools: Sequence[ToolSpec], command: str
) -> None:
    """Do what a command asks for.

    Raises:
        _QuitError: The person quits.
    """
    if command == ":quit":
        raise _QuitError
    if command == ":raw":
        print_line(console, f"Type the answer as it stands; a line with only {END!r} sends it.")
    elif command.split(maxsplit=1)[0] == ":tools":
        named = command.split()[1:]
        print_tools(console, [tool for tool in tools if not named or tool.name in named])
    elif command == ":gold":
        _print_gold(console, base, tools)
    elif command == ":prompt":
        print_block(console, "prompt", prompt)
    elif command == ":task":
        draw_episode(console, base.task, "", None)
        print_line(console, render_signatures(tools), "magenta")
    else:
        print_line(console, _HELP, "yellow")


def _print_gold(console: Console, base: ToolUseEnv, tools: Sequence[ToolSpec]) -> None:
    """Print the gold answer: of this turn, if the turns before were gold's."""
    try:
        answer = base.gold_answer()
    except ConfigurationError as error:
        print_line(console, f"there is no gold answer here: {error}", "yellow")
        return
    print_block(console, "gold answer", answer, style="green")
    action, by_name = base.protocol.parse(answer), {tool.name: tool for tool in tools}
    calls = [
        short_call(ToolCall(call.name or "", call.arguments or {}), by_name.get(call.name or ""))
        for call in action.calls
    ]
    print_line(console, f"short: {' ; '.join(calls) or (action.response or '')}", "green")
    if isinstance(base, MultiTurnEnv):
        print_line(console, "(the next one, if all answers before were the gold ones)", "dim")


def _typed_lines() -> Iterator[str]:
    try:
        for line in iter(sys.stdin.readline, ""):
            yield line.removesuffix("\n")
    except UnicodeDecodeError as error:
        raise DataError(f"what you typed is not UTF-8: {error.reason}") from error

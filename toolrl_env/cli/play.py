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
from toolrl_env.core.errors import DataError
from toolrl_env.core.types import ActionError
from toolrl_env.envs.base import ToolUseEnv
from toolrl_env.envs.render import draw_episode, draw_reward
from toolrl_env.prompts.toolrl import render_signatures
from toolrl_env.wrappers import RecordTrajectories

__all__ = ["Play", "main"]

END = "."
_HELP = (
    f"Type your answer over as many lines as you like; a line with only {END!r} sends it.\n"
    "Instead of an answer: :tools shows the tools in full, :prompt the whole prompt, "
    ":gold the gold answer, :quit leaves."
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
            prompt, _ = env.reset(**start)
            start = {"options": {"training_step": config.step}}
            rewards.append(_episode(env, console, prompt))
    except _QuitError:
        pass
    mean = f", mean reward {sum(rewards) / len(rewards):+.3f}" if rewards else ""
    tasks = "1 task" if len(rewards) == 1 else f"{len(rewards)} tasks"
    print_line(console, f"{tasks} answered{mean}", "bold")
    return 0


def _episode(env: gym.Env[str, str], console: Console, prompt: str) -> float:
    """Play one episode, which begins with ``prompt``, and return the sum of its rewards."""
    base = env.unwrapped
    assert isinstance(base, ToolUseEnv)
    draw_episode(console, base.task, "", None)
    print_line(console, render_signatures(base.task.tools), "magenta")
    print_line(console, f"\nThe layout of an answer:\n{_LAYOUTS[base.protocol.name]}", "dim")
    total, over = 0.0, False
    while not over:
        answer = _read_answer(console, base, prompt)
        prompt, reward, terminated, truncated, info = env.step(answer)
        total += float(reward)
        over = terminated or truncated
        draw_reward(console, info["breakdown"])
        _print_errors(console, info["errors"])
        for result in info["results"]:
            if result.executed and result.ok:
                print_line(console, f"  call {result.call} returned {result.value!r}", "magenta")
    return total


def _print_errors(console: Console, errors: Sequence[ActionError]) -> None:
    for error in errors:
        where = f" at {error.path}" if error.path else ""
        print_line(console, f"  {error.code}{where}: {error.message}", "yellow")


def _read_answer(console: Console, base: ToolUseEnv, prompt: str) -> str:
    """Read lines up to the end marker; obey the commands that come first on a line of their own.

    Raises:
        _QuitError: The person quits, or input ends with nothing typed.
    """
    console.print("[bold]your answer:[/]")
    lines: list[str] = []
    for text in _typed_lines():
        if text == END:
            return "\n".join(lines)
        if lines or not text.startswith(":"):
            lines.append(text)
        elif text == ":quit":
            raise _QuitError
        elif text == ":tools":
            print_tools(console, base.task.tools)
        elif text == ":gold":
            print_block(console, "gold answer", base.gold_answer(), style="green")
        elif text == ":prompt":
            print_block(console, "prompt", prompt)
        else:
            print_line(console, _HELP, "yellow")
    if not lines:
        raise _QuitError
    return "\n".join(lines)


def _typed_lines() -> Iterator[str]:
    try:
        for line in iter(sys.stdin.readline, ""):
            yield line.removesuffix("\n")
    except UnicodeDecodeError as error:
        raise DataError(f"what you typed is not UTF-8: {error.reason}") from error

"""The command line ``toolrl``: one module per command, imported when it runs."""

from __future__ import annotations

import importlib
import io
import os
import sys
import warnings
from collections.abc import Sequence
from typing import NamedTuple

from toolrl_env.core.errors import ToolRLError, UnknownName

__all__ = ["COMMANDS", "Command", "main"]

EXIT_FOUND = 1
"""The command did its work and found something wrong."""
EXIT_MISUSE = 2
"""The command could not do its work."""
_EXIT_INTERRUPTED = 130


class Command(NamedTuple):
    """A command.

    Attributes:
        module: Module with a function ``main(arguments) -> exit status``.
        summary: One line for the help.
    """

    module: str
    summary: str


COMMANDS: dict[str, Command] = {
    "list": Command("toolrl_env.cli.listing", "the environments, their data and how many tasks"),
    "show": Command("toolrl_env.cli.show", "one task: its tools, its prompt, its gold answer"),
    "play": Command("toolrl_env.cli.play", "answer tasks yourself and see what was lost and why"),
    "score": Command("toolrl_env.cli.score", "score a file of responses against ground truths"),
    "check": Command("toolrl_env.cli.check", "find the broken rows of a dataset file"),
    "replay": Command("toolrl_env.cli.replay", "run recorded episodes again and compare"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: What follows ``toolrl``; by default those of this process.

    Returns:
        0; 1 if the command found something wrong; 2 if it could not do its work.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without Unicode shows "?"
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] in ("-h", "--help"):
        print(_help())
        return 0 if given else EXIT_MISUSE
    if given[0] in ("-V", "--version"):
        from toolrl_env import __version__

        print(f"toolrl {__version__}")
        return 0
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            return _run(given[0], given[1:])
    except ToolRLError as error:
        print(f"toolrl: {error}", file=sys.stderr)
        return EXIT_MISUSE
    except KeyboardInterrupt:
        return _EXIT_INTERRUPTED
    except BrokenPipeError:  # e.g. `toolrl list | head`: whoever read us has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(name: str, arguments: list[str]) -> int:
    if name not in COMMANDS:
        raise UnknownName("command", name, COMMANDS)
    status: int = importlib.import_module(COMMANDS[name].module).main(arguments)
    sys.stdout.flush()
    return status


def _help() -> str:
    lines = [f"  {name:<8} {command.summary}" for name, command in COMMANDS.items()]
    return "\n".join(
        (
            "usage: toolrl COMMAND [ARGUMENTS]",
            "",
            *lines,
            "",
            "toolrl COMMAND --help says more. toolrl --version gives the version.",
            "Exit status: 0 all is well, 1 something was found to be wrong, 2 misuse.",
        )
    )


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    print(f"toolrl: note: {message}", file=sys.stderr)

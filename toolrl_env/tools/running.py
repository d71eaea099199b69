"""Running one tool in this process: its deadline, and whose fault an exception is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from toolrl_env.core.errors import InfrastructureError
from toolrl_env.core.types import FailureKind
from toolrl_env.tools import deadline
from toolrl_env.tools.describe import show
from toolrl_env.tools.limits import CallLimits, bounded
from toolrl_env.tools.tool import ToolError

__all__ = ["judge", "run_tool"]


def run_tool(
    name: str, fn: Callable[..., Any], arguments: Mapping[str, Any], limits: CallLimits
) -> Any:
    """Call ``fn`` with the arguments by keyword and return its result as bounded JSON.

    The deadline is cooperative: see ``toolrl_env.tools.deadline``.

    Raises:
        ToolError: The tool refuses.
        InfrastructureError: It took too long (``TIMEOUT``), raised what it does not declare
            (``TOOL_CRASHED``), or returned what JSON cannot hold (``BAD_RESULT``). One that the
            tool raises itself passes as it is.
    """
    try:
        with deadline.within(limits.seconds):
            value = fn(**arguments)
            late = deadline.remaining() < 0
    except (ToolError, InfrastructureError):
        raise
    except (Exception, SystemExit) as error:
        raise InfrastructureError(
            f"tool {name!r} raised {type(error).__name__}, which it does not declare: "
            f"{error}; arguments {show(arguments, 300)}"
        ) from error
    if late:
        raise InfrastructureError(
            f"tool {name!r} took longer than its {limits.seconds:g} s", FailureKind.TIMEOUT
        )
    return bounded(name, value, limits)


def judge(predicate: Callable[[Any], bool], world: Any, limits: CallLimits) -> bool:
    """Return whether a goal predicate is true of ``world``.

    Raises:
        InfrastructureError: It raised, or took too long.
    """
    name = f"goal {predicate!r:.80}"
    try:
        return bool(run_tool(name, lambda: bool(predicate(world)), {}, limits))
    except ToolError as error:
        raise InfrastructureError(f"{name} raised ToolError: {error}") from error

"""A tool that really runs: what the model is shown, and the function behind it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from toolrl_env.core.errors import ToolRLError
from toolrl_env.core.types import ToolSpec
from toolrl_env.tools.signature import spec_from_function

__all__ = ["Tool", "ToolError", "tool_from_function"]


class ToolError(ToolRLError, ValueError):
    """A tool refuses a valid call (nothing found, not possible). The message goes to the model.

    This is the only exception that a tool declares. Any other is a fault of the tool's, and ends
    as ``InfrastructureError``, never as a reward of 0.
    """


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool's public face and its function.

    Attributes:
        spec: What the model is shown, with the schema that calls are checked against.
        fn: Called with the arguments by keyword; returns JSON; may raise ``ToolError``.
    """

    spec: ToolSpec
    fn: Callable[..., Any]

    @property
    def name(self) -> str:
        """The tool's name."""
        return self.spec.name


def tool_from_function(fn: Callable[..., Any]) -> Tool:
    """Return ``fn`` as a tool; the schema comes from its signature and Google-style docstring.

    Raises:
        ConfigurationError: An annotation or a description is missing or not supported.

    >>> def add(a: int, b: int = 1) -> int:
    ...     '''Add two numbers.
    ...
    ...     Args:
    ...         a: First number.
    ...         b: Second number.
    ...     '''
    ...     return a + b
    >>> tool_from_function(add).spec.parameters["required"]
    ['a']
    """
    return Tool(spec_from_function(fn), fn)

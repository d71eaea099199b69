"""``toolkit``: whatever tools are made of → one provider."""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from toolrl_env.core.errors import ConfigurationError, UnknownName
from toolrl_env.tools.combined import CombinedProvider, PrefixedProvider
from toolrl_env.tools.limits import MEMORY_MB
from toolrl_env.tools.local import FunctionProvider, SuiteProvider
from toolrl_env.tools.provider import ToolProvider
from toolrl_env.tools.suite import ToolSuite
from toolrl_env.tools.tool import Tool, tool_from_function

__all__ = ["ISOLATIONS", "ToolLike", "as_provider", "prefixed", "toolkit"]

ISOLATIONS = ("process",)
ToolLike = Callable[..., Any] | Tool | ToolSuite | type[ToolSuite] | ToolProvider
"""A typed, documented function, a ``Tool``, a suite's class (or ``functools.partial`` of one), a
suite as it is to begin, or a provider."""


def toolkit(
    tools: ToolLike | Sequence[ToolLike],
    *,
    isolation: str | None = None,
    memory_mb: int = MEMORY_MB,
) -> CombinedProvider:
    """Return one provider of all of them.

    Args:
        tools: The tools. Functions are taken together, as the provider ``"functions"``.
        isolation: ``"process"`` runs functions and suites in a process of their own for each
            session; ``None`` in this one. Other providers decide for themselves.
        memory_mb: With ``"process"``: MiB that such a process may map beyond what it begins with.

    Raises:
        ConfigurationError: Something is no tool, names clash, or it cannot be isolated.

    >>> def add(a: int, b: int) -> int:
    ...     '''Add two numbers.
    ...
    ...     Args:
    ...         a: One.
    ...         b: The other.
    ...     '''
    ...     return a + b
    >>> from toolrl_env.tools import CallLimits
    >>> toolkit([add]).open(CallLimits()).call("add", {"a": 1, "b": 2})
    3
    """
    if isolation is not None and isolation not in ISOLATIONS:
        raise UnknownName("isolation", isolation, ISOLATIONS)
    several = isinstance(tools, list | tuple)
    given = list(cast("Sequence[ToolLike]", tools)) if several else [cast("ToolLike", tools)]
    loose = [thing for thing in given if _is_function(thing)]
    parts: list[ToolProvider] = [as_provider(thing) for thing in given if not _is_function(thing)]
    if loose:
        parts.insert(0, FunctionProvider(tuple(map(_tool, loose))))
    if isolation is not None:
        parts = [_isolated(part, memory_mb) for part in parts]
    return CombinedProvider(tuple(parts))


def prefixed(tools: ToolLike, prefix: str, name: str | None = None) -> PrefixedProvider:
    """Return a provider whose tools' names all begin with ``prefix``.

    Args:
        tools: A suite, a function, a provider …
        prefix: E.g. ``"shop_"``.
        name: What messages and goals call it; ``None`` keeps the name that it has.

    Raises:
        ConfigurationError: It is no tool, the prefix is empty, or a name is given to a provider
            that has its own.
    """
    if not prefix:
        raise ConfigurationError("the prefix is empty")
    provider = as_provider(tools)
    if name is not None:
        if not isinstance(provider, FunctionProvider | SuiteProvider):
            raise ConfigurationError(f"{provider.name!r} has a name already; name={name!r}")
        provider = replace(provider, name=name)
    return PrefixedProvider(provider, prefix)


def as_provider(thing: ToolLike) -> ToolProvider:
    """Return what provides one thing.

    Raises:
        ConfigurationError: It is nothing that tools can be made of.
    """
    if _is_function(thing):
        return FunctionProvider((_tool(thing),))
    if isinstance(thing, type) and issubclass(thing, ToolSuite):
        return SuiteProvider(thing, thing.__name__)
    if isinstance(thing, ToolSuite):
        return SuiteProvider(_Copies(thing.fork()), type(thing).__name__)
    if isinstance(thing, functools.partial):
        made: object = thing.func
        if isinstance(made, type) and issubclass(made, ToolSuite):
            return SuiteProvider(cast("Callable[[], ToolSuite]", thing), made.__name__)
    elif not isinstance(thing, type) and isinstance(thing, ToolProvider):
        return thing
    raise ConfigurationError(
        f"{thing!r:.100} is no tool; allowed: a typed function, a Tool, a ToolSuite (class, "
        "partial or instance), a provider"
    )


@dataclass(frozen=True, slots=True)
class _Copies:
    """Makes suites that begin in the state of one that nobody else has."""

    suite: ToolSuite

    def __call__(self) -> ToolSuite:
        return self.suite.fork()


def _is_function(thing: object) -> bool:
    return isinstance(thing, Tool | types.FunctionType | types.MethodType)


def _tool(thing: object) -> Tool:
    return thing if isinstance(thing, Tool) else tool_from_function(cast("Any", thing))


def _isolated(provider: ToolProvider, memory_mb: int) -> ToolProvider:
    if not sys.platform.startswith("linux"):
        raise ConfigurationError(f"isolation='process' needs Linux, and this is {sys.platform}")
    from toolrl_env.tools.isolation import IsolatedProvider

    if isinstance(provider, FunctionProvider | SuiteProvider):
        return IsolatedProvider.of(provider, memory_mb)
    if isinstance(provider, PrefixedProvider):
        return replace(provider, provider=_isolated(provider.provider, memory_mb))
    return provider

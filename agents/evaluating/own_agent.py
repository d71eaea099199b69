"""Agents of the user's own, by module and name: ``my_module:MyAgent``."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

from agents.files import source_hash
from agents.policy import Policy
from toolrl_env.core.errors import ConfigurationError, nearest

__all__ = ["load_agent"]


def load_agent(module: str, name: str, hint: str = "") -> tuple[Policy, str]:
    """Return the agent that a class makes, or a function, called without arguments.

    Args:
        module: As in an import statement.
        name: Of the class or the function.
        hint: Said when there is no such module.

    Returns:
        The agent, and the SHA-256 of its module's source.

    Raises:
        ConfigurationError: There is no such module or name, it cannot be called without arguments,
            or what it makes has no ``act(observations, infos)``; says which.
    """
    what = f"agent='{module}:{name}'"
    if module.endswith(".py") or "/" in module:
        stem = module.removesuffix(".py").strip("./").replace("/", ".")
        raise ConfigurationError(
            f"{what}: name the module as in an import statement, {stem}:{name}"
        )
    try:
        found = importlib.import_module(module)
    except ImportError as error:
        raise ConfigurationError(f"{what}: cannot import {module!r}: {error}.{hint}") from error
    maker = _member(found, name, what)
    misfit = _misfit(maker)
    if misfit:
        raise ConfigurationError(f"{what} is called without arguments: {misfit}")
    policy = maker()
    if not isinstance(policy, Policy):
        raise ConfigurationError(f"{what}: it has no act(observations, infos) -> answers")
    misfit = _misfit(policy.act, (), ())
    if misfit:
        raise ConfigurationError(f"{what}: its act must take (observations, infos): {misfit}")
    return policy, source_hash(found)


def _member(module: ModuleType, name: str, what: str) -> Callable[..., Any]:
    members = vars(module)
    value = members.get(name)
    if callable(value):
        return value
    if isinstance(value, Policy):
        raise ConfigurationError(
            f"{what} is an agent already; name its class, or a function that returns it"
        )
    kinds = [key for key, each in members.items() if isinstance(each, type)]
    close = nearest(name, kinds)
    hint = f". Did you mean {close!r}?" if close else ""
    raise ConfigurationError(f"{what}: {module.__name__} has no class {name!r}{hint}")


def _misfit(function: Callable[..., Any], *arguments: Any) -> str:
    """Return why ``function`` cannot be called with ``arguments``; empty if it can."""
    try:
        signature = inspect.signature(function)
    except ValueError:  # a builtin that does not say
        return ""
    try:
        signature.bind(*arguments)
    except TypeError as error:
        return str(error)
    return ""

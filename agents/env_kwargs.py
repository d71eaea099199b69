"""An environment by its id and keyword arguments, as a command line has them."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import load_env_creator

import toolrl_env  # noqa: F401  # registers the ids
from toolrl_env.core.errors import ConfigurationError, UnknownName

__all__ = ["make_env", "parse_env_kwargs"]


def make_env(env_id: str, env_kwargs: Mapping[str, Any]) -> gym.Env[str, str]:
    """Return ``gym.make(env_id, **env_kwargs)``.

    Raises:
        ConfigurationError: There is no such id, it has no such argument, or a package is missing.
    """
    try:
        return gym.make(env_id, **env_kwargs)
    except TypeError as error:
        why = _unknown_argument(env_id, env_kwargs) or error
        raise ConfigurationError(f"{env_id} cannot be made: {why}") from error
    except (ImportError, gym.error.UnregisteredEnv) as error:
        raise ConfigurationError(f"{env_id} cannot be made: {error}") from error


def _unknown_argument(env_id: str, given: Mapping[str, Any]) -> UnknownName | None:
    """Return what is wrong if an argument is one that the environment's class does not take."""
    maker = gym.spec(env_id).entry_point
    maker = load_env_creator(maker) if isinstance(maker, str) else maker
    if not inspect.isclass(maker):
        return None
    allowed: set[str] = set()
    for owner in (each for each in maker.__mro__ if "__init__" in vars(each)):
        taken = list(inspect.signature(owner).parameters.values())
        named = [
            each for each in taken if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)
        ]
        # what a parent class requires, its child gives
        allowed |= {each.name for each in named if owner is maker or each.default is not each.empty}
        if not any(each.kind is each.VAR_KEYWORD for each in taken):
            break
    unknown = (name for name in given if name not in allowed)
    return next((UnknownName("argument", name, allowed) for name in unknown), None)


def parse_env_kwargs(text: str) -> dict[str, Any]:
    """Return the keyword arguments for ``gym.make`` out of JSON.

    Raises:
        ConfigurationError: Not a JSON object.

    >>> parse_env_kwargs('{"difficulty": 1}')
    {'difficulty': 1}
    """
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigurationError(f"env_kwargs={text!r} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ConfigurationError(f"env_kwargs={text!r}; it must be a JSON object")
    return value

"""An environment by its id and keyword arguments, as a command line has them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import gymnasium as gym

import toolrl_env  # noqa: F401  # registers the ids
from toolrl_env.core.errors import ConfigurationError

__all__ = ["make_env", "parse_env_kwargs"]


def make_env(env_id: str, env_kwargs: Mapping[str, Any]) -> gym.Env[str, str]:
    """Return ``gym.make(env_id, **env_kwargs)``.

    Raises:
        ConfigurationError: There is no such id, it has no such argument, or a package is missing.
    """
    try:
        return gym.make(env_id, **env_kwargs)
    except (ImportError, TypeError, gym.error.UnregisteredEnv) as error:
        raise ConfigurationError(f"{env_id} cannot be made: {error}") from error


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

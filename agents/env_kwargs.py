"""Keyword arguments of an environment, from a command line."""

from __future__ import annotations

import json
from typing import Any

from toolrl_env.core.errors import ConfigurationError

__all__ = ["parse_env_kwargs"]


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

"""Keyword arguments of ``gym.make`` as JSON and back, so that a recorded episode can run again."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, cast

from toolrl_env.core.errors import ConfigurationError, DataError
from toolrl_env.prompts import PromptTemplate
from toolrl_env.rewards import RewardConfig

__all__ = ["decode_arguments", "encode_arguments"]

_REWARD = "$reward_config"
_TEMPLATE = "$prompt_template"
_NOT_RECORDED = ("render_mode",)  # changes what a person sees, nothing else


def encode_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``arguments`` as JSON-like values; ``render_mode`` is left out.

    A ``RewardConfig`` becomes the fields in which it differs from the default, a
    ``PromptTemplate`` its two texts, a path its text.

    Raises:
        ConfigurationError: One holds a function or another object that a file cannot carry.

    >>> encode_arguments({"split": "test", "reward": RewardConfig(length=True)})
    {'split': 'test', 'reward': {'$reward_config': {'length': True}}}
    """
    return {
        name: _encode(name, value) for name, value in arguments.items() if name not in _NOT_RECORDED
    }


def decode_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``encode_arguments`` was given.

    Raises:
        DataError: A recorded ``RewardConfig`` or ``PromptTemplate`` cannot be made again.
    """
    return {name: _decode(name, value) for name, value in arguments.items()}


def _encode(name: str, value: Any) -> Any:
    if isinstance(value, RewardConfig):
        changed = {
            field.name: value.__dict__[field.name]
            for field in dataclasses.fields(RewardConfig)
            if field.init and value.__dict__[field.name] != field.default
        }
        if "extra_terms" in changed:
            raise ConfigurationError(
                f"{name}= has extra_terms, which are functions; a trajectory file cannot carry "
                "them. Record with a RewardConfig without them."
            )
        return {_REWARD: changed}
    if isinstance(value, PromptTemplate):
        return {_TEMPLATE: {"system": value.system, "user": value.user}}
    if isinstance(value, PurePath):
        return str(value)
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ConfigurationError(
            f"{name}={value!r:.100} cannot be written to a trajectory file: {error}"
        ) from error


def _decode(name: str, value: Any) -> Any:
    if not isinstance(value, dict) or len(cast("dict[str, Any]", value)) != 1:
        return cast("Any", value)
    ((kind, fields),) = cast("dict[str, Any]", value).items()
    if kind not in (_REWARD, _TEMPLATE):
        return cast("Any", value)
    try:
        return RewardConfig(**fields) if kind == _REWARD else PromptTemplate(**fields)
    except (TypeError, ConfigurationError) as error:
        raise DataError(f"the recorded argument {name!r} cannot be made again: {error}") from error

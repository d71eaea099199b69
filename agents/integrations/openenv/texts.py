"""Between text and OpenEnv's models: what the model writes -> their action, what comes -> text."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import jsonschema
from openenv.core.env_server import Action
from pydantic import BaseModel, ValidationError

from toolrl_env.core.errors import ConfigurationError
from toolrl_env.parsing.decoding import NestedTooDeep, decode_json

__all__ = ["Read", "Show", "field_text", "observation_text", "read_model", "read_schema"]

Read = Callable[[str], Any]
"""Text -> their action. Raises ``ValueError``, in words for the model, if the text is none."""

Show = Callable[[Any], str]
"""Their observation (a model of theirs, or a dict off the wire) -> text."""

_BESIDES = frozenset({"done", "reward", "metadata"})


def read_model(action_type: type[Action]) -> Read:
    """Return the reader of an action class of theirs.

    If the class has one field besides ``metadata`` and that is a string, the whole text is that
    field. Otherwise the text must be the action as a JSON object.
    """
    plain = _only_text(action_type.model_json_schema())

    def read(text: str) -> Action:
        fields = {plain: text} if plain else _json_object(text)
        try:
            return action_type.model_validate(fields)
        except ValidationError as error:
            problems = error.errors(include_url=False, include_context=False, include_input=False)
            raise ValueError("; ".join(_at(p["loc"], p["msg"]) for p in problems)) from error

    return read


def read_schema(schema: Mapping[str, Any]) -> Read:
    """Return the same for an action of which only the JSON Schema is known; it reads into a dict.

    Raises:
        ConfigurationError: It is no JSON Schema.
    """
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise ConfigurationError(f"no JSON Schema of actions: {error.message:.200}") from error
    plain, validator = _only_text(schema), jsonschema.Draft202012Validator(schema)

    def read(text: str) -> dict[str, Any]:
        fields = {plain: text} if plain else _json_object(text)
        problems = sorted(validator.iter_errors(fields), key=lambda error: error.json_path)
        if problems:
            raise ValueError("; ".join(_at(p.absolute_path, p.message) for p in problems))
        return fields

    return read


def observation_text(observation: Any) -> str:
    """Return an observation as text: its one field if that is a string, else JSON.

    ``done``, ``reward`` and ``metadata`` are left out.

    >>> observation_text({"echo": "hello", "metadata": {}})
    'hello'
    >>> observation_text({"echo": "hé", "length": 2})
    '{"echo": "hé", "length": 2}'
    """
    fields = {k: v for k, v in plain_fields(observation).items() if k not in _BESIDES}
    if len(fields) == 1:
        (only,) = fields.values()
        if isinstance(only, str):
            return only
    return json.dumps(fields, ensure_ascii=False)


def field_text(name: str) -> Show:
    """Return a function that shows one field of an observation, e.g. ``field_text("text")``."""

    def show(observation: Any) -> str:
        fields = plain_fields(observation)
        if not isinstance(fields.get(name), str):
            raise ConfigurationError(
                f"the observation has no text field {name!r}; its fields: {', '.join(fields)}"
            )
        return fields[name]

    return show


def plain_fields(observation: Any) -> dict[str, Any]:
    """Return the fields of an observation as JSON-like values.

    Raises:
        ConfigurationError: It is neither a pydantic model nor a mapping.
    """
    if isinstance(observation, BaseModel):
        return observation.model_dump(mode="json")
    if isinstance(observation, Mapping):
        return dict(observation)
    raise ConfigurationError(
        f"an observation is a {type(observation).__name__}; allowed: a pydantic model or a mapping"
    )


def _only_text(schema: Mapping[str, Any]) -> str | None:
    """Return the name of the one field besides metadata, if it is a string of any kind."""
    fields = {k: v for k, v in schema.get("properties", {}).items() if k != "metadata"}
    if len(fields) != 1:
        return None
    ((name, kind),) = fields.items()
    return name if kind.get("type") == "string" else None


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = decode_json(text)
    except NestedTooDeep:
        raise ValueError("the JSON is nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from None
    if not isinstance(value, dict):
        raise ValueError(  # noqa: TRY004  # the text is at fault, not a type of ours
            f"an action is a JSON object, not a {type(value).__name__}"
        )
    return value


def _at(path: Any, message: str) -> str:
    where = ".".join(map(str, path))
    return f"{where}: {message}" if where else message

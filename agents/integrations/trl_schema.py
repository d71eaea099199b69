"""A tool as a method that TRL describes to the model as we would.

TRL hands tools to the chat template as Python functions, and transformers works a JSON schema out
of their signature and docstring (``get_json_schema``). So a tool's JSON schema is put into a
signature here. What such a signature cannot say is left out: bounds and patterns, defaults, titles,
``additionalProperties: false``. The environment still checks all of it. The members of an object
within an argument cannot be said either, and the model needs them: they go into the description.
Words that a docstring has for its sections are written with a space: ``Returns :``.
"""

from __future__ import annotations

import inspect
import json
import keyword
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Union

from toolrl_env.core.errors import ConfigurationError

__all__ = ["RESERVED", "described", "tool_method", "type_hint", "worded"]

RESERVED = ("reset", "get_reward")
"""Methods of an environment that TRL does not take for tools."""

_BASIC: Mapping[str, Any] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "null": type(None),
}
_BEYOND = ("properties", "patternProperties", "$ref", "allOf", "not")  # no type hint says these
_SECTIONS = re.compile(r"(Args|Returns|Raises|choices):", re.IGNORECASE)
_SPACE = re.compile(r"\s*[\n\r\v\f]\s*")

Method = Callable[..., str]


def type_hint(schema: Mapping[str, Any]) -> Any:
    """Return the type hint that says the most of a JSON schema.

    >>> type_hint({"type": "array", "items": {"type": "integer"}})
    list[int]
    >>> type_hint({"enum": ["low", "high"]})
    typing.Literal['low', 'high']
    >>> type_hint({"type": "string", "minLength": 3})
    <class 'str'>
    """
    values = schema.get("enum")
    if values and all(value is None or isinstance(value, str | int | float) for value in values):
        return Literal[tuple(values)]
    for either in ("anyOf", "oneOf"):
        if either in schema:
            return Union[tuple(type_hint(option) for option in schema[either])]  # noqa: UP007
    kind = schema.get("type")
    if isinstance(kind, Sequence) and not isinstance(kind, str):
        return Union[tuple(type_hint({**schema, "type": each}) for each in kind)]  # noqa: UP007
    if kind == "array":
        return _array(schema)
    if kind == "object":
        values = schema.get("additionalProperties")
        return dict[str, type_hint(values)] if isinstance(values, Mapping) and values else dict
    return _BASIC.get(str(kind), Any)


def _array(schema: Mapping[str, Any]) -> Any:
    first, items = schema.get("prefixItems", ()), schema.get("items")
    if len(first) > 1:
        return tuple[tuple(type_hint(each) for each in first)]
    return list[type_hint(items)] if isinstance(items, Mapping) and items else list


def tool_method(tool: Mapping[str, Any], run: Callable[[Any, str, dict[str, Any]], str]) -> Method:
    """Return a method for a class whose instances TRL takes for environments.

    Args:
        tool: An OpenAI-style ``tools=`` entry.
        run: Called as ``run(self, name, arguments)``; its text is what the model is shown.

    Raises:
        ConfigurationError: TRL cannot have such a tool: it keeps the name for itself, or Python
            has no such argument.
    """
    function = tool["function"]
    name, parameters = function["name"], function["parameters"]
    members: Mapping[str, Mapping[str, Any]] = parameters.get("properties", {})
    _check_names(name, members)

    def method(self: Any, /, **arguments: Any) -> str:
        return run(self, name, arguments)

    needed = parameters.get("required", ())
    method.__name__ = method.__qualname__ = name
    method.__doc__ = _docstring(name, function["description"], members)
    method.__annotations__ = {key: type_hint(schema) for key, schema in members.items()}
    method.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY),
            *(
                inspect.Parameter(
                    key,
                    inspect.Parameter.KEYWORD_ONLY,
                    default=inspect.Parameter.empty if key in needed else None,
                    annotation=method.__annotations__[key],
                )
                for key in members
            ),
        ]
    )
    return method


def worded(text: str) -> str:
    """Return words that transformers reads as words, whatever they say.

    It looks for the sections of a docstring and for choices in them.

    >>> worded("Adds. Returns: the sum.")
    'Adds. Returns : the sum.'
    """
    return _SECTIONS.sub(r"\1 :", text.expandtabs().strip())


def described(key: str, schema: Mapping[str, Any]) -> str:
    """Return an argument's description, with the schema where no type hint says its structure.

    One without is described by its name: transformers needs some words.

    >>> described("count", {"type": "integer", "minimum": 1, "description": "How many."})
    'How many.'
    >>> described("at", {"type": "object", "properties": {"x": {"type": "number"}}})
    'JSON schema: {"type": "object", "properties": {"x": {"type": "number"}}}'
    """
    text = _SPACE.sub(" ", schema.get("description", ""))
    if _goes_beyond(schema):
        rest = {key: value for key, value in schema.items() if key != "description"}
        text = f"{text} JSON schema: {json.dumps(rest, default=dict, ensure_ascii=False)}"
    return worded(text) or key


def _goes_beyond(schema: Any) -> bool:
    if isinstance(schema, Mapping):
        return any(
            (key in _BEYOND and bool(value)) or _goes_beyond(value)
            for key, value in schema.items()
            if key not in ("enum", "default", "examples", "const")
        )
    if isinstance(schema, Sequence) and not isinstance(schema, str):
        return any(map(_goes_beyond, schema))
    return False


def _docstring(name: str, description: str, members: Mapping[str, Mapping[str, Any]]) -> str:
    lines = [f"    {key}: {described(key, schema)}" for key, schema in members.items()]
    return "\n".join([worded(description) or name, "", "Args:", *lines])


def _check_names(name: str, members: Mapping[str, Any]) -> None:
    if name in RESERVED or name.startswith("_"):
        raise ConfigurationError(
            f"tool {name!r} cannot be a method for TRL: it takes {', '.join(RESERVED)} and names "
            "that begin with _ for something else than a tool"
        )
    for key in members:
        if not key.isidentifier() or keyword.iskeyword(key) or key == "self":
            raise ConfigurationError(
                f"tool {name!r} cannot be a method for TRL: Python has no argument {key!r}. "
                "Use rollout_func"
            )

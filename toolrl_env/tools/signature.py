"""A typed, documented Python function → the ``ToolSpec`` a model is shown.

Annotations that are understood: ``str``, ``int``, ``float``, ``bool``, ``None``, ``Any``,
``list[X]``, ``tuple[X, Y]``, ``tuple[X, ...]``, ``dict[str, X]``, ``Literal``, ``Optional``,
unions, enums with JSON values, ``TypedDict``, and ``Annotated[X, Limits(…)]`` for bounds. Any other
annotation, a missing one, or a missing description is a ``ConfigurationError``.
"""

from __future__ import annotations

import enum
import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Union, cast

from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.frozen import freeze
from toolrl_env.core.types import ToolSpec
from toolrl_env.tools.docstring import read_docstring

__all__ = ["Limits", "schema_of_annotation", "spec_from_function"]

_PLAIN: dict[object, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    None: {"type": "null"},
    types.NoneType: {"type": "null"},
    Any: {},
    list: {"type": "array"},
    tuple: {"type": "array"},
    dict: {"type": "object"},
}
_SUPPORTED = (
    "str, int, float, bool, None, Any, list[X], tuple[X, Y], tuple[X, ...], dict[str, X], Literal, "
    "Optional, unions, Enum, TypedDict, Annotated[X, Limits(...)]"
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of an argument, for ``Annotated``; they go into the schema, so breaking them is data.

    Attributes:
        low: Least number, or fewest characters or items.
        high: Greatest number, or most characters or items.
    """

    low: float | None = None
    high: float | None = None

    def words(self, kind: object) -> dict[str, float]:
        """Return the schema keywords that say this of a value of JSON type ``kind``."""
        suffix = {"string": "Length", "array": "Items"}.get(str(kind), "imum")
        pairs = ((f"min{suffix}", self.low), (f"max{suffix}", self.high))
        return {word: bound for word, bound in pairs if bound is not None}


def spec_from_function(fn: Callable[..., Any], *, method: bool = False) -> ToolSpec:
    """Return the spec of ``fn``: its name, its docstring's description, a schema of its arguments.

    Args:
        fn: A function with annotations and a Google-style docstring (an ``Args:`` section).
        method: Whether the first parameter is ``self`` and not an argument.

    Raises:
        ConfigurationError: Something cannot be expressed or is not documented.
    """
    name = fn.__name__
    description, documented = read_docstring(fn.__doc__ or "")
    if not description:
        raise ConfigurationError(f"tool {name!r} has no docstring; the model needs a description")
    try:
        hints = typing.get_type_hints(fn, include_extras=True)
    except (NameError, TypeError) as error:
        raise ConfigurationError(f"tool {name!r}: annotation not resolved: {error}") from error
    properties: dict[str, Any] = {}
    required: list[str] = []
    parameters = list(inspect.signature(fn).parameters.values())[int(method) :]
    for parameter in parameters:
        where = f"tool {name!r}, parameter {parameter.name!r}"
        if parameter.kind not in {parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY}:
            raise ConfigurationError(f"{where}: *args, **kwargs and positional-only cannot be used")
        if parameter.name not in hints:
            raise ConfigurationError(f"{where} has no annotation; supported: {_SUPPORTED}")
        if parameter.name not in documented:
            raise ConfigurationError(f"{where} is not described under 'Args:' in the docstring")
        schema = schema_of_annotation(hints[parameter.name], where)
        schema["description"] = documented[parameter.name]
        if parameter.default is parameter.empty:
            required.append(parameter.name)
        else:
            default = cast("object", parameter.default)
            schema["default"] = default.value if isinstance(default, enum.Enum) else default
        properties[parameter.name] = schema
    stray = sorted(set(documented) - set(properties))
    if stray:
        raise ConfigurationError(f"tool {name!r} documents {stray}, which are not parameters")
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        schema["required"] = required
    schema["additionalProperties"] = False
    return ToolSpec(name, description, freeze(schema))


def schema_of_annotation(annotation: Any, where: str = "annotation") -> dict[str, Any]:
    """Return the JSON Schema of a Python annotation.

    Args:
        annotation: The evaluated annotation.
        where: What it belongs to, for the error's text.

    Raises:
        ConfigurationError: The annotation has no JSON meaning here.

    >>> schema_of_annotation(list[int] | None)
    {'anyOf': [{'type': 'array', 'items': {'type': 'integer'}}, {'type': 'null'}]}
    """
    try:
        plain = _PLAIN.get(annotation)
    except TypeError:
        plain = None
    if plain is not None:
        return dict(plain)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _annotated(arguments, where)
    if origin is Literal:
        return _enum(arguments)
    if origin in {Union, types.UnionType}:
        return _union([schema_of_annotation(part, where) for part in arguments])
    if origin in {list, tuple, dict, Sequence, Mapping}:
        return _container(cast("type", origin), arguments, where)
    if typing.is_typeddict(annotation):
        return _typed_dict(annotation, where)
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return _enum(tuple(member.value for member in annotation))
    raise ConfigurationError(f"{where}: {annotation!r} is not supported; supported: {_SUPPORTED}")


def _annotated(arguments: tuple[Any, ...], where: str) -> dict[str, Any]:
    schema = schema_of_annotation(arguments[0], where)
    for note in arguments[1:]:
        if isinstance(note, Limits):
            schema.update(note.words(schema.get("type")))
    return schema


def _enum(values: tuple[Any, ...]) -> dict[str, Any]:
    if values and all(isinstance(value, str) for value in values):
        return {"type": "string", "enum": list(values)}
    return {"enum": list(values)}


def _union(parts: list[dict[str, Any]]) -> dict[str, Any]:
    if all(list(part) == ["type"] and isinstance(part["type"], str) for part in parts):
        return {"type": [part["type"] for part in parts]}
    return {"anyOf": parts}


def _container(origin: type, arguments: tuple[Any, ...], where: str) -> dict[str, Any]:
    if origin in {dict, Mapping}:
        if arguments[0] is not str:
            raise ConfigurationError(f"{where}: the keys of a JSON object are strings")
        values = schema_of_annotation(arguments[1], where)
        return {"type": "object", **({"additionalProperties": values} if values else {})}
    if origin is tuple and arguments[-1] is not Ellipsis:
        parts = [schema_of_annotation(part, where) for part in arguments]
        return {"type": "array", "prefixItems": parts, "items": False, "minItems": len(parts)}
    items = schema_of_annotation(arguments[0], where)
    return {"type": "array", **({"items": items} if items else {})}


def _typed_dict(annotation: Any, where: str) -> dict[str, Any]:
    always = cast("frozenset[str]", annotation.__required_keys__)
    fields: dict[str, Any] = {}
    required: list[str] = []
    for name, hint in typing.get_type_hints(annotation, include_extras=True).items():
        origin = typing.get_origin(hint)  # the frozen set overlooks these in postponed annotations
        wrapped = origin in {typing.Required, typing.NotRequired}
        inner = typing.get_args(hint)[0] if wrapped else hint
        fields[name] = schema_of_annotation(inner, f"{where}.{name}")
        if origin is typing.Required or (not wrapped and name in always):
            required.append(name)
    schema: dict[str, Any] = {"type": "object", "properties": fields}
    if required:
        schema["required"] = required
    return {**schema, "additionalProperties": False}

"""A dataset's own documentation of a tool's parameters → JSON Schema (Draft 2020-12).

Two dialects are told apart by what ``type`` is. In the paper's, ``documented`` maps each parameter
to ``{"description", "type", "default"}``. In the raw JSON functions of ToolACE it is a schema of
its own: ``{"type": "dict", "properties": {…}, "required": […]}``.

Rules:

* Paper's dialect: a parameter is **required** when its default is ``""`` or absent and its type
  does not say ``optional`` (nor ``Optional[…]``). A default other than ``""`` is kept.
* JSON dialect: required is what ``required`` lists (or a parameter's own ``"required": true``).
* A default of ``None`` admits null as well.
* **Unexpected arguments are errors** (``additionalProperties`` is false) at the top level, where a
  dataset lists every parameter; objects inside stay open, since their keys are seldom documented.
* A type that is not understood admits every value and is noted in ``"$comment"``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from toolrl_env.tools.type_language import read_type

__all__ = ["documented_to_schema"]

MAX_DEPTH = 12

_LIMITS: dict[str, type | tuple[type, ...]] = {
    "minimum": (int, float),
    "maximum": (int, float),
    "exclusiveMinimum": (int, float),
    "exclusiveMaximum": (int, float),
    "minItems": int,
    "maxItems": int,
    "minLength": int,
    "maxLength": int,
    "uniqueItems": bool,
}
_MAY_BE_NEGATIVE = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}


def documented_to_schema(documented: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of the arguments object that ``documented`` describes.

    Total over any JSON-like input: whatever is odd becomes a permissive schema, never an error.

    Args:
        documented: Parameter documentation in either dialect.

    Returns:
        A Draft 2020-12 schema with ``type`` ``object``.

    >>> documented_to_schema({"n": {"description": "Count", "type": "int, optional", "default": 5}})
    {'type': 'object', 'properties': {'n': {'type': 'integer', 'description': 'Count', \
'default': 5}}, 'additionalProperties': False}
    """
    if not isinstance(documented, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        return {"type": "object", "$comment": "parameters are not an object"}
    if _is_json_dialect(documented):
        fields = _mapping(documented.get("properties"))
        listed = documented.get("required")
        names = {n for n in _sequence(listed) if isinstance(n, str)}
        required = [p for p in fields if p in names or _says_required(fields[p])]
    else:
        fields = documented
        required = [p for p, doc in fields.items() if _required_by_the_paper(doc)]
    schema: dict[str, Any] = {"type": "object"}
    schema["properties"] = {str(p): _parameter(doc, 0) for p, doc in fields.items()}
    if required:
        schema["required"] = list(dict.fromkeys(str(p) for p in required))
    schema["additionalProperties"] = False
    return schema


def _is_json_dialect(documented: Mapping[str, Any]) -> bool:
    """In the paper's dialect a parameter called ``type`` has a mapping as its value."""
    properties, kind = documented.get("properties"), documented.get("type")
    if isinstance(kind, str | list):
        return True
    return (
        isinstance(properties, Mapping)
        and kind is None
        and len(documented) <= 3
        and (not {"description", "type"} & set(cast("Mapping[str, Any]", properties)))
    )


def _required_by_the_paper(doc: object) -> bool:
    if not isinstance(doc, Mapping):
        return False
    fields = cast("Mapping[str, Any]", doc)
    if fields.get("required") in (True, False):
        return bool(fields["required"])
    return fields.get("default", "") == "" and not read_type(str(fields.get("type", ""))).optional


def _says_required(doc: object) -> bool:
    return isinstance(doc, Mapping) and cast("Mapping[str, Any]", doc).get("required") is True


def _parameter(doc: object, depth: int) -> dict[str, Any]:
    """Return the schema of one value: a nested fragment, a type in words, or anything."""
    if depth > MAX_DEPTH:
        return {"$comment": "nested too deeply to be read"}
    if isinstance(doc, str):
        return read_type(doc).schema
    if not isinstance(doc, Mapping):
        return {"$comment": f"not documented as an object: {str(doc)[:80]!r}"}
    fields = cast("Mapping[str, Any]", doc)
    schema = _typed(fields.get("type"), depth)
    _add_structure(schema, fields, depth)
    _add_limits(schema, fields)
    if isinstance(fields.get("description"), str):
        schema["description"] = fields["description"]
    default = fields.get("default", "")
    if default is None:
        _admit_null(schema)
    if default != "" and _is_json(default):
        schema["default"] = default
    return schema


def _typed(kind: object, depth: int) -> dict[str, Any]:
    if kind is None:
        return {}
    if isinstance(kind, str):
        return read_type(kind).schema
    if isinstance(kind, Mapping):
        return _parameter(cast("object", kind), depth + 1)
    return read_type(str(kind)).schema


def _add_structure(schema: dict[str, Any], fields: Mapping[str, Any], depth: int) -> None:
    """Add ``items``, ``properties``, ``anyOf`` and ``enum`` of a nested fragment."""
    items = fields.get("items")
    if isinstance(items, Mapping | str):
        schema["items"] = _parameter(cast("object", items), depth + 1)
    elif isinstance(items, list) and items:
        schema["prefixItems"] = [_parameter(i, depth + 1) for i in cast("list[Any]", items)]
    properties = fields.get("properties")
    if isinstance(properties, Mapping):
        inner = cast("Mapping[str, Any]", properties)
        schema["properties"] = {str(p): _parameter(doc, depth + 1) for p, doc in inner.items()}
        names = {n for n in _sequence(fields.get("required")) if isinstance(n, str)}
        required = [str(p) for p in inner if p in names or _says_required(inner[p])]
        if required:
            schema["required"] = list(dict.fromkeys(required))
    more = fields.get("additionalProperties")
    if isinstance(more, bool):
        schema["additionalProperties"] = more
    elif isinstance(more, Mapping):
        schema["additionalProperties"] = _parameter(cast("object", more), depth + 1)
    for word in ("anyOf", "oneOf"):
        choices = _sequence(fields.get(word))
        if choices:
            schema["anyOf"] = [_parameter(choice, depth + 1) for choice in choices]
    values = _sequence(fields.get("enum"))
    if values and all(_is_json(value) for value in values):
        schema["enum"] = list(values)


def _add_limits(schema: dict[str, Any], fields: Mapping[str, Any]) -> None:
    for word, kind in _LIMITS.items():
        value = fields.get(word)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            continue
        if word in _MAY_BE_NEGATIVE or kind is bool or cast("int", value) >= 0:
            schema[word] = value
    pattern = fields.get("pattern")
    if isinstance(pattern, str) and _compiles(pattern):
        schema["pattern"] = pattern
    if isinstance(fields.get("format"), str):
        schema["format"] = fields["format"]


def _admit_null(schema: dict[str, Any]) -> None:
    kind = schema.get("type")
    if isinstance(kind, str) and kind != "null":
        schema["type"] = [kind, "null"]
    elif isinstance(kind, list) and "null" not in kind:
        schema["type"] = [*cast("list[str]", kind), "null"]
    if "enum" in schema and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
    if "anyOf" in schema:
        schema["anyOf"] = [*schema["anyOf"], {"type": "null"}]


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _sequence(value: object) -> Sequence[Any]:
    return cast("Sequence[Any]", value) if isinstance(value, list | tuple) else ()


def _is_json(value: object, depth: int = 0) -> bool:
    if value is None or isinstance(value, str | bool | int | float):
        return True
    if depth > MAX_DEPTH:
        return False
    if isinstance(value, list):
        return all(_is_json(item, depth + 1) for item in cast("list[Any]", value))
    if isinstance(value, dict):
        pairs = cast("dict[Any, Any]", value).items()
        return all(isinstance(k, str) and _is_json(v, depth + 1) for k, v in pairs)
    return False


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return False
    return True

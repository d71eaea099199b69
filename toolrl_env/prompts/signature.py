"""JSON Schema types in Python's words, as the datasets of the paper write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

__all__ = ["type_words"]

_WORDS = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "object": "dict",
    "array": "list",
    "null": "None",
}


def type_words(schema: Mapping[str, Any]) -> str:
    """Return the type that ``schema`` asks for; ``Any`` if it does not say.

    >>> type_words({"type": "array", "items": {"type": "integer"}})
    'List[int]'
    >>> type_words({"type": ["string", "null"]})
    'Union[str, None]'
    """
    choices: Sequence[Mapping[str, Any]] = schema.get("anyOf") or ()
    if choices:
        return _union([type_words(choice) for choice in choices])
    kind = schema.get("type")
    if isinstance(kind, list):
        return _union([_one({**schema, "type": each}) for each in cast("list[str]", kind)])
    return _one(schema)


def _union(words: list[str]) -> str:
    different = list(dict.fromkeys(words))
    return different[0] if len(different) == 1 else f"Union[{', '.join(different)}]"


def _one(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    if kind == "array":
        items = schema.get("items")
        if isinstance(items, Mapping) and items:
            return f"List[{type_words(cast('Mapping[str, Any]', items))}]"
    return _WORDS.get(str(kind), "Any")

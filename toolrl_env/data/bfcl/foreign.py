"""Values as Java and JavaScript source, the way the official checker reads them.

In the Java and JavaScript categories every argument is text in that language. These write a
possible answer's value as such text. The official reader is no compiler: the quotes of strings in
an ``Array`` would become part of them, so they are left out there; and a list of mixed values it
cannot read in any notation, which is why the source flags two Java entries.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, cast

__all__ = ["write_java", "write_javascript"]

_BOXES = {"integer": "Integer", "float": "Float", "double": "Double", "boolean": "Boolean"}


def write_java(value: Any, parameter: Mapping[str, Any]) -> str:
    """Return ``value`` as a Java expression.

    Args:
        value: The value, as a possible answer has it.
        parameter: The parameter's official documentation, with the Java type.

    >>> write_java([1, 2], {"type": "ArrayList", "items": {"type": "long"}})
    'new ArrayList<>(Arrays.asList(1L, 2L))'
    """
    kind = str(parameter["type"])
    inner = str(cast("Mapping[str, Any]", parameter.get("items", {})).get("type", "any"))
    if isinstance(value, list):
        bare = kind == "Array" and inner == "String"
        written = [
            str(item) if bare else _java_item(item, inner) for item in cast("list[Any]", value)
        ]
        items = ", ".join(written)
        if kind == "Array":
            return f"new {_BOXES.get(inner, 'Object')}[]{{{items}}}"
        return f"new ArrayList<>(Arrays.asList({items}))" if items else "new ArrayList<>()"
    if isinstance(value, dict):
        pairs = cast("dict[str, Any]", value).items()
        puts = " ".join(f'put("{key}", {_java_item(item, "any")});' for key, item in pairs)
        return f"new HashMap<String, Object>() {{{{ {puts} }}}}" if puts else "new HashMap<>()"
    return value if isinstance(value, str) else _java_number(value, kind)


def _java_item(value: Any, kind: str) -> str:
    if isinstance(value, str):
        quote = "'" if kind == "char" else '"'
        return f"{quote}{value}{quote}"
    return _java_number(value, kind)


def _java_number(value: Any, kind: str) -> str:
    suffix = {"float": "f", "long": "L"}.get(kind, "")
    return _bool_or(value, lambda number: f"{number}{suffix}")


def write_javascript(value: Any, parameter: Mapping[str, Any]) -> str:
    """Return ``value`` as a JavaScript expression.

    >>> write_javascript({"a": [True, "x"]}, {"type": "dict"})
    '{"a": [true, "x"]}'
    """
    if isinstance(value, list):
        return "[" + ", ".join(_js_item(item, parameter) for item in cast("list[Any]", value)) + "]"
    if isinstance(value, dict):
        pairs = cast("dict[str, Any]", value).items()
        inner: Mapping[str, Any] = {"type": "any"}
        body = ", ".join(f'"{key}": {_js_item(item, inner)}' for key, item in pairs)
        return "{" + body + "}"
    if isinstance(value, str):
        return value
    suffix = "n" if parameter["type"] == "Bigint" else ""
    return _bool_or(value, lambda number: f"{number}{suffix}")


def _js_item(value: Any, parameter: Mapping[str, Any]) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return write_javascript(value, parameter.get("items", {"type": "any"}))


def _bool_or(value: Any, write: Callable[[Any], str]) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return write(value)

"""Schema violations → ``ActionError``: named by path, value and expected type, for two readers."""

from __future__ import annotations

import json
import re
import reprlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from toolrl_env.core.errors import nearest
from toolrl_env.core.types import ActionError, ErrorCode

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

__all__ = ["action_error", "describe_schema", "describe_violation", "json_path", "show"]

_IDENTIFIER = re.compile(r"[A-Za-z_]\w*\Z")
_ARTICLES = {"array": "an array", "object": "an object", "integer": "an integer", "null": "null"}


def show(value: object, limit: int = 80) -> str:
    """Return ``value`` as bounded text, whatever its size or depth.

    >>> show([[[[[[1]]]]]])
    '[[[[[...]]]]]'
    """
    short = reprlib.Repr()
    short.maxstring = short.maxother = short.maxlong = limit
    short.maxlevel = 5
    text = short.repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def json_path(parts: Iterable[str | int]) -> str:
    """Return the JSON path of a value within the arguments.

    >>> json_path(["days", 2]), json_path(["first name"])
    ('$.days[2]', '$["first name"]')
    """
    path = "$"
    for part in parts:
        if isinstance(part, int):
            path += f"[{part}]"
        elif _IDENTIFIER.match(part):
            path += f".{part}"
        else:
            path += f"[{json.dumps(part[:80])}]"
    return path


def describe_schema(schema: object, depth: int = 0) -> str:
    """Return what a schema asks for, in words.

    >>> describe_schema({"type": "array", "items": {"type": ["integer", "null"]}})
    'an array of (an integer or null)'
    """
    if not isinstance(schema, Mapping) or depth > 3:
        return "any value"
    fields = cast("Mapping[str, Any]", schema)
    if isinstance(fields.get("enum"), list):
        values = [show(value, 40) for value in fields["enum"][:12]]
        return "one of " + ", ".join(values) + (", …" if len(fields["enum"]) > 12 else "")
    if isinstance(fields.get("anyOf"), list):
        return " or ".join(describe_schema(part, depth + 1) for part in fields["anyOf"][:6])
    kinds = fields.get("type")
    if kinds is None:
        return "any value"
    names = [kinds] if isinstance(kinds, str) else cast("list[str]", kinds)
    words = [_ARTICLES.get(name, f"a {name}") for name in names]
    text = " or ".join(words)
    items = fields.get("items")
    if "array" in names and isinstance(items, Mapping) and items:
        inner = describe_schema(cast("object", items), depth + 1)
        text += f" of ({inner})" if " or " in inner else f" of {inner}"
    if "array" in names and isinstance(fields.get("prefixItems"), list):
        parts = [describe_schema(part, depth + 1) for part in fields["prefixItems"][:6]]
        text += " of exactly " + ", ".join(parts)
    return text


def action_error(
    code: ErrorCode, call: int, tool: str | None, text: str, path: str | None = None, hint: str = ""
) -> ActionError:
    """Build the error of one call: the person is told the call's number and tool as well."""
    where = f"call {call}" + (f" ({show(tool, 60)})" if tool is not None else "")
    message = f"{where}: {text}.{hint}"
    return ActionError(code, message, f"{text[:1].upper()}{text[1:]}.{hint}", call, path)


def describe_violation(error: ValidationError, call: int, tool: str) -> list[ActionError]:
    """Return what one jsonschema error says, as one ``ActionError`` per offending argument."""
    where = tuple(error.absolute_path)
    word = str(error.validator)
    schema = cast("Mapping[str, Any]", error.schema)
    instance = cast("Any", error.instance)
    if word == "required":
        return _missing(error, schema, call, tool, where)
    if word == "additionalProperties" and error.validator_value is False:
        return _unexpected(schema, instance, call, tool, where)
    place = json_path(where)
    if word in {"type", "anyOf"}:
        expected = describe_schema(schema)
        text = f"argument {place} is {show(instance)} ({_kind(instance)}) but must be {expected}"
        code = ErrorCode.WRONG_TYPE if _is_type_error(error) else ErrorCode.INVALID_VALUE
        return [action_error(code, call, tool, text, place)]
    if word == "enum":
        text = f"argument {place} is {show(instance)} but must be {describe_schema(schema)}"
        close = nearest(instance, [str(v) for v in schema["enum"]]) if instance else None
        hint = f" Did you mean {close!r}?" if close else ""
        return [action_error(ErrorCode.INVALID_VALUE, call, tool, text, place, hint)]
    rule = f"{word} {show(error.validator_value)}"
    text = f"argument {place} is {show(instance)}, which breaks the rule {rule}"
    return [action_error(ErrorCode.INVALID_VALUE, call, tool, text, place)]


def _missing(
    error: ValidationError,
    schema: Mapping[str, Any],
    call: int,
    tool: str,
    where: tuple[str | int, ...],
) -> list[ActionError]:
    """One error per missing argument; jsonschema yields one per name, so take its own."""
    instance = cast("Mapping[str, Any]", error.instance)
    match = re.match(r"(.*) is a required property\Z", error.message, re.DOTALL)
    named = match[1] if match else ""
    found: list[ActionError] = []
    for name in cast("list[str]", error.validator_value):
        if name not in instance and repr(name) == named:
            properties = cast("Mapping[str, Any]", schema.get("properties", {}))
            place = json_path((*where, name))
            expected = describe_schema(properties.get(name))
            text = f"required argument {place} is missing; it must be {expected}"
            found.append(action_error(ErrorCode.MISSING_ARGUMENT, call, tool, text, place))
    return found


def _unexpected(
    schema: Mapping[str, Any],
    instance: Mapping[str, Any],
    call: int,
    tool: str,
    where: tuple[str | int, ...],
) -> list[ActionError]:
    known = cast("Mapping[str, Any]", schema.get("properties", {}))
    found: list[ActionError] = []
    for name in [n for n in instance if n not in known][:16]:
        place = json_path((*where, name))
        close = nearest(name, known)
        allowed = ", ".join(list(known)[:12]) or "none"
        hint = f" Did you mean {close!r}?" if close else ""
        text = f"unexpected argument {place} = {show(instance[name])}; known arguments: {allowed}"
        found.append(action_error(ErrorCode.UNEXPECTED_ARGUMENT, call, tool, text, place, hint))
    return found


def _is_type_error(error: ValidationError) -> bool:
    """A failed ``anyOf`` is about the type if every alternative failed on its own type."""
    if error.validator == "type":
        return True
    parts = error.context or []
    return all(part.validator == "type" and not part.relative_path for part in parts)


def _kind(value: object) -> str:
    """Return the JSON name of a value's type."""
    for kind, name in ((bool, "boolean"), (str, "string"), (int, "integer"), (float, "number")):
        if isinstance(value, kind):
            return name
    if value is None:
        return "null"
    return "array" if isinstance(value, list) else "object"

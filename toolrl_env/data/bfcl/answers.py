"""Official possible answers → one gold answer: the first possible value of each argument."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from toolrl_env.core.types import ToolCall
from toolrl_env.data.bfcl.foreign import write_java, write_javascript

__all__ = ["first_answer"]

_WRITERS = {"java": write_java, "javascript": write_javascript}
_OMIT = object()


def first_answer(
    functions: Sequence[Mapping[str, Any]], answer: Sequence[Mapping[str, Any]], language: str
) -> tuple[ToolCall, ...]:
    """Return the calls that take the first possible value of each argument.

    ``""`` among the possible values means that the argument may be left out: it is, if that comes
    first and the argument is not required, or if the function does not document it.

    Args:
        functions: The entry's official functions, as the checker wants them.
        answer: The entry's possible answers: one ``{name: {parameter: [value, …]}}`` a call.
        language: ``"python"``, ``"java"`` or ``"javascript"``.
    """
    known = {str(function["name"]): function for function in functions}
    return tuple(
        ToolCall(name, _arguments(known.get(name, {}), possible, language))
        for call in answer
        for name, possible in call.items()
    )


def _arguments(
    function: Mapping[str, Any], possible: Mapping[str, Any], language: str
) -> dict[str, Any]:
    parameters: Mapping[str, Any] = function.get("parameters", {})
    properties: Mapping[str, Any] = parameters.get("properties", {})
    required: Sequence[str] = parameters.get("required", ())
    arguments: dict[str, Any] = {}
    for name, values in possible.items():
        if name not in properties and "" in values:
            continue
        value = _first(values, required=name in required)
        if value is not _OMIT:
            write = _WRITERS.get(language)
            documented = properties.get(name, {"type": "any"})
            arguments[name] = value if write is None else write(value, documented)
    return arguments


def _first(values: Sequence[Any], *, required: bool) -> Any:
    for value in values:
        if value != "":
            return _concrete(value)
        if not required:
            return _OMIT
    return values[0] if values else _OMIT


def _concrete(value: Any) -> Any:
    """Return a possible value with a choice made in each object inside: its values are lists."""
    if isinstance(value, list):
        return [_concrete(item) for item in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    chosen: dict[str, Any] = {}
    for key, values in cast("dict[str, Any]", value).items():
        choice: Any = values
        if isinstance(values, list):
            choice = _first(cast("list[Any]", values), required=False)
        if choice is not _OMIT:
            chosen[key] = choice
    return chosen

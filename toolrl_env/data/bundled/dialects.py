"""A tool of the catalogue in each dataset's own way of documenting tools."""

from __future__ import annotations

import string
from collections.abc import Callable, Collection, Mapping
from random import Random
from typing import Any, cast

from toolrl_env.data.bundled.catalogue import Param, ToolDoc
from toolrl_env.data.bundled.scenes import Call

__all__ = [
    "Naming",
    "call_syntax",
    "camel_case",
    "masked",
    "mixed_names",
    "paper_parameters",
    "plain_names",
    "python_parameters",
    "toolace_function",
    "xlam_parameters",
]

PYTHON_TYPES = {
    "str": "str",
    "int": "int",
    "float": "float",
    "bool": "bool",
    "list[str]": "List[str]",
    "list[float]": "List[float]",
    "list[list[float]]": "List[List[float]]",
}
JSON_TYPES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}
LOOSE_TYPES = {"str": "string", "int": "int", "float": "float", "bool": "bool"}
MASK_LETTERS = string.ascii_letters + string.digits + "_."


class Naming:
    """How the tools of one row, and their parameters, are called.

    Args:
        tool: Name of a tool in the row.
        param: Name of a parameter in the row.
    """

    def __init__(
        self, tool: Callable[[ToolDoc], str], param: Callable[[ToolDoc, str], str] | None = None
    ) -> None:
        self._tool, self._param = tool, param
        self._names: dict[str, str] = {}
        self._params: dict[tuple[str, str], str] = {}

    def tool(self, tool: ToolDoc) -> str:
        """Return the tool's name, always the same within a row."""
        if tool.name not in self._names:
            self._names[tool.name] = self._tool(tool)
        return self._names[tool.name]

    def param(self, tool: ToolDoc, name: str) -> str:
        """Return the parameter's name, always the same within a row."""
        if self._param is None:
            return name
        key = (tool.name, name)
        if key not in self._params:
            self._params[key] = self._param(tool, name)
        return self._params[key]

    def arguments(self, call: Call) -> dict[str, Any]:
        """Return the arguments of ``call`` under their names in the row."""
        return {self.param(call.tool, name): value for name, value in call.arguments.items()}


def plain_names() -> Naming:
    """Snake case, as in the catalogue."""
    return Naming(lambda tool: tool.name)


def camel_case() -> Naming:
    """``BookTable``, as in API-Bank."""
    return Naming(lambda tool: tool.name.title().replace("_", ""))


def mixed_names(rng: Random) -> Naming:
    """Spaces, dots and slashes, as in ToolACE."""

    def name(tool: ToolDoc) -> str:
        title = tool.name.replace("_", " ").title()
        first, *rest = tool.name.title().split("_")
        topic = tool.domain.split(" ")[0]
        ways = (
            title,
            title,
            title,
            tool.name,
            tool.name,
            f"{topic}.{tool.name}",
            f"{topic.title()}/{title}",
            first.lower() + "".join(rest),
        )
        return rng.choice(ways)

    return Naming(name)


def masked(rng: Random) -> Naming:
    """Random letters, as in Hammer: 5 to 15 for a tool and 4 to 10 for a parameter."""

    def word(low: int, high: int) -> str:
        first = rng.choice(string.ascii_letters)
        return first + "".join(rng.choices(MASK_LETTERS, k=rng.randint(low, high) - 1))

    return Naming(lambda _: word(5, 15), lambda _tool, _param: word(4, 10))


def xlam_parameters(tool: ToolDoc) -> dict[str, Any]:
    """``{p: {"description", "type", "default"?}}`` with types such as ``str, optional``."""
    documented: dict[str, Any] = {}
    for name, param in tool.params.items():
        entry: dict[str, Any] = {"description": _about(param), "type": PYTHON_TYPES[param.kind]}
        if not param.required:
            entry["type"] += ", optional"
        if param.default is not None:
            entry["default"] = param.default
        documented[name] = entry
    return documented


def paper_parameters(tool: ToolDoc, naming: Naming, *, json_types: bool) -> dict[str, Any]:
    """``{p: {"description", "type", "default"}}``; a missing default is ``""``."""
    documented: dict[str, Any] = {}
    for name, param in tool.params.items():
        kind = PYTHON_TYPES[param.kind]
        if json_types:
            kind = JSON_TYPES.get(param.kind, kind)
        if not param.required:
            kind += ", optional"
        default = "" if param.default is None else param.default
        entry = {"description": _about(param), "type": kind, "default": default}
        documented[naming.param(tool, name)] = entry
    return documented


def python_parameters(tool: ToolDoc, used: Collection[str]) -> dict[str, Any]:
    """API-Bank's way, which knows no optional parameters: those that are not used are left out."""
    return {
        name: {"type": PYTHON_TYPES[param.kind], "description": _about(param)}
        for name, param in tool.params.items()
        if param.required or name in used
    }


def toolace_function(tool: ToolDoc, naming: Naming, *, loose: bool) -> dict[str, Any]:
    """ToolACE's way: a JSON function whose ``parameters`` have the type ``dict``.

    Args:
        tool: The tool.
        naming: Names in the row.
        loose: Whether types are written ``int``, ``float``, ``bool`` instead of JSON Schema's.
    """
    words = LOOSE_TYPES if loose else JSON_TYPES
    parameters: dict[str, Any] = {
        "type": "dict",
        "properties": {name: _property(param, words) for name, param in tool.params.items()},
        "required": [name for name, param in tool.params.items() if param.required],
    }
    function = {"name": naming.tool(tool), "description": tool.about, "parameters": parameters}
    return {**function, "required": None} if loose else function


def _property(param: Param, words: Mapping[str, str]) -> dict[str, Any]:
    entry = {"description": param.about, **_json_type(param.kind, words)}
    if param.enum:
        entry["enum"] = list(param.enum)
    if param.default is not None:
        entry["default"] = param.default
    return entry


def _json_type(kind: str, words: Mapping[str, str]) -> dict[str, Any]:
    if kind.startswith("list["):
        return {"type": "array", "items": _json_type(kind[5:-1], words)}
    return {"type": words[kind]}


def _about(param: Param) -> str:
    if not param.enum:
        return param.about
    return f"{param.about} One of {', '.join(repr(value) for value in param.enum)}."


def call_syntax(name: str, arguments: Mapping[str, Any]) -> str:
    """Return a call as ToolACE writes it.

    >>> call_syntax("Book Table", {"guests": 2, "outdoor": True, "name": "The Ox"})
    'Book Table(guests=2, outdoor=True, name="The Ox")'
    """
    return f"{name}({', '.join(f'{key}={_literal(value)}' for key, value in arguments.items())})"


def _literal(value: Any) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    if isinstance(value, list):
        return f"[{', '.join(_literal(item) for item in cast('list[Any]', value))}]"
    return repr(value)

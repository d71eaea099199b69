"""The toolbox: every function of the suites next door, as tools, by name and by field.

All are pure, deterministic, and bounded by the limits in their own schemas, so they need no
process of their own.
"""

from __future__ import annotations

from types import ModuleType

from toolrl_env.core.errors import UnknownName
from toolrl_env.tools.suites import (
    arithmetic,
    dates,
    geometry,
    lists,
    lookup,
    money,
    statistics,
    text,
    units,
)
from toolrl_env.tools.tool import Tool, tool_from_function

__all__ = ["FIELDS", "TOOLBOX", "get_tool"]


def _tools(module: ModuleType) -> tuple[Tool, ...]:
    names: list[str] = module.__all__
    return tuple(tool_from_function(vars(module)[name]) for name in names)


FIELDS: dict[str, tuple[Tool, ...]] = {
    "arithmetic": _tools(arithmetic),
    "statistics": _tools(statistics),
    "money": _tools(money),
    "dates": _tools(dates),
    "text": _tools(text),
    "lists": _tools(lists),
    "units": _tools(units),
    "geometry": _tools(geometry),
    "lookup": _tools(lookup),
}
"""The tools of each field; two tools of one field are easily confused, of two fields hardly."""

TOOLBOX: dict[str, Tool] = {tool.name: tool for tools in FIELDS.values() for tool in tools}
"""Every tool by name."""


def get_tool(name: str) -> Tool:
    """Return the tool called ``name``.

    Raises:
        UnknownName: There is none.
    """
    if name not in TOOLBOX:
        raise UnknownName("toolbox tool", name, TOOLBOX)
    return TOOLBOX[name]

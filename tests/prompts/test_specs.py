from __future__ import annotations

import pytest

from toolrl_env.core.types import ToolSpec
from toolrl_env.prompts.specs import documented_tool
from toolrl_env.tools import documented_to_schema


@pytest.mark.parametrize(
    "documented",
    [
        {},
        {"b": {"description": "é", "type": "int", "default": 3}, "a": {"type": "str, optional"}},
        {"type": "dict", "properties": {"x": {"type": "array"}}, "required": ["x"]},
    ],
)
def test_a_tool_has_its_schema_and_its_documentation(documented: dict[str, object]) -> None:
    tool = documented_tool("f", "F", documented)
    assert tool == ToolSpec("f", "F", documented_to_schema(documented), documented)
    assert list(tool.documented or {}) == list(documented)


def test_equal_documentation_is_read_once_and_order_counts() -> None:
    one = documented_tool("f", "F", {"a": {"type": "int"}, "b": {"type": "str"}})
    two = documented_tool("g", "G", {"a": {"type": "int"}, "b": {"type": "str"}})
    three = documented_tool("f", "F", {"b": {"type": "str"}, "a": {"type": "int"}})
    assert one.parameters is two.parameters
    assert list(three.documented or {}) == ["b", "a"]


def test_neither_can_be_changed() -> None:
    source = {"a": {"type": "int"}}
    tool = documented_tool("f", "F", source)
    with pytest.raises(TypeError):
        tool.parameters["type"] = "array"  # type: ignore[index]
    source["a"]["type"] = "str"
    assert tool.documented == {"a": {"type": "int"}}


def test_python_values_that_are_not_json_are_taken() -> None:
    tool = documented_tool("f", "F", {"a": {"type": "str", "default": {1, 2}}})
    assert tool.parameters["properties"]["a"]["type"] == "string"
    assert "a" in (tool.documented or {})

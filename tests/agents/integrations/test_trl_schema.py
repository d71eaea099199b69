"""Tools as methods: what TRL tells the model of them is what we would, and what is left out."""

from __future__ import annotations

import gymnasium as gym
import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers.utils import get_json_schema

import toolrl_env  # noqa: F401  # registers the ids
from agents.integrations.trl_schema import described, tool_method, type_hint, worded
from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.types import ToolSpec

KEPT = ("type", "enum", "description")
"""Keywords that a signature and a docstring can say."""


def tool(name="look", description="Look.", required=(), **members):
    parameters = {"type": "object", "properties": members, "required": list(required)}
    return ToolSpec(name, description, parameters).as_openai()


def shown(entry):
    """What TRL makes of a tool for the chat template."""
    made = type("Environment", (), {entry["function"]["name"]: tool_method(entry, echo)})
    return get_json_schema(getattr(made(), entry["function"]["name"]))


def echo(self, name, arguments):
    return f"{name} {arguments}"


def sayable(schema):
    """A schema without what a signature cannot say."""
    kept = {key: schema[key] for key in KEPT if key in schema}
    if isinstance(schema.get("items"), dict):
        kept["items"] = sayable(schema["items"])
    if len(schema.get("prefixItems", ())) > 1:
        kept["prefixItems"] = [sayable(each) for each in schema["prefixItems"]]
    if isinstance(schema.get("additionalProperties"), dict):
        kept["additionalProperties"] = sayable(schema["additionalProperties"])
    return kept


def expected(entry):
    function = entry["function"]
    members = function["parameters"].get("properties", {})
    parameters = {
        "type": "object",
        "properties": {
            key: {**sayable(schema), "description": described(key, schema)}
            for key, schema in members.items()
        },
    }
    if needed := function["parameters"].get("required"):
        parameters["required"] = [key for key in members if key in needed]
    about = {"name": function["name"], "description": worded(function["description"])}
    return {"type": "function", "function": {**about, "parameters": parameters}}


@pytest.mark.parametrize(
    ("env_id", "tasks"),
    [
        ("ToolRL-Workspace-v0", 25),
        ("ToolRL-MCP-v0", 1),
        ("ToolRL-Search-v0", 1),
        ("ToolRL-Toolbox-v0", 25),
    ],
)
def test_trl_shows_every_tool_of_ours_as_we_would(env_id, tasks):
    env = gym.make(env_id, protocol="native")
    seen = {}
    for index in range(tasks):
        _, info = env.reset(options={"task_index": index})
        seen.update({entry["function"]["name"]: entry for entry in info["tools"]})
    env.close()
    assert seen
    for entry in seen.values():
        assert shown(entry) == expected(entry)


def test_what_is_left_out_is_bounds_defaults_and_titles_alone():
    schema = {
        "type": "integer",
        "description": "How many.",
        "minimum": 1,
        "maximum": 9,
        "default": 3,
        "title": "Count",
    }
    got = shown(tool(count=schema))["function"]["parameters"]
    assert got == {
        "type": "object",
        "properties": {"count": {"type": "integer", "description": "How many."}},
    }


@pytest.mark.parametrize(
    ("schema", "wanted"),
    [
        ({"type": "string"}, {"type": "string"}),
        ({"type": "number"}, {"type": "number"}),
        ({"type": "boolean"}, {"type": "boolean"}),
        ({"type": "array"}, {"type": "array"}),
        ({"type": "object"}, {"type": "object"}),
        ({}, {}),
        ({"enum": ["a", "b"]}, {"type": "string", "enum": ["a", "b"]}),
        ({"type": "integer", "enum": [1, 2]}, {"type": "integer", "enum": [1, 2]}),
        ({"enum": [True, None]}, {"type": ["boolean", "null"], "enum": [True, None]}),
        ({"enum": [[1]], "type": "array"}, {"type": "array"}),
        (
            {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}},
            {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}},
        ),
        (
            {"type": "array", "prefixItems": [{"type": "number"}, {"type": "string"}]},
            {"type": "array", "prefixItems": [{"type": "number"}, {"type": "string"}]},
        ),
        ({"type": "array", "prefixItems": [{"type": "number"}]}, {"type": "array"}),
        (
            {"type": "object", "additionalProperties": {"type": "integer"}},
            {"type": "object", "additionalProperties": {"type": "integer"}},
        ),
        ({"type": "object", "additionalProperties": False}, {"type": "object"}),
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        ({"type": ["string", "integer"]}, {"type": ["integer", "string"]}),
        (
            {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            {"type": "integer", "nullable": True},
        ),
        (
            {"oneOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}]},
            {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}]},
        ),
    ],
)
def test_schemas_and_what_trl_makes_of_them(schema, wanted):
    got = shown(tool(value=schema))["function"]["parameters"]["properties"]["value"]
    assert got == wanted | {"description": "value"}


def test_members_of_an_object_are_said_in_words_wherever_they_stand():
    inner = {"type": "object", "properties": {"x": {"type": "number"}}, "required": ["x"]}
    for schema in (
        inner | {"description": "Where."},
        {"type": "array", "items": inner, "description": "Where."},
        {"anyOf": [inner, {"type": "null"}], "description": "Where."},
        {"$ref": "#/$defs/Place", "description": "Where."},
    ):
        text = shown(tool(at=schema))["function"]["parameters"]["properties"]["at"]["description"]
        assert text.startswith("Where. JSON schema: {")
        assert "description" not in text
        assert ('"x": {"type": "number"}' in text) == ("$ref" not in schema)


def test_the_method_hands_over_what_it_is_called_with():
    entry = tool("move", required=["to"], to={"type": "string"}, many={"type": "integer"})
    environment = type("Environment", (), {"move": tool_method(entry, echo)})()
    assert environment.move(to="A1") == "move {'to': 'A1'}"
    assert environment.move(to="A1", many="x", other=1) == (
        "move {'to': 'A1', 'many': 'x', 'other': 1}"
    )
    assert shown(entry)["function"]["parameters"]["required"] == ["to"]


def test_names_that_python_would_not_write_are_tools_all_the_same():
    entry = tool("files.read-all v2", path={"type": "string"})
    assert shown(entry)["function"]["name"] == "files.read-all v2"


def test_a_tool_without_description_or_arguments_is_described_by_its_name():
    assert shown(tool("now", ""))["function"] == {
        "name": "now",
        "description": "now",
        "parameters": {"type": "object", "properties": {}},
    }


def test_arguments_without_description_are_described_by_their_names():
    got = shown(tool(one={"type": "string"}, two={"type": "string"}))["function"]["parameters"]
    assert {key: each["description"] for key, each in got["properties"].items()} == {
        "one": "one",
        "two": "two",
    }


def test_a_description_of_several_lines_is_kept_and_an_arguments_becomes_one():
    got = shown(tool("f", "One.\n\nTwo: three.", a={"type": "string", "description": "x\n  y: z"}))
    assert got["function"]["description"] == "One.\n\nTwo: three."
    assert got["function"]["parameters"]["properties"]["a"]["description"] == "x y: z"


@pytest.mark.parametrize("name", ["reset", "get_reward", "_hidden"])
def test_names_that_trl_keeps_for_itself_are_refused(name):
    with pytest.raises(ConfigurationError, match=f"'{name}'"):
        tool_method(tool(name), echo)


@pytest.mark.parametrize("key", ["class", "from", "a-b", "1st", "self", ""])
def test_arguments_that_python_does_not_have_are_refused(key):
    with pytest.raises(ConfigurationError, match="no argument"):
        tool_method(tool(**{key: {"type": "string"}}), echo)


def test_a_docstring_in_a_description_stays_words():
    text = "Reads.\n\n    Args:\n\tx: the path.\n    Returns: what it says (choices: [1])"
    entry = tool("f", text, x={"type": "string", "description": text})
    got = shown(entry)["function"]
    said = "Reads.\n\n    Args :\n        x: the path.\n    Returns : what it says (choices : [1])"
    assert got["description"] == said
    member = got["parameters"]["properties"]["x"]
    assert (
        member["description"] == "Reads. Args : x: the path. Returns : what it says (choices : [1])"
    )
    assert "enum" not in member


WORDS = st.text("ab c.,:()\n\t\r\f é", max_size=30) | st.sampled_from(
    ["Args:", "x\n\nReturns:\n  y", "a (choices: [1])", "Raises: b", "Choices:", " a:\n b: c"]
)


@given(WORDS, WORDS, WORDS)
def test_any_words_are_said_as_they_are_worded(about, one, other):
    members = {
        "one": {"type": "string", "description": one},
        "two": {"type": "integer", "description": other},
    }
    got = shown(tool("f", about, **members))["function"]
    assert got["description"] == (worded(about) or "f")
    assert got["parameters"]["properties"] == {
        key: {"type": schema["type"], "description": described(key, schema)}
        for key, schema in members.items()
    }


SCALARS = st.sampled_from([{"type": kind} for kind in ("string", "integer", "number", "boolean")])
SCHEMAS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.builds(lambda items: {"type": "array", "items": items}, inner),
        st.builds(lambda v: {"type": "object", "additionalProperties": v}, inner),
        st.builds(
            lambda v: {"type": "array", "prefixItems": v}, st.lists(inner, min_size=2, max_size=3)
        ),
    ),
    max_leaves=6,
)


@given(SCHEMAS, st.text("ab c.,()é", max_size=20))
def test_any_schema_of_what_a_hint_can_say_comes_out_as_it_was(schema, text):
    entry = tool("f", "Do.", required=["value"], value={**schema, "description": text})
    assert shown(entry) == expected(entry)


@given(st.lists(st.one_of(st.text(max_size=5), st.integers(), st.booleans()), min_size=1))
def test_any_enum_comes_out_with_its_values(values):
    assert list(type_hint({"enum": values}).__args__) == list(
        {(type(value), value): value for value in values}.values()
    )

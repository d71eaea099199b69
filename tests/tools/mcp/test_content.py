"""What a server says, as data: bounded, JSON, never more than shown."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp import types

from toolrl_env.core.errors import InfrastructureError
from toolrl_env.core.types import FailureKind
from toolrl_env.tools.mcp.content import MAX_DESCRIPTION, MAX_SCHEMA, answer_of, listing_of


def text(*parts, **more):
    content = [types.TextContent(type="text", text=part) for part in parts]
    return types.CallToolResult(content=content, **more)


@pytest.mark.parametrize(
    ("result", "value"),
    [
        (text("hello"), "hello"),
        (text("12"), "12"),
        (text('{"a": [1, 2.5, null]}'), {"a": [1, 2.5, None]}),
        (text(" [1]"), [1]),
        (text("{not json"), "{not json"),
        (text('{"a": NaN}'), '{"a": NaN}'),
        (text('{"a": 1e999}'), '{"a": 1e999}'),
        (text("a", '{"b": 1}'), ["a", {"b": 1}]),
        (text(), None),
        (text("ignored", structured_content={"a": 1}), {"a": 1}),
        (text("x", structured_content={"a": float("inf")}), "x"),
        (text("x", structured_content={"a": 10**5000}), "x"),
        (text("[" + "9" * 5000 + "]"), "[" + "9" * 5000 + "]"),
        (text("[" * 5000), "[" * 5000),
    ],
)
def test_results(result, value):
    answer = answer_of(result)
    assert answer.value == value
    assert not answer.refused
    json.dumps(answer.value, allow_nan=False)


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (text("no", is_error=True), "no"),
        (text("a", "b", is_error=True), '["a", "b"]'),
        (text(is_error=True), "null"),
        (text('{"code": 3}', is_error=True), '{"code": 3}'),
    ],
)
def test_refusals_are_words(result, said):
    answer = answer_of(result)
    assert answer.refused
    assert answer.value == said


def test_pictures_sounds_and_resources_are_named_not_shown():
    result = types.CallToolResult(
        content=[
            types.ImageContent(type="image", data="QUJD" * 100, mime_type="image/png"),
            types.AudioContent(type="audio", data="QUJD", mime_type="audio/wav"),
            types.ResourceLink(type="resource_link", uri="file:///a.txt", name="a"),
            types.EmbeddedResource(
                type="resource", resource=types.TextResourceContents(uri="x://y", text="inside")
            ),
            types.EmbeddedResource(
                type="resource", resource=types.BlobResourceContents(uri="x://z", blob="QUJD")
            ),
        ]
    )
    image, audio, link, inside, blob = answer_of(result).value
    assert image == {"type": "image", "mime_type": "image/png", "bytes": 300}
    assert audio == {"type": "audio", "mime_type": "audio/wav", "bytes": 3}
    assert link == {"type": "resource_link", "uri": "file:///a.txt", "name": "a"}
    assert inside == "inside"
    assert blob == {"type": "resource", "uri": "x://z", "bytes": 3}


@given(st.text())
def test_any_text_becomes_json_of_its_own(words):
    json.dumps(answer_of(text(words)).value, allow_nan=False)


# ------------------------------------------------------------------ listings


def tool(name="t", **more):
    return types.Tool(name=name, **{"input_schema": {"type": "object"}, **more})


def test_a_listing_keeps_order_schemas_and_hints():
    reads = types.ToolAnnotations(read_only_hint=True)
    schema = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
    listing = listing_of(
        "s",
        [tool("b", annotations=reads), tool("a", input_schema=schema, description="Does a.")],
        may_change=True,
    )
    assert [spec.name for spec in listing.specs] == ["b", "a"]
    assert listing.specs[1].parameters == schema
    assert listing.specs[1].description == "Does a."
    assert listing.specs[0].description == ""
    assert not listing.writes("b")
    assert listing.writes("a")
    assert not listing.writes("c")
    assert listing.may_change
    assert [spec.name for spec in listing.without({"b", None}).specs] == ["a"]


def test_a_hint_that_is_missing_counts_as_writing():
    assert listing_of("s", [tool(annotations=types.ToolAnnotations())], may_change=False).writes(
        "t"
    )


def test_a_long_description_is_cut():
    listing = listing_of("s", [tool(description="x" * 1_000_000)], may_change=False)
    assert len(listing.specs[0].description) < MAX_DESCRIPTION + 20
    assert listing.specs[0].description.endswith("[cut]")


def test_a_schema_cannot_be_changed_by_who_looks_at_it():
    spec = listing_of("s", [tool()], may_change=False).specs[0]
    with pytest.raises(TypeError, match="cannot be changed"):
        spec.parameters["type"] = "array"


@pytest.mark.parametrize(
    ("tools", "said"),
    [
        ([tool("")], "name ''"),
        ([tool("a\nb")], "printable"),
        ([tool("x" * 201)], "1 to 200"),
        ([tool(), tool()], "unique"),
        ([tool(input_schema={"type": "array"})], "not an object's"),
        ([tool(input_schema={"type": "object", "x": "y" * MAX_SCHEMA})], "65536"),
        ([tool(input_schema={"type": "object", "properties": 3})], "cannot be used"),
        ([tool(input_schema={"type": "object", "$ref": "http://127.0.0.1/s"})], "leads nowhere"),
        (
            [tool(input_schema={"type": "object", "properties": {"a": {"pattern": "("}}})],
            "cannot be used",
        ),
    ],
)
def test_listings_that_cannot_be_used(tools, said):
    with pytest.raises(InfrastructureError, match=said) as caught:
        listing_of("s", tools, may_change=False)
    assert caught.value.kind is FailureKind.BAD_RESULT


def test_a_schema_may_refer_to_its_own_definitions():
    schema = {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/A"}, "b": {"$ref": "#/$defs/A"}},
        "$defs": {"A": {"type": "integer"}},
    }
    assert listing_of("s", [tool(input_schema=schema)], may_change=False).specs

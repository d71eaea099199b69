"""The quick accept against jsonschema, and schemas out of arbitrary documentation."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from toolrl_env.tools import documented_to_schema
from toolrl_env.tools.quick import compile_quick
from toolrl_env.tools.type_language import read_type

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([0.0, 1.0, 2.5, -1.5, float("inf"), float("nan")])
    | st.sampled_from(["", "a", "b", "ab", "abc"])
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=6,
)
TYPES = ["string", "integer", "number", "boolean", "array", "object", "null"]
counts = st.integers(-1, 3)
keywords = {
    "type": st.sampled_from(TYPES) | st.lists(st.sampled_from(TYPES), max_size=3),
    "enum": st.lists(scalars, max_size=3),
    "minItems": counts,
    "maxItems": counts,
    "minLength": counts,
    "maxLength": counts,
    "minimum": st.integers(-2, 2) | st.just(0.5),
    "maximum": st.integers(-2, 2) | st.just(0.5),
    "required": st.lists(st.sampled_from("abc"), max_size=3),
    "description": st.sampled_from(["text", 3]),
    "default": scalars,
    "pattern": st.just("^a"),
}


def _schema(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    structure = {
        "items": inner | st.booleans(),
        "prefixItems": st.lists(inner, max_size=2),
        "properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
        "additionalProperties": inner | st.booleans(),
        "anyOf": st.lists(inner, max_size=2),
    }
    return st.fixed_dictionaries({}, optional={**keywords, **structure}).map(
        lambda found: dict(list(found.items())[:5])
    )


schemas = st.recursive(st.just({}), _schema, max_leaves=4)
focused = st.fixed_dictionaries(
    {"type": st.just("object"), "properties": st.dictionaries(st.sampled_from("abc"), schemas)},
    optional={"required": keywords["required"], "additionalProperties": st.booleans()},
)


@settings(max_examples=200, deadline=None)
@given(schemas | focused, values)
def test_quick_accept_implies_that_jsonschema_accepts(schema: dict[str, Any], value: Any) -> None:
    accept = compile_quick(schema)
    if accept is not None and accept(value):
        assert Draft202012Validator(schema).is_valid(value)


@settings(max_examples=80, deadline=None)
@given(schemas | focused)
def test_a_schema_that_compiles_is_valid(schema: dict[str, Any]) -> None:
    if compile_quick(schema) is not None:
        Draft202012Validator.check_schema(schema)


plain_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "b"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=6,
)
KINDS = ["str", "int", "float", "bool", "list", "dict", "List[int]", "Union[int, str]", "any"]
DOCS = st.dictionaries(
    st.sampled_from("abc"),
    st.fixed_dictionaries(
        {"type": st.sampled_from([*KINDS, "int, optional", "Optional[str]", "Tuple[int, str]"])},
        optional={"default": st.just("") | st.integers() | st.none(), "description": st.text()},
    ),
    max_size=3,
)


@settings(max_examples=100, deadline=None)
@given(DOCS, st.dictionaries(st.sampled_from("abcd"), plain_values, max_size=3))
def test_quick_accept_is_exact_on_documented_tools(docs: dict[str, Any], value: Any) -> None:
    """Without floats, nothing has to be left to jsonschema: both ways."""
    schema = documented_to_schema(docs)
    accept = compile_quick(schema)
    assert accept is not None
    assert accept(value) == Draft202012Validator(schema).is_valid(value)


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
WORDS = ["type", "properties", "required", "items", "enum", "default", "anyOf", "minimum", "x"]
odd_documents = st.recursive(
    json_like | st.sampled_from(KINDS),
    lambda inner: (
        st.dictionaries(st.sampled_from(WORDS), inner, max_size=4) | st.lists(inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(odd_documents)
def test_any_documentation_gives_a_valid_schema(documented: Any) -> None:
    schema = documented_to_schema(documented)
    assert schema["type"] == "object"
    Draft202012Validator.check_schema(schema)


@settings(max_examples=100, deadline=None)
@given(
    st.text(max_size=60)
    | st.lists(
        st.sampled_from(["int", "str", "List", "Union", "[", "]", "(", ")", ",", "|", "of", "'a'"]),
        max_size=14,
    ).map(" ".join)
)
def test_any_type_text_gives_a_valid_schema(text: str) -> None:
    Draft202012Validator.check_schema(read_type(text).schema)

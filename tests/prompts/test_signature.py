from __future__ import annotations

import pytest

from toolrl_env.prompts.signature import type_words
from toolrl_env.tools import documented_to_schema

SCHEMAS = [
    ({"type": "string"}, "str"),
    ({"type": "integer"}, "int"),
    ({"type": "number"}, "float"),
    ({"type": "boolean"}, "bool"),
    ({"type": "object"}, "dict"),
    ({"type": "array"}, "list"),
    ({"type": "null"}, "None"),
    ({"type": "array", "items": {}}, "list"),
    (
        {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}},
        "List[List[int]]",
    ),
    ({"type": ["integer", "null"]}, "Union[int, None]"),
    ({"type": ["array", "string"], "items": {"type": "string"}}, "Union[List[str], str]"),
    ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, "Union[str, int]"),
    ({"anyOf": [{"type": "string"}, {"type": "string"}]}, "str"),
    ({}, "Any"),
    ({"enum": [1]}, "Any"),
    ({"type": "spam"}, "Any"),
]


@pytest.mark.parametrize(("schema", "words"), SCHEMAS, ids=[words for _, words in SCHEMAS])
def test_types_in_words(schema: dict[str, object], words: str) -> None:
    assert type_words(schema) == words


@pytest.mark.parametrize(
    "words", ["str", "int", "float", "bool", "dict", "list", "List[List[int]]"]
)
def test_the_words_are_read_back_as_the_same_type(words: str) -> None:
    schema = documented_to_schema({"a": {"type": words}})["properties"]["a"]
    assert type_words(schema) == words

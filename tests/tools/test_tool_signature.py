"""Functions to specs: annotations, docstrings, and what is refused."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NotRequired, Optional, TypedDict, Union

import pytest
from jsonschema import Draft202012Validator

from toolrl_env.core.errors import ConfigurationError
from toolrl_env.tools import Limits, tool_from_function
from toolrl_env.tools.docstring import read_docstring
from toolrl_env.tools.signature import schema_of_annotation, spec_from_function


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Point(TypedDict):
    x: float
    y: float
    label: NotRequired[str]


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        (str, {"type": "string"}),
        (int, {"type": "integer"}),
        (float, {"type": "number"}),
        (bool, {"type": "boolean"}),
        (None, {"type": "null"}),
        (Any, {}),
        (list, {"type": "array"}),
        (dict, {"type": "object"}),
        (list[int], {"type": "array", "items": {"type": "integer"}}),
        (list[Any], {"type": "array"}),
        (Sequence[str], {"type": "array", "items": {"type": "string"}}),
        (tuple[int, ...], {"type": "array", "items": {"type": "integer"}}),
        (
            tuple[int, str],
            {
                "type": "array",
                "prefixItems": [{"type": "integer"}, {"type": "string"}],
                "items": False,
                "minItems": 2,
            },
        ),
        (dict[str, Any], {"type": "object"}),
        (Mapping[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
        (Literal[1, "b"], {"enum": [1, "b"]}),
        (Colour, {"type": "string", "enum": ["red", "blue"]}),
        (Optional[int], {"type": ["integer", "null"]}),  # noqa: UP045
        (int | str, {"type": ["integer", "string"]}),
        (
            Union[int, list[str]],  # noqa: UP007
            {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "string"}}]},
        ),
        (Annotated[int, Limits(1, 5)], {"type": "integer", "minimum": 1, "maximum": 5}),
        (Annotated[str, Limits(high=5)], {"type": "string", "maxLength": 5}),
        (Annotated[list, Limits(2)], {"type": "array", "minItems": 2}),
        (Annotated[int, "note"], {"type": "integer"}),
        (
            Point,
            {
                "type": "object",
                "properties": {
                    "x": {"type": "number"},
                    "y": {"type": "number"},
                    "label": {"type": "string"},
                },
                "required": ["x", "y"],
                "additionalProperties": False,
            },
        ),
    ],
)
def test_annotations(annotation: Any, schema: dict) -> None:
    assert schema_of_annotation(annotation) == schema
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize(
    "annotation", [complex, bytes, set[int], object, dict[int, str], list[complex], "int", 3, [int]]
)
def test_unsupported_annotations_are_refused(annotation: Any) -> None:
    with pytest.raises(ConfigurationError, match="here"):
        schema_of_annotation(annotation, "here")


def test_a_whole_function() -> None:
    def search(query: str, limit: int = 3, sort: Colour = Colour.RED) -> list[str]:
        """Search the shelf.

        Second paragraph
        goes on.

        Args:
            query (str): What to look for,
                in any language.
            limit: How many: at most ten.
            sort: Which first.

        Returns:
            query: not an argument.
        """
        return [query] * limit

    tool = tool_from_function(search)
    assert tool.name == "search"
    assert tool.spec.description == "Search the shelf. Second paragraph goes on."
    assert tool.spec.documented is None
    assert tool.spec.parameters == {
        "type": "object",
        "properties": {
            "query": {"type": "string", "description": "What to look for, in any language."},
            "limit": {"type": "integer", "description": "How many: at most ten.", "default": 3},
            "sort": {
                "type": "string",
                "enum": ["red", "blue"],
                "description": "Which first.",
                "default": "red",
            },
        },
        "required": ["query"],
        "additionalProperties": False,
    }
    assert tool.fn is search


def test_a_function_without_arguments() -> None:
    def now() -> str:
        """Tell the time."""
        return "noon"

    assert spec_from_function(now).parameters == {
        "type": "object",
        "properties": {},
        "additionalProperties": False,
    }


def test_the_schema_cannot_be_changed() -> None:
    def f(a: int) -> int:
        """F.

        Args:
            a: A.
        """
        return a

    with pytest.raises(TypeError):
        tool_from_function(f).spec.parameters["properties"]["a"]["type"] = "string"  # type: ignore[index]


def no_docstring(a: int) -> int:
    return a


def no_annotation(a) -> int:
    """F.

    Args:
        a: A.
    """
    return a


def not_described(a: int, b: int) -> int:
    """F.

    Args:
        a: A.
    """
    return a + b


def stray(a: int) -> int:
    """F.

    Args:
        a: A.
        zzz: Gone.
    """
    return a


def starred(*args: int) -> int:
    """F.

    Args:
        *args: A.
    """
    return len(args)


def positional(a: int, /) -> int:
    """F.

    Args:
        a: A.
    """
    return a


def unresolved(a: Nowhere) -> int:  # noqa: F821  # type: ignore[name-defined]
    """F.

    Args:
        a: A.
    """
    return a


@pytest.mark.parametrize(
    ("fn", "message"),
    [
        (no_docstring, "'no_docstring' has no docstring"),
        (no_annotation, "'a' has no annotation"),
        (not_described, "'b' is not described"),
        (stray, "zzz"),
        (starred, r"\*args"),
        (positional, "positional-only"),
        (unresolved, "not resolved"),
    ],
)
def test_functions_that_cannot_be_tools_say_why(fn: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        tool_from_function(fn)


def test_docstrings() -> None:
    assert read_docstring("") == ("", {})
    assert read_docstring("One line.") == ("One line.", {})
    words, arguments = read_docstring(
        """Sum.

        Args:
            a: First: with a colon.
            *rest: Others.

        Raises:
            ValueError: b: never.
        """
    )
    assert words == "Sum."
    assert arguments == {"a": "First: with a colon.", "rest": "Others."}

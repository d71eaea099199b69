"""The type mini-language: every dialect met in real rows, and what is not understood."""

from __future__ import annotations

import pytest

from toolrl_env.tools.type_language import MAX_TYPE_CHARS, read_type

STRING, INTEGER, NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}
NULL = {"type": "null"}


def array(items: dict | None = None) -> dict:
    return {"type": "array", **({"items": items} if items else {})}


@pytest.mark.parametrize(
    ("text", "schema"),
    [
        ("string", STRING),
        ("str", STRING),
        ("Str", STRING),
        ("int", INTEGER),
        ("integer", INTEGER),
        ("float", NUMBER),
        ("number", NUMBER),
        ("double", NUMBER),
        ("bool", {"type": "boolean"}),
        ("boolean", {"type": "boolean"}),
        ("array", array()),
        ("list", array()),
        ("List", array()),
        ("tuple", array()),
        ("object", {"type": "object"}),
        ("dict", {"type": "object"}),
        ("Dict", {"type": "object"}),
        ("any", {}),
        ("Any", {}),
        ("None", NULL),
        ("null", NULL),
        ("date", STRING),
        ("enum", {}),
        ("List[int]", array(INTEGER)),
        ("list[str]", array(STRING)),
        ("list(str)", array(STRING)),
        ("array<number>", array(NUMBER)),
        ("array of strings", array(STRING)),
        ("list of int", array(INTEGER)),
        ("string[]", array(STRING)),
        ("int[][]", array(array(INTEGER))),
        ("typing.List[str]", array(STRING)),
        ("set[int]", array(INTEGER)),
        ("List[List[float]]", array(array(NUMBER))),
        ("List[Union[int, float]]", array({"type": ["integer", "number"]})),
        ("List[Any]", array()),
        ("tuple[int, ...]", array(INTEGER)),
        ("Dict[str, Any]", {"type": "object"}),
        ("Dict[str, int]", {"type": "object", "additionalProperties": INTEGER}),
        ("dict[str, list[int]]", {"type": "object", "additionalProperties": array(INTEGER)}),
        ("Union[int, float]", {"type": ["integer", "number"]}),
        ("int | str", {"type": ["integer", "string"]}),
        ("int or None", {"type": ["integer", "null"]}),
        ("number/string", {"type": ["number", "string"]}),
        ("Union[int, int]", INTEGER),
        ("Union[int, Any]", {}),
        ("Union[str, List[str]]", {"anyOf": [STRING, array(STRING)]}),
        ("['string', 'null']", {"type": ["string", "null"]}),
        ("['string', 'integer']", {"type": ["string", "integer"]}),
        ('["string", "null"]', {"type": ["string", "null"]}),
        ("Literal['a', \"b\"]", {"enum": ["a", "b"]}),
        ("Literal[1, -2, True, None]", {"enum": [1, -2, True, None]}),
        ("enum(red, green)", {"enum": ["red", "green"]}),
        ("string (YYYY-MM-DD)", STRING),
        ("int (default 5)", INTEGER),
        ("int, default=5", INTEGER),
        ("str = 'x'", STRING),
        (
            "Tuple[float, int]",
            {"type": "array", "prefixItems": [NUMBER, INTEGER], "items": False, "minItems": 2},
        ),
    ],
)
def test_types_that_are_understood(text: str, schema: dict) -> None:
    read = read_type(text)
    assert read.schema == schema
    assert not read.optional


@pytest.mark.parametrize(
    ("text", "schema"),
    [
        ("str, optional", STRING),
        ("int, optional", INTEGER),
        ("bool, Optional", {"type": "boolean"}),
        ("List[int], optional", array(INTEGER)),
        ("optional str", STRING),
        ("optional, int", INTEGER),
        ("str optional", STRING),
        ("str (optional)", STRING),
        ("Optional[str]", {"type": ["string", "null"]}),
        ("Optional[List[int]]", {"anyOf": [array(INTEGER), NULL]}),
    ],
)
def test_optional_types(text: str, schema: dict) -> None:
    assert read_type(text) == (schema, True)


@pytest.mark.parametrize(
    "text",
    [
        "Callable[[float], float]",
        "Matrix",
        "numpy.ndarray",
        "",
        "   ",
        "[",
        "]",
        "List[",
        "List[int",
        "List[int]]",
        "Union[]",
        "Optional",
        "Literal[]",
        "Literal[{}]",
        "int int",
        "Dict[str, Matrix]",
        "Union[int, ...]",
        "...",
        "__import__('os').system('true')",
        "\x00",
        "\ud800",
        "[" * 300,
        "List[" * 60 + "int" + "]" * 60,
    ],
)
def test_what_is_not_understood_admits_everything_and_says_so(text: str) -> None:
    schema = read_type(text).schema
    assert list(schema) == ["$comment"]
    assert schema["$comment"].startswith("type not understood")


def test_a_type_of_absurd_length_is_not_read() -> None:
    assert "$comment" in read_type("int" + " " * MAX_TYPE_CHARS).schema
    assert read_type("int, " + "x" * (MAX_TYPE_CHARS - 5)).schema == INTEGER

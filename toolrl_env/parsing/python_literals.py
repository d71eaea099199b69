"""Python and JSON literals in call syntax, turned into JSON text. No ``eval``, no recursion.

The model's text is never compiled: one regular expression splits it into tokens, each token is
rewritten as JSON, and the JSON decoder with its limits does the rest.
"""

from __future__ import annotations

import json
import re
from typing import Any, cast

__all__ = ["BadSyntax", "read_literal", "skip_space", "write_literal"]

_SPACE = re.compile(r"\s*+")
_TOKEN = re.compile(
    r"""(?P<space>\s++)
    | (?P<string>"[^"\\]*+(?:\\.[^"\\]*+)*+" | '[^'\\]*+(?:\\.[^'\\]*+)*+')
    | (?P<mark>[()\[\]{},:])
    | (?P<word>[^\s()\[\]{},:'"]++)""",
    re.DOTALL | re.VERBOSE,
)
_WORDS = {"True": "true", "False": "false", "None": "null", "nan": "NaN", "inf": "Infinity"} | {
    word: word for word in ("true", "false", "null", "NaN", "Infinity", "-Infinity")
}
_INTEGER = re.compile(r"[+-]?[0-9]++")
_FLOAT = re.compile(r"[+-]?(?:[0-9]++\.?[0-9]*+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?")
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{1,3}|.)", re.DOTALL)
_SHORT = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "b": "\b",
    "f": "\f",
    "a": "\a",
    "v": "\v",
    "\n": "",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "/": "/",
}
_CLOSING = {")": "(", "]": "[", "}": "{"}
_MAX_CODE_POINT = 0x10FFFF


class BadSyntax(ValueError):
    """The text is not the syntax expected. Stays inside the parser.

    Attributes:
        position: Where in the answer.
    """

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


def skip_space(text: str, position: int) -> int:
    """Return the position of the first character at or after ``position`` that is no space."""
    return cast("re.Match[str]", _SPACE.match(text, position)).end()


def read_literal(text: str, position: int) -> tuple[str, int]:
    """Rewrite the literal at ``position`` as JSON text.

    Returns:
        The JSON text, which need not be valid, and the position of the ``,`` or ``)`` after it.

    Raises:
        BadSyntax: Unbalanced brackets, an unquoted word, or a string that is never closed.

    >>> read_literal("f(a={'k': (1, None)}, b=2)", 4)
    ('{"k":[ 1, null]}', 20)
    """
    out: list[str] = []
    open_marks: list[tuple[str, int, bool]] = []  # bracket, its place in out, a comma seen
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise BadSyntax("a string is never closed", position)
        kind, piece = token.lastgroup, token.group()
        if kind == "mark":
            if not open_marks and piece in ",)":
                return "".join(out), position
            _add_mark(piece, out, open_marks, position)
        elif kind == "string":
            out.append(_json_string(piece))
        elif kind == "word":
            out.append(" " + _json_word(piece, position))  # "1 2" must not become "12"
        position = token.end()
    raise BadSyntax("the call is never closed", position)


def _add_mark(
    mark: str, out: list[str], open_marks: list[tuple[str, int, bool]], position: int
) -> None:
    """Handle one bracket, comma or colon."""
    if mark in "([{":
        open_marks.append((mark, len(out), False))
        out.append("[" if mark == "(" else mark)
    elif mark == ",":
        bracket, place, _ = open_marks[-1]
        open_marks[-1] = (bracket, place, True)
        out.append(mark)
    elif mark == ":":
        out.append(mark)
    else:
        if not open_marks or open_marks[-1][0] != _CLOSING[mark]:
            raise BadSyntax(f"{mark!r} closes nothing", position)
        bracket, place, comma = open_marks.pop()
        if out[-1] == "," and len(out) - place > 2:  # a trailing comma
            out.pop()
        if bracket != "(":
            out.append(mark)
        elif comma or len(out) == place + 1:  # a tuple; otherwise brackets around one value
            out.append("]")
        else:
            out[place] = ""


def _json_string(token: str) -> str:
    body = token[1:-1]
    if "\\" in body:
        body = _ESCAPE.sub(_unescape, body)
    return json.dumps(body)


def _unescape(match: re.Match[str]) -> str:
    code = match.group(1)
    if code in _SHORT:
        return _SHORT[code]
    if code[0] in "01234567":
        return chr(int(code, 8))
    if len(code) == 1:
        return "\\" + code
    point = int(code[1:], 16)
    return chr(point) if point <= _MAX_CODE_POINT else "\\" + code


def _json_word(word: str, position: int) -> str:
    if word in _WORDS:
        return _WORDS[word]
    if _INTEGER.fullmatch(word):
        sign = "-" if word[0] == "-" else ""
        return sign + (word.lstrip("+-0") or "0")
    if _FLOAT.fullmatch(word):
        return json.dumps(float(word))
    raise BadSyntax(f"{word[:80]!r} is not a literal; quote it if it is text", position)


def write_literal(value: Any) -> str:
    """Write a JSON-like value as a Python literal, strings in double quotes.

    Raises:
        TypeError: Not JSON-like.
        RecursionError: Nested absurdly deep.

    >>> write_literal({"a": [True, None, "x"]})
    '{"a": [True, None, "x"]}'
    """
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, dict):
        items = cast("dict[Any, Any]", value).items()
        return "{" + ", ".join(f"{_key(key)}: {write_literal(item)}" for key, item in items) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(write_literal, cast("list[Any]", value))) + "]"
    return json.dumps(value, ensure_ascii=False)


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(f"object keys must be strings, not {key!r:.80}")
    return json.dumps(key, ensure_ascii=False)

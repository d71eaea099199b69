"""The little language in which datasets write types, read by recursive descent.

    document := [","] ["optional"] union {"," note}
    union    := term {("|" | "or" | "/") term}
    term     := atom {"[" "]"}
    atom     := quoted | "[" [list] "]" | name [bracketed list | "of" term]
    list     := item {"," item}          item := union | "..." | number
    note     := anything; the word "optional" makes the parameter optional

Names are matched without regard to case. ``str``, ``List[Union[int, float]]``,
``Tuple[float, float]``, ``['string', 'null']``, ``list(str)``, ``array of strings``,
``int, optional`` and ``Dict[str, Any]`` all belong to it.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

__all__ = ["ReadType", "read_type"]

MAX_TYPE_CHARS = 400
MAX_DEPTH = 12

SCALARS = {
    **dict.fromkeys(("str", "string", "text", "char", "character", "bytes"), "string"),
    **dict.fromkeys(("date", "datetime", "time", "timestamp", "timedelta"), "string"),
    **dict.fromkeys(("url", "uri", "email", "uuid", "path", "filepath"), "string"),
    **dict.fromkeys(("int", "integer", "long", "int32", "int64"), "integer"),
    **dict.fromkeys(("float", "number", "double", "decimal", "real", "numeric"), "number"),
    **dict.fromkeys(("bool", "boolean"), "boolean"),
    **dict.fromkeys(("none", "null", "nonetype"), "null"),
}
ARRAYS = {"list", "array", "sequence", "iterable", "collection", "set", "frozenset", "tuple"}
OBJECTS = {"dict", "dictionary", "object", "map", "mapping", "json", "hash", "hashmap"}
ANYTHING = {"any", "anything", "mixed", "variant", "enum"}
CONSTANTS = {"True": True, "False": False, "None": None}

_TOKEN = re.compile(r"""\s*(?:'([^']*)'|"([^"]*)"|(\.\.\.)|([A-Za-z_][\w.]*)|(-?\d[\w.]*)|(.))""")
_CLOSING = {"[": "]", "(": ")", "<": ">"}


class ReadType(NamedTuple):
    """A type that was read.

    Attributes:
        schema: JSON Schema of a value of that type; ``{"$comment": …}`` when it is not understood.
        optional: Whether the text says that the argument may be left out.
    """

    schema: dict[str, Any]
    optional: bool


class _NotUnderstood(Exception):
    """The text is not in the language. Never leaves this module."""


def read_type(text: str) -> ReadType:
    """Read a documented type. Total: what is not understood admits every value, and says so.

    >>> read_type("List[int]").schema
    {'type': 'array', 'items': {'type': 'integer'}}
    >>> read_type("str, optional")
    ReadType(schema={'type': 'string'}, optional=True)
    >>> read_type("Matrix").schema
    {'$comment': "type not understood: 'Matrix'"}
    """
    optional = re.search(r"\boptional\b", text[:MAX_TYPE_CHARS], re.IGNORECASE) is not None
    if len(text) > MAX_TYPE_CHARS:
        return ReadType(_unknown(text), optional)
    try:
        return ReadType(_Reader(text).document(), optional)
    except _NotUnderstood:
        return ReadType(_unknown(text), optional)


def _unknown(text: str) -> dict[str, Any]:
    return {"$comment": f"type not understood: {text[:80]!r}"}


class _Reader:
    """One pass over the tokens; each method reads the grammar rule of its name."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        for match in _TOKEN.finditer(text.strip()):
            single, double, dots, name, number, mark = match.groups()
            quoted = single if single is not None else double
            kinds = (("quoted", quoted), ("dots", dots), ("name", name), ("number", number))
            self._tokens.append(next((k for k in kinds if k[1] is not None), ("mark", mark)))
        self._at = 0
        self._depth = 0

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _take(self, mark: str) -> bool:
        if self._peek() == ("mark", mark):
            self._at += 1
            return True
        return False

    def _word(self, *words: str) -> bool:
        kind, text = self._peek()
        if kind == "name" and text.lower() in words:
            self._at += 1
            return True
        return False

    def document(self) -> dict[str, Any]:
        self._take(",")
        if self._word("optional") and self._peek() == ("mark", "["):
            self._at -= 1
        self._take(",")
        schema = self.union()
        self._word("optional")
        if self._peek()[0] != "end" and self._peek()[1] not in {",", "(", ";", ":", "="}:
            raise _NotUnderstood
        return schema

    def union(self) -> dict[str, Any]:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _NotUnderstood
        members = [self.term()]
        while self._take("|") or self._word("or") or self._take("/"):
            members.append(self.term())
        self._depth -= 1
        return _one_of(members)

    def term(self) -> dict[str, Any]:
        schema = self.atom()
        while self._peek() == ("mark", "[") and self._tokens[self._at + 1 :][:1] == [("mark", "]")]:
            self._at += 2
            schema = _array(schema)
        return schema

    def atom(self) -> dict[str, Any]:
        kind, text = self._peek()
        if kind == "quoted":
            self._at += 1
            return _Reader(text).document()
        if self._take("["):
            return _one_of(self.items("]"))
        if kind != "name":
            raise _NotUnderstood
        self._at += 1
        return self.named(text.lower().rpartition(".")[2])

    def named(self, name: str) -> dict[str, Any]:
        mark = self._peek()[1] if self._peek()[0] == "mark" else ""
        empty = self._tokens[self._at + 1 :][:1] == [("mark", _CLOSING.get(mark, ""))]
        if name in {"literal", "enum"} and mark in _CLOSING:
            return self.literal()
        if name in SCALARS or name in ANYTHING or name.removesuffix("s") in SCALARS:
            return _scalar(name)
        if name in {"callable", "function"}:
            raise _NotUnderstood
        arguments: list[dict[str, Any]] = []
        if mark in _CLOSING and not (mark == "[" and empty):
            self._at += 1
            arguments = self.items(_CLOSING[mark])
        elif self._word("of"):
            arguments = [self.term()]
        return _generic(name.removesuffix("s") if name not in ARRAYS else name, arguments)

    def items(self, closing: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while not self._take(closing):
            if self._peek()[0] == "dots":
                self._at += 1
                found.append({"$dots": True})
            else:
                found.append(self.union())
            if not self._take(",") and self._peek() != ("mark", closing):
                raise _NotUnderstood
        return found

    def literal(self) -> dict[str, Any]:
        closing = _CLOSING[self._peek()[1]]
        self._at += 1
        values: list[str | int | None] = []
        while not self._take(closing):
            kind, text = self._peek()
            self._at += 1
            if kind == "quoted":
                values.append(text)
            elif kind == "name":
                values.append(CONSTANTS.get(text, text))
            elif kind == "number" and text.lstrip("-").isdecimal():
                values.append(int(text))
            elif (kind, text) != ("mark", ","):
                raise _NotUnderstood
        if not values:
            raise _NotUnderstood
        return {"enum": values}


def _scalar(name: str) -> dict[str, Any]:
    if name in ANYTHING:
        return {}
    return {"type": SCALARS.get(name) or SCALARS[name.removesuffix("s")]}


def _array(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items} if items else {"type": "array"}


def _generic(name: str, arguments: list[dict[str, Any]]) -> dict[str, Any]:
    if name in {"optional", "union"}:
        if not arguments:
            raise _NotUnderstood
        return _one_of(arguments if name == "union" else [*arguments, {"type": "null"}])
    if name in OBJECTS:
        values = arguments[1] if len(arguments) > 1 else {}
        return {"type": "object", **({"additionalProperties": values} if values else {})}
    if name not in ARRAYS:
        raise _NotUnderstood
    if name == "tuple" and len(arguments) > 1 and "$dots" not in arguments[-1]:
        size = len(arguments)
        return {"type": "array", "prefixItems": arguments, "items": False, "minItems": size}
    if not arguments or "$dots" in arguments[0]:
        return {"type": "array"}
    return _array(arguments[0] if len(arguments) == 1 or name == "tuple" else _one_of(arguments))


def _one_of(members: list[dict[str, Any]]) -> dict[str, Any]:
    """Join the members of a union; plain types share one ``type`` list."""
    if not members or any("$dots" in member for member in members):
        raise _NotUnderstood
    if len(members) == 1:
        return members[0]
    if any(not member for member in members):
        return {}
    if all(set(member) == {"type"} for member in members):
        names: list[str] = []
        for member in members:
            kinds: str | list[str] = member["type"]
            names.extend([kinds] if isinstance(kinds, str) else kinds)
        unique = list(dict.fromkeys(names))
        return {"type": unique[0] if len(unique) == 1 else unique}
    return {"anyOf": members}

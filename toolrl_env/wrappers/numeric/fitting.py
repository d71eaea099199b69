"""Which values may stand for a parameter, and how well they seem to fit, by what is visible."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from toolrl_env.wrappers.numeric.found_values import FoundValue
from toolrl_env.wrappers.numeric.visible import Slot
from toolrl_env.wrappers.numeric.words import stems

__all__ = ["Filler", "fillers_of"]

_PRIOR = {
    "quoted": 1.2,
    "date": 0.8,
    "time": 0.8,
    "code": 0.9,
    "number": 0.5,
    "name": 0.7,
    "list": 0.3,
    "complement": 0.35,
    "word": 0.0,
    "phrase": -0.1,
}
_LOOKS = {"date": re.compile("date|yyyy", re.I), "time": re.compile("time|hh:mm|hour", re.I)}
_OFF = re.compile(r"\b(?:off|no|not|without|don't|disable|never|un\w+)\b", re.I)
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "array": (list,),
    "boolean": (bool,),
}
_UNMENTIONED = -0.6


@dataclass(frozen=True, slots=True)
class Filler:
    """A value for a parameter.

    Attributes:
        value: It, of a type that the schema allows.
        score: How well it seems to fit, about -1 to 2.5; greater is better.
        start: Where it is mentioned, or -1 if it is not (an option of the schema).
        source: Index of the found value it was made from, or -1.
    """

    value: Any
    score: float
    start: int
    source: int = -1


def fillers_of(slot: Slot, found: Sequence[FoundValue], said: str) -> list[Filler]:
    """Return the values that fit a parameter's schema, best first, each once.

    Args:
        slot: The parameter.
        found: What the conversation mentions.
        said: The conversation.
    """
    schema = slot.schema
    if "enum" in schema or "const" in schema or schema.get("type") == "boolean":
        return _options(slot, said)
    fillers: list[Filler] = []
    for index, candidate in enumerate(found):
        value = _as_type(candidate.value, candidate.kind, schema)
        if value is not None and _allowed(value, schema):
            fillers.append(Filler(value, _score(slot, candidate, said), candidate.start, index))
    default = schema.get("default")
    if default not in (None, ""):
        fillers.append(Filler(default, _UNMENTIONED, -1))
    best: dict[str, Filler] = {}
    for filler in sorted(fillers, key=lambda filler: -filler.score):
        best.setdefault(repr(filler.value), filler)
    return list(best.values())


def _options(slot: Slot, said: str) -> list[Filler]:
    """Return what an enumeration or a boolean allows, what is mentioned first."""
    schema = slot.schema
    if schema.get("type") == "boolean":
        off = bool(_OFF.search(said))
        return [Filler(not off, 0.2, -1), Filler(off, 0.0, -1)]
    values = cast("Sequence[Any]", schema.get("enum", (schema.get("const"),)))
    lowered = said.lower()
    fillers: list[Filler] = []
    for value in values:
        start = _mention(str(value), lowered)
        fillers.append(Filler(value, 1.5 if start >= 0 else _UNMENTIONED, start))
    return sorted(fillers, key=lambda filler: -filler.score)


def _mention(option: str, lowered: str) -> int:
    words = re.sub(r"[_-]", " ", option.lower())
    match = re.search(rf"\b{re.escape(words)}", lowered)
    if match is None and len(words) > 5:
        match = re.search(rf"\b{re.escape(words[:5])}", lowered)
    return -1 if match is None else match.start()


def _as_type(value: Any, kind: str, schema: Mapping[str, Any]) -> Any:
    """Return the value in a type that the schema allows, or ``None``."""
    declared = schema.get("type", "string")
    names = cast("Sequence[str]", [declared] if isinstance(declared, str) else declared)
    for name in names:
        if isinstance(value, _TYPES.get(name, ())):
            return value
        if name == "string" and kind == "number":
            return str(value)
        if name == "integer" and isinstance(value, float) and value.is_integer():
            return int(value)
        if name == "array" and kind in ("quoted", "name", "code", "number", "word", "date"):
            return [value]
    return None


def _allowed(value: Any, schema: Mapping[str, Any]) -> bool:
    if isinstance(value, str):
        longest = schema.get("maxLength", len(value))
        pattern = schema.get("pattern")
        fits = pattern is None or _matches(str(pattern), value)
        return fits and schema.get("minLength", 0) <= len(value) <= longest
    if isinstance(value, int | float):
        return schema.get("minimum", value) <= value <= schema.get("maximum", value)
    if isinstance(value, list):
        items = cast("list[Any]", value)
        inner = schema.get("items")
        typed: Mapping[str, Any] = (
            cast("Mapping[str, Any]", inner) if isinstance(inner, Mapping) else {}
        )
        longest = schema.get("maxItems", len(items))
        right = all(_as_type(item, "", typed) is not None for item in items if "type" in typed)
        return right and schema.get("minItems", 0) <= len(items) <= longest
    return True


def _matches(pattern: str, value: str) -> bool:
    try:
        return re.search(pattern, value[:200]) is not None
    except re.error:
        return True


@lru_cache(maxsize=4096)
def _looks_for(described: str) -> tuple[bool, bool]:
    """Return whether a parameter's words ask for a date, and for a time of day."""
    return _LOOKS["date"].search(described) is not None, _LOOKS["time"].search(
        described
    ) is not None


@lru_cache(maxsize=16_384)
def _named_in(value: str, described: str) -> bool:
    """Return whether a description lists a value."""
    lowered, text = described.lower(), value.lower()
    forms = (f"'{text}'", f'"{text}"', f" {text},", f", {text}", f"or {text}")
    return any(form in lowered for form in forms)


def _score(slot: Slot, candidate: FoundValue, said: str) -> float:
    """Score a found value by its kind, the words around it and how recently it was said."""
    schema, kind, value = slot.schema, candidate.kind, candidate.value
    described = f"{slot.name} {schema.get('description', '')}"
    score = _PRIOR[kind] + 0.3 * candidate.start / (len(said) + 1)
    score += 0.5 * min(len(slot.words & candidate.near), 2)
    for special, wanted in zip(_LOOKS, _looks_for(described), strict=True):
        if kind == special:
            score += 1.0 if wanted else -0.8
    if schema.get("type") in ("number", "integer"):
        return score + 0.3
    if isinstance(value, list):
        return score + 1.0
    if kind == "number":
        score -= 0.2
    if isinstance(value, str):
        score += 1.0 if schema.get("maxLength") == 1 else 0.0
        if len(value) > 2 and _named_in(value, described):
            score += 1.2  # the description lists it
        elif stems(value) & slot.words:
            score -= 0.4  # the parameter's own name is rarely its value
    return score

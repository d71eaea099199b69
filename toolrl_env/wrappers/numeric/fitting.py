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

__all__ = ["Filler", "Fitter"]

_PRIOR = {
    "quoted": 1.2,
    "date": 0.8,
    "time": 0.8,
    "code": 0.9,
    "number": 0.5,
    "count": 0.4,
    "name": 0.7,
    "list": 0.3,
    "fraction": 0.6,
    "currency": 0.9,
    "complement": 0.35,
    "word": 0.0,
    "phrase": -0.1,
}
_LOOKS = {"date": re.compile("date|yyyy", re.I), "time": re.compile("time|hh:mm|hour", re.I)}
_ASKED_FOR = {
    "fraction": re.compile(r"fraction|decimal|\b0?\.\d", re.I),
    "currency": re.compile(r"currenc|\bISO\b|\b[A-Z]{3}\b.*\bcode|code.*\b[A-Z]{3}\b"),
}
_ONE = 0.4
_SYMBOLS = {
    "metres": "m",
    "meters": "m",
    "kilometres": "km",
    "kilometers": "km",
    "centimetres": "cm",
    "centimeters": "cm",
    "millimetres": "mm",
    "millimeters": "mm",
    "miles": "mi",
    "feet": "ft",
    "inches": "in",
    "yards": "yd",
    "grams": "g",
    "kilograms": "kg",
    "milligrams": "mg",
    "pounds": "lb",
    "ounces": "oz",
    "litres": "l",
    "liters": "l",
    "millilitres": "ml",
    "milliliters": "ml",
    "gallons": "gal",
    "hours": "h",
    "minutes": "min",
    "seconds": "s",
    "celsius": "c",
    "fahrenheit": "f",
    "kelvin": "k",
}
"""How units are written for short, in lower case; degrees may have their sign."""
_OFF = re.compile(r"\b(?:off|no|not|without|don't|disable|never|un\w+)\b", re.I)
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "array": (list,),
    "boolean": (bool,),
}
_MAY_BECOME: dict[str, tuple[type, ...]] = {
    "string": (str, int, float),
    "integer": (int, float),
    "number": (int, float),
    "array": (list, str, int, float),
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


class Fitter:
    """Finds what fits a parameter, for the values of one conversation.

    Args:
        found: What the conversation mentions.
        said: The conversation.
    """

    def __init__(self, found: Sequence[FoundValue], said: str) -> None:
        self._found = found
        self._lowered = said.lower()
        self._off = bool(_OFF.search(said))
        self._bases = [
            _PRIOR[value.kind]
            - (_ONE if value.kind == "count" and value.value == 1 else 0.0)
            + 0.3 * value.start / (len(said) + 1)
            for value in found
        ]

    def fillers(self, slot: Slot) -> list[Filler]:
        """Return the values that fit a parameter's schema, best first, each once."""
        schema = slot.schema
        if "enum" in schema or "const" in schema or schema.get("type") == "boolean":
            return self._options(slot)
        names = _names(schema)
        described = f"{slot.name} {schema.get('description', '')}"
        types = tuple(kind for name in names for kind in _MAY_BECOME.get(name, ()))
        fillers: list[Filler] = []
        for index, (candidate, base) in enumerate(zip(self._found, self._bases, strict=True)):
            if not isinstance(candidate.value, types):
                continue
            asked = _ASKED_FOR.get(candidate.kind)
            if asked is not None and not asked.search(described):
                continue
            value = _as_type(candidate.value, candidate.kind, names)
            if value is not None and _allowed(value, schema):
                score = base + _fit(slot, candidate, described)
                fillers.append(Filler(value, score, candidate.start, index))
        default = schema.get("default")
        if default not in (None, ""):
            fillers.append(Filler(default, _UNMENTIONED, -1))
        fillers.sort(key=lambda filler: -filler.score)
        best: dict[str, Filler] = {}
        for filler in fillers:
            best.setdefault(repr(filler.value), filler)
        return list(best.values())

    def _options(self, slot: Slot) -> list[Filler]:
        """Return what an enumeration or a boolean allows, what is mentioned first."""
        schema = slot.schema
        if schema.get("type") == "boolean":
            return [Filler(not self._off, 0.2, -1), Filler(self._off, 0.0, -1)]
        values = cast("Sequence[Any]", schema.get("enum", (schema.get("const"),)))
        fillers: list[Filler] = []
        for value in values:
            start = _mention(str(value), self._lowered)
            fillers.append(Filler(value, 1.5 if start >= 0 else _UNMENTIONED, start))
        return sorted(fillers, key=lambda filler: -filler.score)


def _mention(option: str, lowered: str) -> int:
    match = _mentioned(option).search(lowered)
    return -1 if match is None else match.start()


@lru_cache(maxsize=4096)
def _mentioned(option: str) -> re.Pattern[str]:
    words = re.sub(r"[_-]", " ", option.lower())
    forms = [rf"\b{re.escape(words[:5] if len(words) > 5 else words)}"]
    symbol = _SYMBOLS.get(words)
    if symbol is not None:
        forms.append(rf"(?:(?<=\d)|(?<=[\d°] )|\b(?<!['’.])){symbol}\b(?![.'’]\w)")
    return re.compile("|".join(forms))


def _names(schema: Mapping[str, Any]) -> tuple[str, ...]:
    declared = schema.get("type", "string")
    return (declared,) if isinstance(declared, str) else tuple(map(str, declared))


def _as_type(value: Any, kind: str, names: Sequence[str]) -> Any:
    """Return the value in one of the types, or ``None``."""
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
        names = _names(typed)
        right = "type" not in typed or all(_as_type(item, "", names) is not None for item in items)
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


def _fit(slot: Slot, candidate: FoundValue, described: str) -> float:
    """Return how well a found value fits, beyond its kind: by its looks and the words around it."""
    schema, kind, value = slot.schema, candidate.kind, candidate.value
    score = 0.5 * min(len(slot.words & candidate.near), 2)
    if kind in _LOOKS:
        date, time = _looks_for(described)
        score += 1.0 if (date if kind == "date" else time) else -0.8
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

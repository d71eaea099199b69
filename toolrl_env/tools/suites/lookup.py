"""Small tables of our own, and codes."""

from __future__ import annotations

from typing import Annotated, Literal

from toolrl_env.tools.signature import Limits
from toolrl_env.tools.tool import ToolError

__all__ = [
    "element_symbol",
    "hex_to_rgb",
    "mix_colours",
    "morse_code",
    "planet_fact",
    "spell_out",
]

Planet = Literal[
    "Mercury", "Venus", "Earth", "Mars", "Jupiter", "Saturn", "Uranus", "Neptune"
]  # fmt: skip
Hex = Annotated[str, Limits(6, 7)]

_PLANETS: dict[str, dict[str, float]] = {
    "Mercury": {"moons": 0, "diameter_km": 4879, "day_hours": 4222.6},
    "Venus": {"moons": 0, "diameter_km": 12104, "day_hours": 2802},
    "Earth": {"moons": 1, "diameter_km": 12756, "day_hours": 24},
    "Mars": {"moons": 2, "diameter_km": 6792, "day_hours": 24.7},
    "Jupiter": {"moons": 95, "diameter_km": 142984, "day_hours": 9.9},
    "Saturn": {"moons": 146, "diameter_km": 120536, "day_hours": 10.7},
    "Uranus": {"moons": 28, "diameter_km": 51118, "day_hours": 17.2},
    "Neptune": {"moons": 16, "diameter_km": 49528, "day_hours": 16.1},
}
_ELEMENT_NAMES = """
hydrogen helium lithium beryllium boron carbon nitrogen oxygen fluorine neon sodium magnesium
aluminium silicon phosphorus sulfur chlorine argon potassium calcium titanium chromium manganese
iron cobalt nickel copper zinc bromine silver tin iodine gold mercury lead platinum tungsten xenon
radon uranium
"""
_SYMBOLS = """
H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Ti Cr Mn Fe Co Ni Cu Zn Br Ag Sn I Au Hg Pb Pt
W Xe Rn U
"""
_ELEMENTS: dict[str, str] = dict(zip(_ELEMENT_NAMES.split(), _SYMBOLS.split(), strict=True))
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_MORSE_SIGNS = """
.- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..-
-.-- --.. ----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----.
"""
_MORSE = dict(zip(_ALPHABET + "0123456789", _MORSE_SIGNS.split(), strict=True))
_NATO_WORDS = """
Alfa Bravo Charlie Delta Echo Foxtrot Golf Hotel India Juliett Kilo Lima Mike November Oscar Papa
Quebec Romeo Sierra Tango Uniform Victor Whiskey X-ray Yankee Zulu
"""
_NATO = dict(zip(_ALPHABET, _NATO_WORDS.split(), strict=True))


def planet_fact(planet: Planet, fact: Literal["moons", "diameter_km", "day_hours"]) -> float:
    """Look up a planet's moons, diameter_km or day_hours.

    Args:
        planet: The planet.
        fact: What to look up.
    """
    return _PLANETS[planet][fact]


def element_symbol(element: Annotated[str, Limits(1, 40)]) -> str:
    """Chemical symbol of an element.

    Args:
        element: English name, in lower case.

    Raises:
        ToolError: The table has no such element.
    """
    symbol = _ELEMENTS.get(element.lower())
    if symbol is None:
        raise ToolError(f"no element {element!r} in the table")
    return symbol


def morse_code(text: Annotated[str, Limits(0, 200)]) -> str:
    """Write letters and digits in Morse code.

    Args:
        text: The text.
    """
    words = text.lower().split()
    return " / ".join(" ".join(_MORSE[c] for c in word if c in _MORSE) for word in words)


def spell_out(word: Annotated[str, Limits(0, 60)]) -> str:
    """Spell a word in the NATO alphabet.

    Args:
        word: The word.
    """
    return " ".join(_NATO[c] for c in word.lower() if c in _NATO)


def hex_to_rgb(colour: Hex) -> list[int]:
    """Red, green and blue of a hex colour.

    Args:
        colour: Such as #ff8800.

    Raises:
        ToolError: It is not a hex colour.
    """
    digits = colour.removeprefix("#").lower()
    if len(digits) != 6 or any(d not in "0123456789abcdef" for d in digits):
        raise ToolError(f"not a hex colour: {colour!r}")
    return [int(digits[i : i + 2], 16) for i in (0, 2, 4)]


def mix_colours(first: Hex, second: Hex) -> str:
    """Hex colour half way between two hex colours.

    Args:
        first: One colour, such as #ff8800.
        second: The other colour.
    """
    pairs = zip(hex_to_rgb(first), hex_to_rgb(second), strict=True)
    return "#" + "".join(f"{(a + b) // 2:02x}" for a, b in pairs)


def known_elements() -> tuple[str, ...]:
    """Return the elements of the table."""
    return tuple(_ELEMENTS)

"""Units of measure."""

from __future__ import annotations

from typing import Annotated, Literal

from toolrl_env.tools.signature import Limits
from toolrl_env.tools.suites.common import Number, Positive, tidy
from toolrl_env.tools.tool import ToolError

__all__ = ["convert_length", "convert_mass", "convert_temperature", "convert_volume", "travel_time"]

Length = Literal["metres", "kilometres", "miles", "feet", "inches"]
Mass = Literal["grams", "kilograms", "pounds", "ounces"]
Volume = Literal["litres", "millilitres", "gallons", "cups"]
Temperature = Literal["celsius", "fahrenheit", "kelvin"]

_METRES = {"metres": 1.0, "kilometres": 1000.0, "miles": 1609.344, "feet": 0.3048, "inches": 0.0254}
_GRAMS = {"grams": 1.0, "kilograms": 1000.0, "pounds": 453.59237, "ounces": 28.349523125}
_LITRES = {"litres": 1.0, "millilitres": 0.001, "gallons": 3.785411784, "cups": 0.2365882365}


def convert_length(value: Positive, from_unit: Length, to_unit: Length) -> float:
    """Convert between metres, kilometres, miles, feet and inches.

    Args:
        value: The length.
        from_unit: Its unit.
        to_unit: The unit wanted.
    """
    return tidy(value * _METRES[from_unit] / _METRES[to_unit])


def convert_mass(value: Positive, from_unit: Mass, to_unit: Mass) -> float:
    """Convert between grams, kilograms, pounds and ounces.

    Args:
        value: The mass.
        from_unit: Its unit.
        to_unit: The unit wanted.
    """
    return tidy(value * _GRAMS[from_unit] / _GRAMS[to_unit])


def convert_volume(value: Positive, from_unit: Volume, to_unit: Volume) -> float:
    """Convert between litres, millilitres, gallons and cups.

    Args:
        value: The volume.
        from_unit: Its unit.
        to_unit: The unit wanted.
    """
    return tidy(value * _LITRES[from_unit] / _LITRES[to_unit])


def convert_temperature(value: Number, from_unit: Temperature, to_unit: Temperature) -> float:
    """Convert between celsius, fahrenheit and kelvin.

    Args:
        value: The temperature.
        from_unit: Its scale.
        to_unit: The scale wanted.

    Raises:
        ToolError: It is below absolute zero.
    """
    kelvin = {
        "celsius": value + 273.15,
        "fahrenheit": (value + 459.67) * 5 / 9,
        "kelvin": value,
    }[from_unit]
    if kelvin < 0:
        raise ToolError("that is below absolute zero")
    return tidy(
        {"celsius": kelvin - 273.15, "fahrenheit": kelvin * 9 / 5 - 459.67, "kelvin": kelvin}[
            to_unit
        ]
    )


def travel_time(distance: Positive, speed: Annotated[float, Limits(0, 1e6)]) -> float:
    """Hours that a journey takes.

    Args:
        distance: Kilometres to go.
        speed: Kilometres per hour.

    Raises:
        ToolError: At that speed the journey never ends.
    """
    if speed < 1e-6:
        raise ToolError("at that speed the journey never ends")
    return tidy(distance / speed)

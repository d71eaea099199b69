"""Requests for the tools about units and shapes."""

from __future__ import annotations

from random import Random
from typing import Any

from toolrl_env.data.procedural.recipe import Recipe, Sampler
from toolrl_env.data.procedural.samplers import decimal

__all__ = ["RECIPES"]


def _conversion(*units: str, high: int) -> Sampler:
    def sample(rng: Random, level: int) -> dict[str, Any]:
        from_unit, to_unit = rng.sample(units, 2)
        value = decimal(rng, 2, high * level, level)
        return {"value": value, "from_unit": from_unit, "to_unit": to_unit}

    return sample


def _converter(tool: str, what: str, sample: Sampler, story: str) -> Recipe:
    return Recipe(
        tool=tool,
        goal=f"convert a {what}",
        sample=sample,
        direct=(
            "Convert {value} {from_unit} to {to_unit}.",
            "How much is {value} {from_unit} in {to_unit}?",
            f"I need a {what} converted: {{value}} {{from_unit}}, to {{to_unit}}.",
        ),
        story=(story,),
        noun=("{value} {from_unit} in {to_unit}",),
        gives="number",
        says={"from_unit": "unit", "to_unit": "unit"},
        ask={
            "to_unit": (
                "the unit you want",
                f"I have a {what} of {{value}} {{from_unit}}. Convert it, please.",
            ),
            "value": (f"the {what}", f"Convert my {what} from {{from_unit}} to {{to_unit}}."),
        },
        chained={"value": ("number", "read that as {from_unit} and convert it to {to_unit}")},
    )


RECIPES = (
    _converter(
        "convert_length",
        "length",
        _conversion("metres", "kilometres", "miles", "feet", "inches", high=200),
        "The old map gives {value} {from_unit}, but my notebook is all in {to_unit}. "
        "What do I write down?",
    ),
    _converter(
        "convert_mass",
        "weight",
        _conversion("grams", "kilograms", "pounds", "ounces", high=150),
        "The recipe wants {value} {from_unit} of flour and my scale shows only {to_unit}. "
        "What should it show?",
    ),
    _converter(
        "convert_volume",
        "volume",
        _conversion("litres", "millilitres", "gallons", "cups", high=80),
        "The tank holds {value} {from_unit}. The leaflet asks for {to_unit}; what do I fill in?",
    ),
    _converter(
        "convert_temperature",
        "temperature",
        _conversion("celsius", "fahrenheit", "kelvin", high=60),
        "Her oven is marked in {to_unit}, my cookbook says {value} {from_unit}. "
        "Where do I set the dial?",
    ),
    Recipe(
        tool="travel_time",
        goal="find how long a journey takes",
        sample=lambda r, level: {
            "distance": decimal(r, 20, 500 * level, level - 1),
            "speed": r.randint(4, 130),
        },
        direct=(
            (
                "How many hours does it take to go {distance} kilometres at {speed} kilometres per "
                "hour?"
            ),
            "How long is a journey of {distance} km at {speed} km/h?",
        ),
        story=("The lighthouse is {distance} km off and my boat makes {speed} km/h. How long?",),
        noun=("the hours needed for {distance} km at {speed} km/h",),
        gives="number",
        ask={
            "speed": ("the speed", "It is {distance} kilometres home. How long will I be driving?"),
            "distance": ("the distance", "I drive at {speed} km/h. When will I be there?"),
        },
        chained={"distance": ("number", "say how long that many kilometres take at {speed} km/h")},
    ),
    Recipe(
        tool="circle_area",
        goal="find the area of a circle",
        sample=lambda r, level: {"radius": decimal(r, 1, 300, level)},
        direct=(
            "What is the area of a circle with radius {radius}?",
            "Find the area of a circle whose radius is {radius}.",
        ),
        story=("A goat is tied to a post by a rope of {radius} metres. What area can it graze?",),
        noun=("the area of a circle with radius {radius}",),
        gives="number",
        ask={"radius": ("the radius", "How large is the area of my round table?")},
        chained={"radius": ("number", "give the area of a circle with that radius")},
    ),
    Recipe(
        tool="rectangle_area",
        goal="find the area of a rectangle",
        sample=lambda r, level: {
            "width": decimal(r, 2, 60, level),
            "height": decimal(r, 2, 60, level),
        },
        direct=(
            "What is the area of a rectangle {width} wide and {height} high?",
            "Find the area of a rectangle with width {width} and height {height}.",
        ),
        story=(
            "A wall is {width} metres wide and {height} metres high. How much is there to paint?",
        ),
        noun=("the area of a rectangle {width} wide and {height} high",),
        gives="number",
        ask={
            "height": ("the height", "A banner is {width} wide. What is its area?"),
            "width": ("the width", "A window is {height} high. What is its area?"),
        },
    ),
    Recipe(
        tool="box_volume",
        goal="find the volume of a box",
        sample=lambda r, level: {
            name: decimal(r, 2, 40, level) for name in ("width", "height", "depth")
        },
        direct=(
            "What is the volume of a box {width} wide, {height} high and {depth} deep?",
            "Find the volume of a box: width {width}, height {height}, depth {depth}.",
        ),
        story=(
            (
                "My aquarium measures {width} in width, {height} in height and {depth} in depth. "
                "What does it hold?"
            ),
        ),
        noun=("the volume of a box {width} wide, {height} high and {depth} deep",),
        gives="number",
        ask={"depth": ("the depth", "A crate is {width} wide and {height} high. Its volume?")},
    ),
    Recipe(
        tool="hypotenuse",
        goal="find the long side of a right triangle",
        sample=lambda r, level: {"a": decimal(r, 2, 80, level), "b": decimal(r, 2, 80, level)},
        direct=(
            "A right triangle has short sides {a} and {b}. How long is the longest side?",
            "Find the hypotenuse for legs of {a} and {b}.",
        ),
        story=(
            "The ramp goes {a} metres along the ground and {b} metres up. How long is its slope?",
        ),
        noun=("the hypotenuse of a right triangle with legs {a} and {b}",),
        gives="number",
        ask={"b": ("the other short side", "One leg of a right triangle is {a}. The hypotenuse?")},
    ),
    Recipe(
        tool="point_distance",
        goal="find the distance between two points",
        sample=lambda r, level: {
            name: [decimal(r, 0, 50, level - 2), decimal(r, 0, 50, level - 2)]
            for name in ("start", "end")
        },
        direct=(
            "How far is it from the point {start} to the point {end}?",
            "What is the distance between {start} and {end}?",
        ),
        story=("On the grid I stand at {start} and the well is at {end}. How far, as birds fly?",),
        noun=("the distance from {start} to {end}",),
        gives="number",
        says={"start": "point", "end": "point"},
        ask={"end": ("the second point", "I stand at {start} on the grid. How far is the well?")},
        level=2,
    ),
)
"""Requests, in the order of the tools."""

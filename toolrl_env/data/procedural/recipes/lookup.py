"""Requests for the look-ups and colours, and requests that no tool of the toolbox can meet."""

from __future__ import annotations

from toolrl_env.data.procedural.recipe import Recipe
from toolrl_env.data.procedural.samplers import colour
from toolrl_env.tools.suites.lookup import known_elements

__all__ = ["OUTSIDE", "PLACES", "RECIPES"]

_PLANETS = ("Mercury", "Venus", "Earth", "Mars", "Jupiter", "Saturn", "Uranus", "Neptune")

RECIPES = (
    Recipe(
        tool="planet_fact",
        goal="look up a planet",
        sample=lambda r, _: {
            "planet": r.choice(_PLANETS),
            "fact": r.choice(("moons", "diameter_km", "day_hours")),
        },
        direct=(
            "Look up {fact} for the planet {planet}.",
            "What is {fact} of the planet {planet}?",
        ),
        story=("Our poster of {planet} still lacks the entry {fact}. What belongs there?",),
        noun=("{fact} of the planet {planet}",),
        gives="number",
        says={"planet": "plain", "fact": "plain"},
        ask={"planet": ("the planet", "Look up {fact} for my favourite planet.")},
        level=2,
    ),
    Recipe(
        tool="element_symbol",
        goal="look up a chemical symbol",
        sample=lambda r, _: {"element": r.choice(known_elements())},
        direct=(
            "What is the chemical symbol of {element}?",
            "Look up the symbol for the element {element}.",
        ),
        story=("The jar holds {element}, but the label must show the symbol. What do I write?",),
        noun=("the chemical symbol of {element}",),
        gives="text",
        says={"element": "plain"},
        ask={"element": ("the element", "What is the symbol of the metal in my ring?")},
        level=2,
    ),
    Recipe(
        tool="hex_to_rgb",
        goal="split a colour into red, green and blue",
        sample=lambda r, _: {"colour": colour(r)},
        direct=(
            "What are red, green and blue of {colour}?",
            "Convert the colour {colour} to RGB.",
        ),
        story=("The web page uses {colour}, but my printer asks for RGB. Which three numbers?",),
        noun=("the RGB values of {colour}",),
        gives="numbers",
        says={"colour": "plain"},
        ask={"colour": ("the colour", "Turn the hex colour of our logo into RGB.")},
        chained={"colour": ("colour", "split that into red, green and blue")},
    ),
    Recipe(
        tool="mix_colours",
        goal="mix two colours",
        sample=lambda r, _: {"first": colour(r), "second": colour(r)},
        direct=(
            "Mix the colours {first} and {second}.",
            "Which colour lies half way between {first} and {second}?",
        ),
        story=("I pour one tin of {first} and one tin of {second} together. What colour is it?",),
        noun=("the mix of the colours {first} and {second}",),
        gives="colour",
        says={"first": "plain", "second": "plain"},
        ask={"second": ("the second colour", "Mix the colour {first} with another one.")},
        chained={"first": ("colour", "mix that with {second}")},
        level=2,
    ),
)
"""Requests, in the order of the tools."""

OUTSIDE: tuple[tuple[str, str], ...] = (
    ("book a table", "Book a table for {count} at a restaurant in {place} tonight."),
    ("find flights", "Find me {count} seats on a flight to {place}."),
    ("check the weather", "What will the weather in {place} be like over the next {count} days?"),
    ("reserve a hotel", "Reserve a hotel in {place} for {count} nights."),
    ("order food", "Order {count} pizzas to my flat in {place}."),
    ("play music", "Play {count} songs by a band from {place}."),
    ("send an e-mail", "Send an e-mail to my {count} colleagues in {place}."),
    ("call a taxi", "Call a taxi for {count} people to the station of {place}."),
    ("read the news", "Read me the {count} latest headlines from {place}."),
    ("look up train times", "When do the next {count} trains leave for {place}?"),
)
"""Requests that no tool here can meet: the goal, and the request."""

PLACES = (
    "Lisbon", "Oslo", "Kyoto", "Quito", "Dakar", "Prague", "Hanoi", "Perth", "Turin", "Cork",
    "Riga", "Lima", "Accra", "Graz", "Malmö", "Bergen", "Nantes", "Porto", "Tartu", "Leeds",
)  # fmt: skip

"""From facts to passages: short encyclopaedia articles, each fact stated once."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from toolrl_env.data.search.world.build import SEED, World, load_toml
from toolrl_env.data.search.world.facts import Entity, Value

__all__ = ["Passage", "Statement", "number", "write_passages"]

_EXTRAS = 2
_HE = {"he": "he", "He": "He", "his": "his", "His": "His", "him": "him"}
_SHE = {"he": "she", "He": "She", "his": "her", "His": "Her", "him": "her"}
_LAST = ("death", "extra")
_UNITS = ("population", "height")


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of a passage and the relations that it states of the passage's subject."""

    text: str
    relations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """An article: its title, and its sentences in order."""

    title: str
    statements: tuple[Statement, ...]

    @property
    def text(self) -> str:
        """The sentences as one paragraph."""
        return " ".join(statement.text for statement in self.statements)


def number(relation: str, value: Value) -> str:
    """Return a value as it stands in running text: years plain, counts and heights with commas.

    >>> number("population", 12417), number("born", 1834)
    ('12,417', '1834')
    """
    return f"{value:,}" if relation in _UNITS and isinstance(value, int) else str(value)


def write_passages(world: World, seed: int = SEED) -> tuple[Passage, ...]:
    """Return a passage for every entity, in the world's order; same sentences are spread out."""
    phrases = load_toml("phrases.toml")
    deck = _Deck(Random(f"{seed} passages"))
    return tuple(_passage(entity, world, phrases, deck) for entity in world.entities.values())


class _Deck:
    """Deals the alternatives of a slot evenly, in a random order."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self._left: dict[str, list[str]] = {}

    def deal(self, slot: str, alternatives: Sequence[str], count: int = 1) -> list[str]:
        """Return ``count`` different ones; each comes up once before any comes up again."""
        left, dealt = self._left.setdefault(slot, []), list[str]()
        while len(dealt) < count:
            if not left:
                left += self.rng.sample(alternatives, len(alternatives))
            place = next(i for i, each in enumerate(left) if each not in dealt)
            dealt.append(left.pop(place))
        return dealt


def _passage(entity: Entity, world: World, phrases: Any, deck: _Deck) -> Passage:
    words = _words(entity, world)
    vocabulary: Mapping[str, Sequence[str]] = phrases["vocabulary"]
    slots: Mapping[str, Mapping[str, Sequence[str]]] = phrases[entity.kind]
    order = [slot for slot in slots if slot not in ("opener", *_LAST)]
    deck.rng.shuffle(order)
    order = ["opener", *order, *(slot for slot in _LAST if slot in slots)]
    made: list[Statement] = []
    for slot in order:
        alternatives = slots[slot].get(entity.role) or slots[slot].get("all")
        if alternatives is None:
            continue
        count = _EXTRAS if slot == "extra" else 1
        for template in deck.deal(f"{entity.kind} {slot} {entity.role}", alternatives, count):
            fields = [f for _, f, _, _ in string.Formatter().parse(template) if f]
            if all(f in words or f in vocabulary for f in fields):
                picked = {f: deck.deal(f, vocabulary[f])[0] for f in fields if f in vocabulary}
                stated = tuple(
                    f.lower() for f in fields if world.facts.values(entity.name, f.lower())
                )
                made.append(Statement(template.format_map({**words, **picked}), stated))
    if entity.kind != "person":
        made = _extra_inside(made, deck.rng)
    return Passage(entity.title, tuple(made))


def _extra_inside(made: list[Statement], rng: Random) -> list[Statement]:
    """Put one of the sentences without facts somewhere behind the first sentence."""
    *rest, last = made
    rest.insert(rng.randint(1, len(rest)), last)
    return rest


def _words(entity: Entity, world: World) -> dict[str, str]:
    """Return what can stand in the placeholders: names, pronouns, and the values of facts."""
    words = {"name": entity.name, "province": entity.province, "short": entity.name.split()[-1]}
    if entity.kind in ("book", "person"):
        words |= _SHE if entity.name in world.women else _HE
    relations = {fact.relation for fact in world.facts.about(entity.name)}
    for relation in relations:
        values = [number(relation, v) for v in world.facts.values(entity.name, relation)]
        *most, last = values
        words[relation] = f"{', '.join(most)} and {last}" if most else last
    if "trade" in words:
        words["Trade"] = words["trade"][:1].upper() + words["trade"][1:]
    return words

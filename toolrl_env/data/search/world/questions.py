"""From the world to questions: for each, the answer, its spellings, the evidence, gold searches."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from toolrl_env.data.search.world.build import SEED, World
from toolrl_env.data.search.world.facts import Value
from toolrl_env.data.search.world.kinds import Bridge, Kind, load_kinds
from toolrl_env.data.search.world.passages import Passage, number

__all__ = ["PROVINCE_SPLITS", "WorldQuestion", "ask", "mentions"]

PROVINCE_SPLITS: Mapping[str, str] = {
    "Ardemar": "train",
    "Brennoch": "train",
    "Calvessa": "train",
    "Dravenna": "train",
    "Eskeland": "train",
    "Farowen": "validation",
    "Hestria": "test",
    "Jorvasse": "test",
}
"""The split of each province. No fact reaches over a province's border, so no thing that a question
of one split is about occurs in a question of another."""


@dataclass(frozen=True, slots=True)
class WorldQuestion:
    """A question about the world.

    Attributes:
        text: The question.
        kind: What it asks, as a query on facts.
        given: The things that it names.
        bridge: The subject of the second passage.
        province: The province that everything in it belongs to.
        answers: The answer, and further spellings of it.
        evidence: Titles of the two passages from which the answer follows.
        searches: The two gold searches.
    """

    text: str
    kind: Kind
    given: tuple[str, ...]
    bridge: str
    province: str
    answers: tuple[str, ...]
    evidence: tuple[str, str]
    searches: tuple[str, ...]


def mentions(text: str, phrase: str) -> bool:
    """Return whether ``phrase`` stands in ``text`` as whole words, whatever the case.

    >>> mentions("It has 1,204 towns.", "204"), mentions("the Salt Road", "salt road")
    (False, True)
    """
    return re.search(rf"(?<![\w,]){re.escape(phrase)}(?!,?\w)", text, re.IGNORECASE) is not None


def ask(world: World, passages: Sequence[Passage], seed: int = SEED) -> tuple[WorldQuestion, ...]:
    """Return the questions, province by province; their wordings and subjects are drawn evenly."""
    texts = {passage.title: passage.text.casefold() for passage in passages}
    kinds = load_kinds()
    rng = Random(f"{seed} questions")
    wordings = {
        kind.name: itertools.cycle(rng.sample(kind.texts, len(kind.texts))) for kind in kinds
    }
    found: list[WorldQuestion] = []
    for province in PROVINCE_SPLITS:
        for kind in kinds:
            candidates = list(kind.candidates(world, province))
            rng.shuffle(candidates)
            good = (given for given in candidates if _is_two_hop(kind, given, world, texts))
            chosen = itertools.islice(good, kind.count)
            for given in chosen:
                named = tuple(rng.sample(given, len(given)))
                found.append(_question(kind, named, province, world, next(wordings[kind.name])))
    return tuple(found)


def _is_two_hop(kind: Kind, given: Sequence[str], world: World, texts: Mapping[str, str]) -> bool:
    """Return whether the answer is unique and, for a bridge, no passage names it and the thing."""
    answers = kind.answers(world.facts, given)
    if len(answers) != 1:
        return False
    if not isinstance(kind, Bridge):
        return True
    named, shown = given[0].casefold(), number(kind.relation, *answers).casefold()
    near = (text for text in texts.values() if named in text and shown in text)
    return not any(mentions(text, named) and mentions(text, shown) for text in near)


def _question(
    kind: Kind, given: tuple[str, ...], province: str, world: World, wording: str
) -> WorldQuestion:
    (answer,) = kind.answers(world.facts, given)
    bridge = kind.bridge(world.facts, given)
    words = {"given": given[0], "other": given[-1], "bridge": bridge}
    first, second = (world.entities[name].title for name in (given[0], bridge))
    text = wording.format_map(words)
    return WorldQuestion(
        text=text[:1].upper() + text[1:],
        kind=kind,
        given=given,
        bridge=bridge,
        province=province,
        answers=_spellings(kind, answer),
        evidence=(first, second),
        searches=tuple(search.format_map(words) for search in kind.searches),
    )


def _spellings(kind: Kind, answer: Value) -> tuple[str, ...]:
    """Return the answer and what else is right; normalisation takes care of case and articles."""
    shown = number(kind.relation, answer)
    match kind.relation:
        case "years":
            return (shown, f"{shown} years")
        case "length":
            return (shown, f"{shown} kilometres", f"{shown} kilometers", f"{shown} km")
        case "height":
            return (shown, f"{shown} metres", f"{shown} meters", f"{shown} m")
        case "population":
            return (shown, f"{shown} inhabitants", f"{shown} people")
        case "river":
            return _river(shown)
        case "":
            return _river(shown) if kind.start == "river" else (shown,)
        case _ if shown.startswith("Saint "):
            return (shown, shown.replace("Saint ", "St ", 1))
        case _:
            return (shown,)


def _river(name: str) -> tuple[str, ...]:
    return (name, f"River {name}", f"{name} River")

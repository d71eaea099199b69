"""From names and a seed to the entities of the world and the facts about them."""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from toolrl_env.data.search.world.facts import Entity, Fact, Facts, Value

__all__ = ["ROLES", "SEED", "World", "build", "load_toml"]

SEED = 20_261_125
ROLES: Mapping[str, int] = {
    "novelist": 3,
    "engineer": 3,
    "inventor": 3,
    "merchant": 5,
    "climber": 2,
    "architect": 2,
    "painter": 5,
    "scholar": 2,
}
"""How many persons of each occupation a province has."""
_FIRST_BORN = {"merchant": (1774, 1788), "scholar": (1692, 1708)}
_TRAVELLERS = ("engineer", "inventor", "painter", "architect", "novelist", "merchant")


@dataclass(frozen=True)
class World:
    """Everything there is.

    Attributes:
        entities: All things, by name.
        facts: All facts.
        women: Names of the persons who are women.
    """

    entities: Mapping[str, Entity]
    facts: Facts
    women: frozenset[str]

    def of(self, kind: str, province: str | None = None) -> list[Entity]:
        """Return the things of a kind, in order."""
        everywhere = self.entities.values()
        return [e for e in everywhere if e.kind == kind and province in (None, e.province)]


def load_toml(name: str) -> Any:
    """Return one of the files that were written by hand."""
    return tomllib.loads((Path(__file__).parent / name).read_text("utf-8"))


def build(seed: int = SEED) -> World:
    """Return the world of a seed; the same on every machine."""
    names = load_toml("names.toml")
    people = _people(names, Random(f"{seed} people"))
    entities: dict[str, Entity] = {}
    facts: list[Fact] = []
    women: set[str] = set()
    for index, province in enumerate(names["provinces"]):
        rng = Random(f"{seed} {province}")
        own = {key: value[index] for key, value in names.items() if isinstance(value[0], list)}
        part = _Province(province, rng, own, names, people)
        part.settle()
        entities |= {entity.name: entity for entity in part.entities}
        facts += part.facts
        women |= part.women
    return World(entities, Facts(facts), frozenset(women))


def _people(names: Any, rng: Random) -> Iterator[tuple[str, bool]]:
    """Yield distinct full names, and whether each is a woman's; surnames recur far apart."""
    surnames, women, men = list(names["surnames"]), list(names["women"]), list(names["men"])
    for each in (surnames, women, men):
        rng.shuffle(each)
    firsts = {True: itertools.cycle(women), False: itertools.cycle(men)}
    used: set[str] = set()
    for surname in itertools.cycle(surnames):
        woman = rng.random() < 0.5
        full = f"{next(firsts[woman])} {surname}"
        if full not in used:
            used.add(full)
            yield full, woman


@dataclass
class _Province:
    """Draws one province; everything in it refers to things of the province alone."""

    name: str
    rng: Random
    own: Mapping[str, Sequence[str]]
    pools: Mapping[str, Sequence[str]]
    people: Iterator[tuple[str, bool]]
    entities: list[Entity] = field(default_factory=list[Entity])
    facts: list[Fact] = field(default_factory=list[Fact])
    women: set[str] = field(default_factory=set[str])
    born: dict[str, int] = field(default_factory=dict[str, int])
    died: dict[str, int] = field(default_factory=dict[str, int])
    established: dict[str, int] = field(default_factory=dict[str, int])
    cast: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def settle(self) -> None:
        """Draw the land, its people, and what they made."""
        self._land()
        self._persons()
        self._academies()
        self._companies()
        self._works()
        self._art()
        self._memories()

    def _add(self, name: str, kind: str, role: str = "all", **facts: Value | list[str]) -> None:
        self.entities.append(Entity(name, kind, self.name, role))
        for relation, value in facts.items():
            values = value if isinstance(value, list) else [value]
            self.facts += [Fact(name, relation, each) for each in values]

    def _town(self) -> str:
        return self.rng.choice(self.own["towns"])

    def _year(self, person: str, low: int, high: int, after: int = 0) -> int:
        """Return a year in which ``person`` is alive and ``low`` to ``high`` years old."""
        first = max(self.born[person] + low, after + 1)
        last = min(self.died[person], max(self.born[person] + high, first + 8))
        return self.rng.randint(first, last)

    def _land(self) -> None:
        rng = self.rng
        mouths = rng.sample(self.pools["seas"], 2)
        for river, mountain, mouth in zip(
            self.own["rivers"], self.own["mountains"], mouths, strict=True
        ):
            length = rng.randint(61, 412)
            self._add(river, "river", length=length, source=mountain, mouth=mouth)
        trades = rng.sample(self.pools["trades"], len(self.own["towns"]))
        for number, (town, trade) in enumerate(zip(self.own["towns"], trades, strict=True)):
            self._add(
                town,
                "town",
                river=self.own["rivers"][number % 2],
                founded=rng.randint(1102, 1694),
                population=rng.randint(2_104, 61_890),
                trade=trade,
            )

    def _persons(self) -> None:
        rng = self.rng
        for role, count in ROLES.items():
            year = rng.randint(*_FIRST_BORN.get(role, (1788, 1802)))
            step = (3, 9) if role == "merchant" else (14, 22)
            self.cast[role] = []
            for _ in range(count):
                name, woman = next(self.people)
                if woman:
                    self.women.add(name)
                self.born[name], self.died[name] = year, year + rng.randint(63, 86)
                years = {"born": year, "died": self.died[name]}
                self._add(name, "person", role, birthplace=self._town(), **years)
                if role not in ("merchant", "scholar") and self.cast[role]:
                    self.facts.append(Fact(name, "mentor", self.cast[role][-1]))
                if role != "scholar":
                    self.facts.append(Fact(name, "academy", rng.choice(self.own["academies"])))
                self.cast[role].append(name)
                year += rng.randint(*step)

    def _academies(self) -> None:
        taught = self.rng.sample(self.pools["subjects"], 5)
        subjects = (taught[:3], taught[2:])
        for name, rector, own in zip(
            self.own["academies"], self.cast["scholar"], subjects, strict=True
        ):
            own = self.rng.sample(own, 3)
            year = self._year(rector, 30, 50)
            self._add(
                name, "academy", seat=self._town(), established=year, rector=rector, subjects=own
            )

    def _companies(self) -> None:
        founders = iter(self.cast["merchant"])
        made = self.rng.sample(self.pools["goods"], 7)
        for name in self.own["publishers"]:
            self._company(name, "publisher", next(founders))
        for number, name in enumerate(self.own["makers"]):
            products = self.rng.sample(made[2 * number : 2 * number + 3], 3)
            self._company(name, "maker", next(founders), products=products)

    def _company(self, name: str, role: str, founder: str, **facts: list[str]) -> None:
        self.established[name] = year = self._year(founder, 23, 32)
        seat = self._town()
        self._add(name, "company", role, founder=founder, established=year, seat=seat, **facts)

    def _works(self) -> None:
        rng, cast = self.rng, self.cast
        for mountain, climber in zip(self.own["mountains"], cast["climber"], strict=True):
            height, year = rng.randint(1_204, 3_880), self._year(climber, 22, 45)
            self._add(mountain, "mountain", height=height, climber=climber, ascended=year)
        genres = rng.sample(self.pools["genres"], len(self.own["books"]))
        for book, genre in zip(self.own["books"], genres, strict=True):
            author, house = rng.choice(cast["novelist"]), rng.choice(self.own["publishers"])
            year = self._year(author, 27, 55, self.established[house])
            wrote = {"author": author, "publisher": house, "genre": genre}
            self._add(book, "book", "all", **wrote, published=year)
        for invention in self.own["inventions"]:
            inventor, maker = rng.choice(cast["inventor"]), rng.choice(self.own["makers"])
            year = self._year(inventor, 22, 50, self.established[maker])
            self._add(invention, "invention", inventor=inventor, invented=year, maker=maker)
        for bridge in self.own["bridges"]:
            engineer = rng.choice(cast["engineer"])
            year, span = self._year(engineer, 30, 58), rng.randint(38, 640)
            place = self._town()
            self._add(bridge, "bridge", place=place, engineer=engineer, opened=year, span=span)

    def _art(self) -> None:
        rng, painters = self.rng, _shuffled(self.rng, self.cast["painter"])
        shown = (painters[:3], painters[2:])
        homes: dict[str, str] = {}
        for name, architect, own in zip(
            self.own["museums"], self.cast["architect"], shown, strict=True
        ):
            own = rng.sample(own, 3)
            homes |= dict.fromkeys(own, name)
            year, town = self._year(architect, 30, 58), self._town()
            built = {"architect": architect, "place": town}
            self._add(name, "museum", "all", **built, opened=year, painters=own)
        for name, painter in zip(self.own["paintings"], painters, strict=False):
            year = self._year(painter, 22, 58)
            self._add(name, "painting", painter=painter, painted=year, museum=homes[painter])

    def _memories(self) -> None:
        rng = self.rng
        dead = rng.sample(
            [*self.cast["merchant"], *self.cast["scholar"], self.cast["novelist"][0]], 2
        )
        towns = rng.sample(self.own["towns"], 2)
        for name, person, town in zip(self.own["festivals"], dead, towns, strict=True):
            since = self.died[person] + rng.randint(1, 20)
            self._add(name, "festival", place=town, since=since, honours=person)
        years = [self._year(leader, 28, 42) for leader in self.cast["climber"]]
        crews = self._crews(years)
        for name, leader, year, crew in zip(
            self.own["expeditions"], self.cast["climber"], years, crews, strict=True
        ):
            self._add(name, "expedition", leader=leader, year=year, members=rng.sample(crew, 3))

    def _crews(self, years: Sequence[int]) -> tuple[list[str], list[str]]:
        """Return two crews of three grown-ups each, with exactly one person in both."""
        pool = [person for role in _TRAVELLERS for person in self.cast[role]]
        fit = [
            [p for p in pool if 19 <= year - self.born[p] <= 66 and year < self.died[p]]
            for year in years
        ]
        both = self.rng.choice([person for person in fit[0] if person in fit[1]])
        first = self.rng.sample([p for p in fit[0] if p != both], 2)
        second = self.rng.sample([p for p in fit[1] if p != both and p not in first], 2)
        return [both, *first], [both, *second]


def _shuffled(rng: Random, items: Sequence[str]) -> list[str]:
    """Return the items in a random order."""
    return rng.sample(items, len(items))

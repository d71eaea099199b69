"""Composing a request: wishes, how their things are referred to, what is said and what is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from toolrl_env.data.procedural.workspace.edges import Key
from toolrl_env.data.procedural.workspace.phrases import SAME, VAGUE
from toolrl_env.data.procedural.workspace.references import Finder, Index, Reference
from toolrl_env.data.procedural.workspace.wish import Maker, Unsuited, Wish, WishMaker
from toolrl_env.data.procedural.workspace.wishes_money import MONEY_WISHES, ORDER_WISHES
from toolrl_env.data.procedural.workspace.wishes_papers import PAPER_WISHES
from toolrl_env.data.procedural.workspace.wishes_people import PEOPLE_WISHES, tell_number
from toolrl_env.data.procedural.workspace.world import World, pick
from toolrl_env.tools.suites.workspace import LOCKED

__all__ = ["Command", "Composition", "compose"]

MAX_CHAIN = 8
"""Longest chain of look-ups for one thing."""
_WISHES = (
    (1,),
    (1,),
    (1, 1, 2),
    (1, 2),
    (1, 2, 2),
    (1, 2, 2),
    (2, 2, 3),
    (2, 2, 3),
    (1, 2, 2, 3),
    (1, 2, 2, 3),
    (2, 2, 3, 4),
    (2, 2, 3, 4),
)
"""How many wishes a task has, by number of calls from 1 to 12."""


@dataclass(slots=True)
class Command:
    """A wish in words.

    Attributes:
        wish: The wish.
        references: How each thing is referred to, by slot; slots that repeat are not among them.
        repeats: For each slot that is what an earlier command named: which command, which slot.
        hidden: Slots that the request leaves out.
        phase: Which of the user's requests says it.
    """

    wish: Wish
    references: dict[str, Reference] = field(default_factory=dict[str, Reference])
    repeats: dict[str, tuple[int, str]] = field(default_factory=dict[str, tuple[int, str]])
    hidden: set[str] = field(default_factory=set[str])
    phase: int = 0


@dataclass(frozen=True, slots=True)
class Composition:
    """A request before it is put into words and solved.

    Attributes:
        commands: What is wanted, in order.
        code_hidden: Whether the payment code must be asked for; ``None`` if none is needed.
    """

    commands: tuple[Command, ...]
    code_hidden: bool | None


def compose(world: World, index: Index, rng: Random, calls: int) -> Composition | None:
    """Draw a request that takes ``calls`` calls; ``None`` if the draw led nowhere.

    Two look-ups may turn out to be one and the same, so the solver counts again.
    """
    wishes = _draw_wishes(world, rng, pick(rng, _WISHES[calls - 1]), calls)
    if wishes is None or _in_conflict(wishes):
        return None
    commands = [Command(wish) for wish in wishes]
    for number, command in enumerate(commands):
        command.repeats.update(_repeats(commands, number))
    locked = any(wish.tool in LOCKED for wish in wishes)
    lookups = calls - len(wishes) - locked
    if lookups < 0 or not _refer(index, rng, commands, lookups):
        return None
    if len(commands) >= 2 and calls >= 4 and rng.random() < 0.3:
        for command in commands[1 + int(rng.random() * (len(commands) - 1)) :]:
            command.phase = 1
    if calls >= 2 and rng.random() < 0.35:
        _hide(rng, commands, 2 if calls >= 7 else 1)
    return Composition(tuple(commands), rng.random() < 0.4 if locked else None)


# --------------------------------------------------------------------------- wishes


def _draw_wishes(world: World, rng: Random, count: int, calls: int) -> list[Wish] | None:
    """Draw different wishes; some take up a thing, or the result, of an earlier one."""
    wishes: list[Wish] = []
    used: set[WishMaker] = set()
    taken: set[Key] = set()
    while len(wishes) < count:
        if wishes and wishes[-1].makes and rng.random() < 0.5:
            made = wishes[-1].makes
            wish = tell_number(Maker(world, rng, {}, taken), made, _next_number(world, made))
        else:
            draw = pick(rng, _pool(rng, calls))
            if draw in used:
                continue
            used.add(draw)
            try:
                wish = draw(Maker(world, rng, _given(rng, wishes), taken))
            except Unsuited:
                return None
        wishes.append(wish)
        taken |= wish.changes
    return wishes


def _pool(rng: Random, calls: int) -> tuple[WishMaker, ...]:
    roll = rng.random()
    if roll < 0.15:
        return ORDER_WISHES
    if roll < 0.35 and calls >= 2:
        return MONEY_WISHES
    return PAPER_WISHES if roll < 0.63 else PEOPLE_WISHES


def _next_number(world: World, made: str) -> int:
    rows = {"meeting": world.events, "task": world.tasks, "order": world.orders}[made]
    return rows[-1][0] + 1


def _given(rng: Random, wishes: list[Wish]) -> dict[str, Any]:
    """Return at most one thing of the earlier wishes that the next is to be about, too."""
    if not wishes or rng.random() < 0.5:
        return {}
    named = _unambiguous(wishes)
    kinds = sorted(named)
    return {kind: named[kind] for kind in kinds[: 1 + int(rng.random() * len(kinds))][-1:]}


def _unambiguous(wishes: list[Wish]) -> dict[str, Any]:
    """Return the kinds of which exactly one thing was named, with that thing."""
    values: dict[str, set[Any]] = {}
    for wish in wishes:
        for slot in wish.slots.values():
            if slot.kind in SAME and not slot.literal:
                values.setdefault(slot.kind, set()).add(slot.value)
    return {kind: next(iter(found)) for kind, found in values.items() if len(found) == 1}


def _in_conflict(wishes: list[Wish]) -> bool:
    """Return whether one wish changes a thing that another is about, so that order would count."""
    return any(
        (slot.kind, slot.value) in one.changes
        for one in wishes
        for other in wishes
        if other is not one
        for slot in other.slots.values()
    )


def _repeats(commands: list[Command], index: int) -> Mapping[str, tuple[int, str]]:
    """Return the slots of a command that are what the earlier ones named."""
    earlier = commands[:index]
    named = _unambiguous([command.wish for command in earlier])
    found: dict[str, tuple[int, str]] = {}
    slots = commands[index].wish.slots
    kinds = Counter(slot.kind for slot in slots.values())
    for name, slot in slots.items():
        if slot.literal or named.get(slot.kind) != slot.value or kinds[slot.kind] > 1:
            continue
        for number, command in enumerate(earlier):
            same = [key for key in command.references if command.wish.slots[key].kind == slot.kind]
            same += [
                key
                for key, other in command.wish.slots.items()
                if other.kind == slot.kind and key not in command.repeats
            ]
            if same:
                found[name] = (number, same[0])
                break
    return found


# --------------------------------------------------------------------------- references


def _refer(index: Index, rng: Random, commands: list[Command], lookups: int) -> bool:
    """Spread the look-ups over the things to refer to; false if the office does not allow it."""
    slots = [
        (index, name)
        for index, command in enumerate(commands)
        for name, slot in command.wish.slots.items()
        if not slot.literal and name not in command.repeats
    ]
    counts = _spread(rng, slots, lookups)
    if counts is None:
        return False
    finder = Finder(index, rng)
    finder.banned.update(*(command.wish.changes for command in commands))
    for number, command in enumerate(commands):
        others = [one.wish.changing for one in commands if one is not command]
        finder.changing = set[str]().union(*others)
        for name, slot in command.wish.slots.items():
            if name in command.repeats:
                continue
            if slot.literal:
                command.references[name] = Reference(slot.kind, slot.value, slot.words)
                continue
            found = finder.refer(slot.kind, slot.value, counts[number, name])
            if found is None:
                return False
            command.references[name] = found
    return True


def _spread(
    rng: Random, slots: list[tuple[int, str]], lookups: int
) -> dict[tuple[int, str], int] | None:
    """Return the number of look-ups for each slot; long chains are preferred over many."""
    counts = dict.fromkeys(slots, 0)
    for slot in slots:
        if slot[1] == "fact":
            counts[slot] = 1
    left = lookups - sum(counts.values())
    if left < 0 or left > MAX_CHAIN * len(slots) - sum(counts.values()):
        return None
    latest = None
    while left:
        if latest is None or counts[latest] >= MAX_CHAIN or rng.random() < 0.2:
            latest = pick(rng, [slot for slot in slots if counts[slot] < MAX_CHAIN])
        counts[latest] += 1
        left -= 1
    return counts


def _hide(rng: Random, commands: list[Command], most: int) -> None:
    """Leave things out of the request, of different kinds."""
    candidates = [
        (command, name)
        for command in commands
        for name, reference in command.references.items()
        if reference.kind in VAGUE
        and name != "fact"
        and sum(link.lookup is not None for link in reference.links()) <= 1
    ]
    rng.shuffle(candidates)
    kinds: set[str] = set()
    for command, name in candidates:
        kind = command.references[name].kind
        if len(kinds) < most and kind not in kinds:
            command.hidden.add(name)
            kinds.add(kind)

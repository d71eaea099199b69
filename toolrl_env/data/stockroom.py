"""Tasks in the stockroom that comes with ``toolrl_env.tools.mcp.stockroom``, with gold.

Each begins with two deliveries, so that no two find the same stock. Gold is worked out on a copy of
the stockroom, which is plain Python.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from toolrl_env.core.types import Message, ToolCall
from toolrl_env.data.own import OwnTask
from toolrl_env.data.own.task import Turn
from toolrl_env.tools.mcp.stockroom import ITEMS, SHELVES, Stockroom

__all__ = ["KINDS", "TASKS_PER_KIND", "stockroom_tasks"]

TASKS_PER_KIND = 40
_CUSTOMERS = ("Abel", "Brandt", "Castro", "Dimitrov", "Eriksen", "Fontaine", "Gruber", "Haddad")
_DONE = "That is done."

Draft = tuple[str, tuple[Turn, ...], tuple[str, ...]]
"""Question, gold turns, expected answers."""


def stockroom_tasks() -> tuple[OwnTask, ...]:
    """Return ``TASKS_PER_KIND`` tasks of each kind; the same at every call."""
    return tuple(_task(kind, number) for number in range(TASKS_PER_KIND) for kind in sorted(KINDS))


def _task(kind: str, number: int) -> OwnTask:
    rng = Random(f"stockroom {kind} {number}")
    room = Stockroom()
    setup = tuple(_delivery(rng, room) for _ in range(2))
    question, gold, answers = KINDS[kind](rng, room)
    return OwnTask(
        id=f"stockroom-{kind}-{number:02}",
        messages=(Message("user", question),),
        gold=gold,
        answers=answers,
        setup=setup,
        category=kind,
    )


def _delivery(rng: Random, room: Stockroom) -> ToolCall:
    call = _call(
        "receive_items", item=rng.choice(ITEMS), shelf=rng.choice(SHELVES), count=rng.randint(2, 9)
    )
    room.receive_items(**call.arguments)
    return call


def _move(rng: Random, room: Stockroom) -> Draft:
    item = rng.choice(ITEMS)
    source = rng.choice([shelf for shelf, count in _held(room, item).items() if count > 1])
    target = rng.choice([shelf for shelf in SHELVES if shelf != source])
    count = rng.randint(1, _held(room, item)[source] - 1)
    call = _call("move_items", item=item, source=source, target=target, count=count)
    return f"Move {_pieces(count, item)} from {source} to {target}.", ((call,), _DONE), ()


def _take(rng: Random, room: Stockroom) -> Draft:
    item, shelf = _with_one_extreme(rng, room, max)
    count = rng.randint(1, _held(room, item)[shelf])
    question = (
        f"{rng.choice(_CUSTOMERS)} is here for {_pieces(count, item)}. "
        "Take them from the shelf that holds the most."
    )
    call = _call("take_items", item=item, shelf=shelf, count=count)
    return question, ((_find(item),), (call,), _DONE), ()


def _reserve(rng: Random, room: Stockroom) -> Draft:
    item, shelf = _with_one_extreme(rng, room, min)
    count, customer = rng.randint(1, _held(room, item)[shelf]), rng.choice(_CUSTOMERS)
    pieces = _pieces(count, item)
    question = f"Reserve {pieces} for {customer}, on the shelf that holds the fewest of them."
    call = _call("reserve_items", item=item, shelf=shelf, count=count, customer=customer)
    return question, ((_find(item),), (call,), _DONE), ()


def _gather(rng: Random, room: Stockroom) -> Draft:
    item, target = rng.choice(ITEMS), rng.choice(SHELVES)
    calls = tuple(
        _call("move_items", item=item, source=shelf, target=target, count=count)
        for shelf, count in _held(room, item).items()
        if shelf != target
    )
    return f"Bring all the {item}s together on {target}.", ((_find(item),), calls, _DONE), ()


def _count(rng: Random, room: Stockroom) -> Draft:
    item = rng.choice(ITEMS)
    total = sum(_held(room, item).values())
    question = f"How many {item}s are there on all shelves together?"
    return question, ((_find(item),), f"There are {total} {item}s."), (str(total),)


def _shelve(rng: Random, room: Stockroom) -> Draft:
    one, other = rng.sample(SHELVES, 2)
    rooms: dict[str, Any] = {shelf: room.list_shelf(shelf)["room"] for shelf in (one, other)}
    if rooms[one] == rooms[other]:
        return _shelve(rng, room)
    shelf = max(rooms, key=rooms.__getitem__)
    item, count = rng.choice(ITEMS), rng.randint(2, 20)
    question = (
        f"{_pieces(count, item)} have come in. "
        f"Put them on {one} or on {other}, wherever there is more room."
    )
    looks = tuple(_call("list_shelf", shelf=name) for name in (one, other))
    call = _call("receive_items", item=item, shelf=shelf, count=count)
    return question, (looks, (call,), _DONE), ()


KINDS: dict[str, Callable[[Random, Stockroom], Draft]] = {
    "count": _count,
    "gather": _gather,
    "move": _move,
    "reserve": _reserve,
    "shelve": _shelve,
    "take": _take,
}
"""How a task of each kind is drawn."""


def _with_one_extreme(rng: Random, room: Stockroom, extreme: Callable[..., Any]) -> tuple[str, str]:
    """Return an item, and the only shelf that holds the most (the fewest) of it."""
    item = rng.choice(ITEMS)
    held = _held(room, item)
    best = extreme(held.values())
    shelves = [shelf for shelf, count in held.items() if count == best]
    return (item, shelves[0]) if len(shelves) == 1 else _with_one_extreme(rng, room, extreme)


def _held(room: Stockroom, item: str) -> dict[str, int]:
    return {shelf: held[item] for shelf, held in room.shelves.items() if item in held}


def _find(item: str) -> ToolCall:
    return _call("find_item", item=item)


def _call(name: str, **arguments: Any) -> ToolCall:
    return ToolCall(name, arguments)


def _pieces(count: int, item: str) -> str:
    return f"{count} {item}{'' if count == 1 else 's'}"

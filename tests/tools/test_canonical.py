"""The digest of a state: equal for equal states, in every process, and another for others."""

from __future__ import annotations

import datetime
import decimal
import enum
import random
import threading
from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fresh_process import in_fresh_processes
from toolrl_env.core.errors import SnapshotError
from toolrl_env.tools.canonical import state_digest


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


@dataclass
class Room:
    name: str
    guests: set[str] = field(default_factory=set)
    door: Any = None


class Slotted:
    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def values() -> list[Any]:
    """Return values that are all different from one another, anew."""
    one = Room("a", {"x", "y", "z"})
    return [
        None, True, 1, 1.0, 1j, "1", b"1", "", [], (), {}, set(), frozenset(), [1], (1,), {1},
        frozenset({1}), {"a": 1}, {"a": 2}, {"b": 1}, {"a": 1, "b": 2}, [1, 2], [2, 1], [[1], 2],
        Colour.RED, Colour.BLUE, Colour, int, len, one, Room("b"), Room("a", {"x"}),
        Room("a", door=Room("a")), Slotted(1), Slotted(2), random.Random(1), random.Random(2),
        datetime.date(2026, 1, 2), datetime.timedelta(3), decimal.Decimal("1.0"),
        decimal.Decimal("1.00"), Path("a"), deque([1, 2]), deque([1, 2], maxlen=5),
        OrderedDict(a=1, b=2), OrderedDict(b=2, a=1), defaultdict(int, a=1), defaultdict(list, a=1),
        Counter("ab"), np.arange(3), np.arange(3.0), np.arange(3).reshape(3, 1), "\ud800",
    ]  # fmt: skip


def test_equal_values_have_one_digest_and_different_ones_have_others() -> None:
    first, second = ([state_digest(value) for value in values()] for _ in "12")
    assert first == second
    assert len(set(first)) == len(first)
    assert all(len(digest) == 64 for digest in first)


def test_orders_that_do_not_count() -> None:
    assert state_digest({"a": 1, "b": 2}) == state_digest({"b": 2, "a": 1})
    assert state_digest(defaultdict(int, a=1, b=2)) == state_digest(defaultdict(int, b=2, a=1))
    assert state_digest({"x", "y"}) == state_digest({"y", "x"})


def test_sharing_does_not_count_but_cycles_end() -> None:
    part = [1]
    assert state_digest([part, part]) == state_digest([[1], [1]])
    cycle: list[Any] = [1]
    cycle.append(cycle)
    other: list[Any] = [1]
    other.append(other)
    assert state_digest(cycle) == state_digest(other) != state_digest([1, [1]])
    room = Room("a")
    room.door = room
    assert state_digest(room) != state_digest(Room("a"))


@pytest.mark.parametrize("value", [threading.Lock(), open(__file__), (i for i in "ab")])  # noqa: SIM115, PTH123
def test_what_cannot_be_pickled_is_said(value: Any) -> None:
    with pytest.raises(SnapshotError, match="no digest of"):
        state_digest({"held": value})


def test_what_is_nested_too_deeply_is_said() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(SnapshotError, match="no digest of list"):
        state_digest(deep)


_KEYS = st.none() | st.booleans() | st.integers() | st.text()
_VALUES = st.recursive(
    _KEYS | st.floats(allow_nan=False) | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(_KEYS, inner) | st.tuples(inner, inner),
    max_leaves=10,
)


@given(_VALUES, _VALUES)
def test_the_digest_tells_apart_what_repr_tells_apart(one: Any, two: Any) -> None:
    if state_digest(one) == state_digest(two):
        assert one == two
    if repr(one) == repr(two):
        assert state_digest(one) == state_digest(two)


_FRESH = """
from tests.tools.test_canonical import values
from toolrl_env.tools.canonical import state_digest
print([state_digest(value) for value in values()])
"""


def test_the_digest_is_the_same_in_other_processes() -> None:
    runs = in_fresh_processes(_FRESH)
    assert runs == {f"{[state_digest(value) for value in values()]}\n"}

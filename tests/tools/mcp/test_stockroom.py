"""The stockroom: its rules, its server, and that both are one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tools.mcp.conftest import PATIENT
from toolrl_env.tools.mcp.stockroom import (
    CAPACITY,
    ITEMS,
    SHELVES,
    Refused,
    Stockroom,
    stockroom_server,
)
from toolrl_env.tools.tool import ToolError

COUNTS = st.integers(min_value=1, max_value=20)
WRITES = st.one_of(
    st.tuples(st.just("move_items"), st.sampled_from(ITEMS), st.sampled_from(SHELVES),
              st.sampled_from(SHELVES), COUNTS),
    st.tuples(st.sampled_from(["take_items", "receive_items"]), st.sampled_from(ITEMS),
              st.sampled_from(SHELVES), COUNTS),
    st.tuples(st.just("reserve_items"), st.sampled_from(ITEMS), st.sampled_from(SHELVES), COUNTS,
              st.just("Ada")),
)  # fmt: skip


def pieces(room):
    return sum(sum(held.values()) for held in room.shelves.values())


def test_it_begins_with_every_item_on_two_shelves():
    room = Stockroom()
    assert all(len(room.find_item(item)) == 2 for item in ITEMS)
    assert room.list_reservations() == []
    assert Stockroom().everything() == room.everything()


@given(st.lists(WRITES, max_size=30))
@settings(max_examples=50)
def test_whatever_is_asked_the_shelves_stay_sound(writes):
    room = Stockroom()
    for name, *arguments in writes:
        before, whole = pieces(room), room.everything()
        try:
            getattr(room, name)(*arguments)
        except Refused:
            assert room.everything() == whole
            continue
        count = next(a for a in arguments if isinstance(a, int))
        change = {"take_items": -count, "receive_items": count}.get(name, 0)
        assert pieces(room) == before + change
        for shelf, held in room.shelves.items():
            assert sum(held.values()) <= CAPACITY
            assert all(held.values())
            assert all(room.unreserved(item, shelf) >= 0 for item in held)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda r: r.find_item("boat"), "no item 'boat'; there are bolt"),
        (lambda r: r.list_shelf("Z9"), "no shelf 'Z9'; there are A1"),
        (lambda r: r.take_items("bolt", "A1", 7), "possible are 1 to 6"),
        (lambda r: r.take_items("bolt", "A2", 1), "possible are 1 to 0"),
        (lambda r: r.take_items("bolt", "A1", 0), "possible are 1 to 6"),
        (lambda r: r.receive_items("bolt", "A1", 77), "possible are 1 to 76"),
        (lambda r: r.move_items("bolt", "A1", "A1", 1), "both A1"),
    ],
)
def test_what_it_refuses(call, said):
    with pytest.raises(Refused, match=said):
        call(Stockroom())


def test_reserved_pieces_cannot_be_taken():
    room = Stockroom()
    assert room.reserve_items("bolt", "A1", 5, "Ada") == {"reservation": 1}
    with pytest.raises(Refused, match="possible are 1 to 1"):
        room.move_items("bolt", "A1", "B1", 2)
    assert room.list_reservations() == [
        {"reservation": 1, "customer": "Ada", "item": "bolt", "shelf": "A1", "count": 5}
    ]


# ------------------------------------------------------------------ the server


def test_the_server_does_what_the_stockroom_does():
    tools, room = stockroom_server().open(PATIENT), Stockroom()
    move = {"item": "bolt", "source": "A1", "target": "B1", "count": 2}
    assert tools.call("move_items", move) == room.move_items("bolt", "A1", "B1", 2)
    assert tools.call("find_item", {"item": "bolt"}) == {"result": room.find_item("bolt")}
    assert tools.call("list_shelf", {"shelf": "B1"}) == room.list_shelf("B1")
    with pytest.raises(ToolError, match="possible are 1 to 4"):
        tools.call("take_items", {"item": "bolt", "shelf": "A1", "count": 9})
    tools.close()


def test_the_server_offers_seven_tools_and_says_which_write():
    tools = stockroom_server().open(PATIENT)
    offered = {spec.name: tools.writes(spec.name) for spec in tools.specs()}
    assert offered == {
        "find_item": False,
        "list_shelf": False,
        "list_reservations": False,
        "move_items": True,
        "take_items": True,
        "receive_items": True,
        "reserve_items": True,
    }
    assert all(spec.description for spec in tools.specs())
    tools.close()


def test_two_ways_to_one_state_have_one_hash():
    first, second = stockroom_server().open(PATIENT), stockroom_server().open(PATIENT)
    start = first.state_hash()
    for count in (1, 2):
        first.call("receive_items", {"item": "bolt", "shelf": "C1", "count": count})
    second.call("receive_items", {"item": "bolt", "shelf": "C1", "count": 3})
    assert first.state_hash() == second.state_hash() != start
    first.call("take_items", {"item": "bolt", "shelf": "C1", "count": 3})
    assert first.state_hash() == start
    for tools in (first, second):
        tools.close()

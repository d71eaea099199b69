"""The stockroom itself: shelves, pieces on them, reservations. No protocol, no randomness."""

from __future__ import annotations

__all__ = ["CAPACITY", "ITEMS", "SHELVES", "Refused", "Stockroom"]

SHELVES = ("A1", "A2", "B1", "B2", "C1", "C2")
ITEMS = ("bolt", "bracket", "cable", "fuse", "gasket", "hinge", "lamp", "relay", "valve", "washer")
CAPACITY = 120
"""Pieces that fit on one shelf."""


class Refused(ValueError):
    """The stockroom cannot do what it is asked; the message says why."""


class Stockroom:
    """Six shelves, ten kinds of items, each kind on two shelves at the start.

    Attributes:
        shelves: Pieces by shelf and item; no zero entries.
        reservations: Customer, item, shelf and pieces, by number.
    """

    def __init__(self) -> None:
        self.shelves: dict[str, dict[str, int]] = {shelf: {} for shelf in SHELVES}
        self.reservations: dict[int, tuple[str, str, str, int]] = {}
        for number, item in enumerate(ITEMS):
            for turn in range(2):
                shelf = SHELVES[(number + turn * (2 + number % 3)) % len(SHELVES)]
                self.shelves[shelf][item] = 6 + (number * 7 + turn * 5) % 17

    def find_item(self, item: str) -> list[dict[str, object]]:
        """Return the shelves that hold the item, with the pieces on each and those still free."""
        self._known(item)
        return [
            {"shelf": shelf, "count": held[item], "unreserved": self.unreserved(item, shelf)}
            for shelf, held in self.shelves.items()
            if item in held
        ]

    def list_shelf(self, shelf: str) -> dict[str, object]:
        """Return what lies on a shelf and the room that is left on it."""
        held = self._shelf(shelf)
        return {"items": dict(sorted(held.items())), "room": CAPACITY - sum(held.values())}

    def move_items(self, item: str, source: str, target: str, count: int) -> dict[str, object]:
        """Move pieces to another shelf; return what both hold then."""
        if source == target:
            raise Refused(f"source and target are both {source}")
        self._room(target, count)
        self._take(item, source, count)
        self._put(item, target, count)
        return {side: self.shelves[side].get(item, 0) for side in (source, target)}

    def take_items(self, item: str, shelf: str, count: int) -> dict[str, object]:
        """Take pieces out for good; return how many are left on the shelf."""
        self._take(item, shelf, count)
        return {"left": self.shelves[shelf].get(item, 0)}

    def receive_items(self, item: str, shelf: str, count: int) -> dict[str, object]:
        """Put new pieces on a shelf; return how many it holds then."""
        self._known(item)
        self._room(shelf, count)
        self._put(item, shelf, count)
        return {"count": self.shelves[shelf][item]}

    def reserve_items(self, item: str, shelf: str, count: int, customer: str) -> dict[str, object]:
        """Keep pieces on a shelf for a customer; return the reservation's number."""
        self._enough(item, shelf, count)
        number = len(self.reservations) + 1
        self.reservations[number] = (customer, item, shelf, count)
        return {"reservation": number}

    def list_reservations(self) -> list[dict[str, object]]:
        """Return every reservation, oldest first."""
        names = ("customer", "item", "shelf", "count")
        return [
            {"reservation": number, **dict(zip(names, held, strict=True))}
            for number, held in self.reservations.items()
        ]

    def everything(self) -> dict[str, object]:
        """Return the whole state."""
        held = {shelf: dict(sorted(items.items())) for shelf, items in self.shelves.items()}
        return {"shelves": held, "reservations": self.list_reservations()}

    def unreserved(self, item: str, shelf: str) -> int:
        """Return how many pieces on a shelf are kept for nobody."""
        kept = sum(n for _, i, s, n in self.reservations.values() if (i, s) == (item, shelf))
        return self.shelves[shelf].get(item, 0) - kept

    def _known(self, item: str) -> None:
        if item not in ITEMS:
            raise Refused(f"no item {item!r}; there are {', '.join(ITEMS)}")

    def _shelf(self, shelf: str) -> dict[str, int]:
        if shelf not in self.shelves:
            raise Refused(f"no shelf {shelf!r}; there are {', '.join(SHELVES)}")
        return self.shelves[shelf]

    def _enough(self, item: str, shelf: str, count: int) -> None:
        self._known(item)
        self._shelf(shelf)
        free = self.unreserved(item, shelf)
        if not 1 <= count <= free:
            raise Refused(f"{count} of {item} on {shelf}: possible are 1 to {free}")

    def _room(self, shelf: str, count: int) -> None:
        room = CAPACITY - sum(self._shelf(shelf).values())
        if not 1 <= count <= room:
            raise Refused(f"{count} pieces onto {shelf}: possible are 1 to {room}")

    def _take(self, item: str, shelf: str, count: int) -> None:
        self._enough(item, shelf, count)
        held = self.shelves[shelf]
        held[item] -= count
        if not held[item]:
            del held[item]

    def _put(self, item: str, shelf: str, count: int) -> None:
        held = self.shelves[shelf]
        held[item] = held.get(item, 0) + count

"""Names of people, projects and firms, shared out among the splits so that none occurs in two.

Which split a name belongs to is decided by a checksum of the name itself. Every office holds names
of one split only, and every request mentions some of them: so requests of two splits never agree,
by construction.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Names", "names_of", "split_of_name"]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_FIRST = _words(
    "Ada Amara Anneke Arjun Astrid Bashir Beata Bruno Camille Chidi Clara Dario Deepa Dmitri Elena "
    "Emeka Esther Farah Felix Fiona Gita Goran Hana Hector Ilse Ines Ivan Jamila Jonas Kaveh Keiko "
    "Lars Leila Ludo Maeve Malik Marta Mei Milan Nadia Nils Noor Olga Omar Petra Priya Quentin "
    "Rafael Rosa Samir Selma Stefan Tariq Thea Tomas Ursula Vera Viktor Wanda Yusuf Zora"
)
_LAST = _words(
    "Abara Adler Almeida Bakker Barros Becker Bianchi Brandt Castro Chandra Costa Dahl Danjuma "
    "Duarte Egan Eriksen Falk Ferreira Fofana Garnier Ghosh Hakimi Halloran Hansen Ibarra Iyer "
    "Jansen Kaplan Keller Khoury Kimura Lindqvist Lombardi Maas Marin Mbeki Moreau Novak Nakata "
    "Oduya Okafor Olsen Pavlov Pereira Quist Rahman Reyes Romano Sato Schulz Silva Sorel Tanaka "
    "Thorne Ueda Vance Varga Weiss Xu Yilmaz Zeller"
)
_ADJECTIVES = _words(
    "Amber Ancient Arctic Autumn Bold Brass Bright Calm Cedar Cobalt Copper Coral Crimson Distant "
    "Eager Early Clover Gentle Gilded Golden Granite Hidden Hollow Indigo Ivory Jade Lively Lunar "
    "Maple Marble Misty Northern Opal Orchid Pearl Plain Quiet Rapid Royal Rustic Saffron Scarlet "
    "Silent Silver Solar Spring Steady Summer Swift Umber Velvet Violet Western Willow Winter"
)
_NOUNS = _words(
    "Anchor Arbour Atlas Badger Beacon Bridge Canyon Castle Comet Compass Condor Delta Ember "
    "Falcon Ferry Fjord Forge Fountain Garden Glacier Grove Harbour Heron Horizon Island Junction "
    "Kestrel Lagoon Lantern Lighthouse Meadow Meteor Mill Mountain Oasis Orchard Otter Palace "
    "Pebble Pelican Pioneer Prairie Quarry Raven Reef Ridge River Sparrow Spruce Station Summit "
    "Temple Thicket Tower Valley Village Voyage Warbler Waterfall Willet Zephyr"
)
_FIRMS = _words(
    "Alder Apex Bramble Cairn Dover Elm Fenwick Glen Hazel Inver Juniper Kelvin Larch Mersey "
    "Norwood Oxley Pine Quay Rowan Severn Thistle Upton Vale Wicker Yarrow"
)
_TRADES = _words(
    "Catering Cleaning Consulting Couriers Digital Electrics Furniture Glazing Hosting Interiors "
    "Joinery Legal Media Nurseries Office Plumbing Print Rentals Security Software Stationery "
    "Timber Training Travel Windows"
)


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one split.

    Attributes:
        people: First and last names.
        topics: What projects are called.
        firms: Suppliers.
    """

    people: tuple[tuple[str, str], ...]
    topics: tuple[str, ...]
    firms: tuple[str, ...]


def split_of_name(name: str) -> str:
    """Return the split that a name belongs to.

    >>> split_of_name("Amber Mill"), split_of_name("Ada Thorne")
    ('train', 'test')
    """
    tenth = zlib.crc32(name.encode()) % 10
    return "train" if tenth < 8 else "validation" if tenth == 8 else "test"


@functools.cache
def names_of(split: str) -> Names:
    """Return the names of ``train``, ``validation`` or ``test``."""
    return Names(
        people=tuple((a, b) for a in _FIRST for b in _LAST if split_of_name(f"{a} {b}") == split),
        topics=_pairs(_ADJECTIVES, _NOUNS, split),
        firms=_pairs(_FIRMS, _TRADES, split),
    )


def _pairs(first: Sequence[str], second: Sequence[str], split: str) -> tuple[str, ...]:
    pairs = (f"{a} {b}" for a in first for b in second)
    return tuple(pair for pair in pairs if split_of_name(pair) == split)

"""The declared split of BFCL into train, validation and test, the same on every machine.

**Contamination.** BFCL has no training data: every entry is an entry of the official test. Whoever
trains on the train split may report the ``test`` split, saying so, but no longer an official BFCL
score over all entries.

* *Multi-turn*: the four categories are variations on the same 200 scenarios (``…_17`` is one story
  in all of them), so the split is by scenario number: exactly 80, 20 and 100 of them, in the order
  of a hash.
* *Single turn*: many entries share a function (its name and the documentation of its parameters)
  with another entry, also across categories. Entries that do, directly or through others, form a
  group, and groups are split 40, 10 and 50 % by a hash of their first id (1,629, 418 and 1,578
  entries, as groups differ in size). So no function of the test split was seen in training. One of
  the same name with other parameters may have been: tying those together too would put 1,099 of the
  3,641 entries into one group.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable, Mapping

__all__ = ["SCENARIOS", "functions_in_common", "group_split", "scenario_split"]

SCENARIOS = 200
"""Number of multi-turn scenarios."""
_TEST, _VALIDATION = 100, 20


def scenario_split(number: int) -> str:
    """Return the split of a multi-turn scenario, by its number in ``[0, 200)``.

    >>> [scenario_split(number) for number in range(3)]
    ['test', 'validation', 'train']
    """
    rank = _ranks()[number]
    if rank < _TEST:
        return "test"
    return "validation" if rank < _TEST + _VALIDATION else "train"


@functools.cache
def _ranks() -> dict[int, int]:
    order = sorted(range(SCENARIOS), key=lambda n: _digest(f"BFCL multi-turn scenario {n}"))
    return {number: rank for rank, number in enumerate(order)}


def group_split(group: str) -> str:
    """Return the split of a group of single-turn entries, by the group's first id."""
    tenth = int(_digest(f"BFCL single-turn group {group}")[:16], 16) % 10
    if tenth < 5:
        return "test"
    return "validation" if tenth == 5 else "train"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def functions_in_common(functions: Mapping[str, Iterable[object]]) -> dict[str, str]:
    """Return the group of each entry: the first id, in sorted order, of those it is tied to.

    Args:
        functions: Entry id to the documents of its functions.

    >>> functions_in_common({"b": [1, 2], "a": [2, 3], "d": [3], "c": [4]})
    {'a': 'a', 'b': 'a', 'c': 'c', 'd': 'a'}
    """
    parent = {entry: entry for entry in sorted(functions)}

    def root(entry: str) -> str:
        while parent[entry] != entry:
            parent[entry] = parent[parent[entry]]
            entry = parent[entry]
        return entry

    first_user: dict[str, str] = {}
    for entry in parent:
        for document in functions[entry]:
            user = first_user.setdefault(json.dumps(document, sort_keys=True), entry)
            low, high = sorted((root(user), root(entry)))
            parent[high] = low
    return {entry: root(entry) for entry in parent}

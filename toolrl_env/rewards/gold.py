"""A gold answer made ready for scoring: names, keys and possible points worked out once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping
from typing import Any, cast

from toolrl_env.core.types import GroundTruth

__all__ = ["GoldCall", "ReadyGold", "ready_gold"]


class GoldCall:
    """One gold call.

    Attributes:
        value: The whole decoded call.
        name: Its ``name``, whatever it is.
        parameters: Its ``parameters`` if they are an object, else ``None``.
        keys: The parameters' keys in order.
        possible: Points of a perfect prediction: 1 for the keys and 1 a value; ``None`` if the
            parameters cannot be counted.
    """

    __slots__ = ("keys", "name", "parameters", "possible", "value")

    def __init__(self, value: Any) -> None:
        """Take a call apart.

        Raises:
            KeyError, TypeError: It is no object, or lacks a name or parameters.
        """
        self.value: Any = value
        self.name: Any = value["name"]
        parameters: Any = value["parameters"]
        self.possible: float | None = None
        if isinstance(parameters, dict | list | str):
            self.possible = 1.0 + len(cast("dict[str, Any]", parameters))
        self.parameters: Mapping[str, Any] | None = None
        self.keys: list[str] = []
        if isinstance(parameters, dict):
            self.parameters = cast("dict[str, Any]", parameters)
            self.keys = list(self.parameters)


class ReadyGold:
    """A gold answer's calls, taken apart.

    Attributes:
        values: The decoded calls as they stand.
        calls: The calls in order; ``None`` if any cannot be taken apart, so that nothing but an
            equal answer can earn anything.
        names: Their names in order.
        counts: How often each name occurs; ``None`` if a name cannot be hashed.
        possible: S_max = 1 + Σ (1 + number of parameters); ``None`` if they cannot be counted.
    """

    __slots__ = ("calls", "counts", "names", "possible", "values")

    def __init__(self, values: tuple[Any, ...]) -> None:
        self.values = values
        self.calls: list[GoldCall] | None
        try:
            self.calls = [GoldCall(value) for value in values]
        except (KeyError, TypeError):
            self.calls = None
        self.names: list[Any] = [call.name for call in self.calls or ()]
        self.counts: Counter[Hashable] | None
        try:
            self.counts = Counter(self.names)
        except TypeError:
            self.counts = None
        points = [call.possible for call in self.calls or ()]
        self.possible: float | None
        self.possible = None if None in points else 1.0 + sum(filter(None, points))


_READY: dict[str, ReadyGold] = {}
_MAX_READY = 16_384


def ready_gold(gold: GroundTruth) -> ReadyGold:
    """Return ``gold`` taken apart; kept by its text, for the very values it was made from."""
    ready = _READY.get(gold.text)
    if ready is None or ready.values is not gold.values:
        if len(_READY) >= _MAX_READY:
            _READY.clear()
        ready = _READY[gold.text] = ReadyGold(gold.values)
    return ready

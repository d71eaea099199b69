"""A digest of any picklable Python value that is the same in every process.

``pickle`` itself is not: sets come in the order of their hashes, shared objects are written once.
Here equal values give equal digests, dictionaries and sets whatever their order, and values of
different types different ones (``1``, ``1.0`` and ``True`` are three).
"""

from __future__ import annotations

import hashlib
import types
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, cast

from toolrl_env.core.errors import SnapshotError

__all__ = ["state_digest"]

_ATOMS = (type(None), bool, int, float, complex, str, bytes)
_NAMED = (type, types.FunctionType, types.BuiltinFunctionType)


def state_digest(value: Any) -> str:
    """Return 64 hexadecimal digits of ``value``.

    Objects count by what pickling would keep of them.

    Raises:
        SnapshotError: It holds something that cannot be pickled, or is nested too deeply.

    >>> state_digest({"a": {1, 2}, "b": 1}) == state_digest({"b": 1, "a": {2, 1}})
    True
    """
    try:
        text = _encode(value, [])
    except (TypeError, AttributeError, RecursionError) as error:
        raise SnapshotError(f"no digest of {type(value).__name__}: {error}") from error
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _encode(value: Any, inside: list[int]) -> str:
    """Return a text that is unique to the value; ``inside`` has the ids of what surrounds it."""
    if type(value) in _ATOMS:
        return repr(value)
    if isinstance(value, _NAMED):
        return _name(value)
    if id(value) in inside:
        return f"^{inside.index(id(value))}"
    inside.append(id(value))
    try:
        return _container(value, inside)
    finally:
        inside.pop()


def _container(value: Any, inside: list[int]) -> str:
    if type(value) in (list, tuple):
        return _group(type(value).__name__, cast("list[Any]", value), inside)
    if type(value) is dict:
        return f"dict({','.join(sorted(_pairs(cast('dict[Any, Any]', value).items(), inside)))})"
    if isinstance(value, set | frozenset):
        parts = sorted(_encode(item, inside) for item in cast("set[Any]", value))
        return f"{_name(type(cast('object', value)))}({','.join(parts)})"
    return _object(value, inside)


def _object(value: Any, inside: list[int]) -> str:
    """Return an object as what ``pickle`` would build it from."""
    reduced = cast("str | tuple[Any, ...]", value.__reduce_ex__(4))
    if isinstance(reduced, str):
        return f"global({reduced})"
    made, arguments, state, items, pairs = (*reduced, None, None, None)[:5]
    found = [_encode(made, inside), _encode(arguments, inside), _encode(state, inside)]
    if items is not None:
        found.append(_group("items", items, inside))
    if pairs is not None:
        written = _pairs(pairs, inside)
        ordered = written if isinstance(value, OrderedDict) else sorted(written)
        found.append(f"pairs({','.join(ordered)})")
    return f"object({','.join(found)})"


def _group(kind: str, values: Iterable[Any], inside: list[int]) -> str:
    return f"{kind}({','.join([_encode(value, inside) for value in values])})"


def _pairs(pairs: Iterable[tuple[Any, Any]], inside: list[int]) -> list[str]:
    return [f"{_encode(key, inside)}:{_encode(value, inside)}" for key, value in pairs]


def _name(value: Any) -> str:
    """Return where a class or function is found; a script is the same module in its workers."""
    module = str(value.__module__).replace("__mp_main__", "__main__")
    return f"<{module}.{value.__qualname__}>"

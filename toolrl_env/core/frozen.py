"""JSON containers that can be shared between episodes because nobody can change them."""

from __future__ import annotations

from typing import Any, NoReturn, cast

__all__ = ["FrozenDict", "FrozenList", "freeze", "thaw"]


def _refuse(self: object, *_args: object, **_kwargs: object) -> NoReturn:
    raise TypeError(
        f"this {type(self).__name__} is shared by every episode of the task and cannot be changed; "
        "use toolrl_env.core.frozen.thaw(x) (or copy.deepcopy) for a copy that can"
    )


class FrozenDict(dict[str, Any]):
    """A ``dict`` that refuses changes. Encodes to JSON, pickles and compares like a ``dict``."""

    __slots__ = ()
    __setitem__ = __delitem__ = __ior__ = _refuse  # pyright: ignore[reportAssignmentType]
    clear = pop = popitem = setdefault = update = _refuse  # pyright: ignore[reportAssignmentType]

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        """Return a plain, changeable copy."""
        del memo
        return thaw(self)

    def __reduce__(self) -> tuple[type[FrozenDict], tuple[dict[str, Any]]]:
        """Pickle through the constructor, since items cannot be set one by one."""
        return FrozenDict, (dict(self),)


class FrozenList(list[Any]):
    """A ``list`` that refuses changes. Encodes to JSON, pickles and compares like a ``list``."""

    __slots__ = ()
    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse  # pyright: ignore[reportAssignmentType]
    append = clear = extend = insert = pop = remove = reverse = sort = _refuse  # pyright: ignore[reportAssignmentType]

    def __deepcopy__(self, memo: dict[int, Any]) -> list[Any]:
        """Return a plain, changeable copy."""
        del memo
        return thaw(self)

    def __reduce__(self) -> tuple[type[FrozenList], tuple[list[Any]]]:
        """Pickle through the constructor, since items cannot be appended."""
        return FrozenList, (list(self),)


_FROZEN = {FrozenDict, FrozenList}


def freeze(value: Any) -> Any:
    """Return ``value`` with every dict and list in it frozen; what is frozen is not copied.

    >>> freeze({"a": [1]})["a"].append(2)
    Traceback (most recent call last):
        ...
    TypeError: this FrozenList is shared by every episode of the task and cannot be changed; \
use toolrl_env.core.frozen.thaw(x) (or copy.deepcopy) for a copy that can
    """
    if type(value) in _FROZEN:  # made here, hence frozen all the way down
        return value
    if isinstance(value, dict):
        return FrozenDict({k: freeze(v) for k, v in cast("dict[str, Any]", value).items()})
    if isinstance(value, list | tuple):
        return FrozenList(freeze(item) for item in cast("list[Any]", value))
    return value


def thaw(value: Any) -> Any:
    """Return ``value`` with every dict and list in it plain and fresh.

    >>> plain = thaw(freeze({"a": [1]}))
    >>> plain["a"].append(2)
    >>> plain
    {'a': [1, 2]}
    """
    if isinstance(value, dict):
        return {key: thaw(item) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [thaw(item) for item in cast("list[Any]", value)]
    return value

"""A group of tools with a state of their own, which can be saved and put back."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from toolrl_env.core.errors import ConfigurationError, SnapshotError
from toolrl_env.core.types import ToolSpec
from toolrl_env.tools.canonical import state_digest
from toolrl_env.tools.signature import spec_from_function
from toolrl_env.tools.tool import Tool

__all__ = ["SuiteSnapshot", "ToolMethod", "ToolSuite", "read", "write"]

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")


class ToolMethod(Generic[S, P, R]):
    """A method of a suite that is a tool. Behaves as the method does.

    Attributes:
        fn: The function itself.
        writes: Whether it may change the suite's state.
        spec: What the model is shown.
    """

    def __init__(self, fn: Callable[Concatenate[S, P], R], writes: bool) -> None:
        """Make ``fn`` a tool; its schema is read now, so a bad one fails where it is written."""
        self.fn = fn
        self.writes = writes
        self.spec: ToolSpec = spec_from_function(fn, method=True)
        self.__doc__ = fn.__doc__

    @overload
    def __get__(self, instance: None, owner: type[S]) -> ToolMethod[S, P, R]: ...
    @overload
    def __get__(self, instance: S, owner: type[S]) -> Callable[P, R]: ...
    def __get__(self, instance: S | None, owner: type[S]) -> ToolMethod[S, P, R] | Callable[P, R]:
        """Return the bound method, as a function would."""
        if instance is None:
            return self

        def bound(*args: P.args, **kwargs: P.kwargs) -> R:
            return self.fn(instance, *args, **kwargs)

        return bound


def read(fn: Callable[Concatenate[S, P], R]) -> ToolMethod[S, P, R]:
    """Mark a method as a tool that only looks."""
    return ToolMethod(fn, writes=False)


def write(fn: Callable[Concatenate[S, P], R]) -> ToolMethod[S, P, R]:
    """Mark a method as a tool that may change the state."""
    return ToolMethod(fn, writes=True)


@dataclass(frozen=True, slots=True)
class SuiteSnapshot:
    """A suite's state at one moment.

    Attributes:
        suite: Qualified name of the class it belongs to.
        state: The pickled instance attributes. Restore only snapshots that you made yourself.
    """

    suite: str
    state: bytes


class ToolSuite:
    """Base of suites: subclass, keep all state in instance attributes, mark methods.

    Two suites are equal if they are of one class and their states have one ``state_hash``.

    >>> class Counter(ToolSuite):
    ...     def __init__(self) -> None:
    ...         self.value = 0
    ...     @write
    ...     def add(self, amount: int) -> int:
    ...         '''Add to the counter.
    ...
    ...         Args:
    ...             amount: How much.
    ...         '''
    ...         self.value += amount
    ...         return self.value
    >>> counter = Counter()
    >>> before = counter.snapshot()
    >>> counter.add(2)
    2
    >>> counter.restore(before)
    >>> counter.value
    0
    """

    __hash__ = None  # pyright: ignore[reportAssignmentType]  # mutable

    def __eq__(self, other: object) -> bool:
        """Return whether the other is of the same class and in an equal state."""
        if not isinstance(other, ToolSuite) or type(other) is not type(self):
            return NotImplemented
        return self.state_hash() == other.state_hash()

    def methods(self) -> dict[str, ToolMethod[Any, Any, Any]]:
        """Return the marked methods by name, in the order of their definition, parents first."""
        found: dict[str, ToolMethod[Any, Any, Any]] = {}
        for cls in reversed(type(self).__mro__):
            members = dict[str, Any](vars(cls)).items()
            found |= {name: m for name, m in members if isinstance(m, ToolMethod)}
        return found

    def tools(self) -> tuple[Tool, ...]:
        """Return this instance's tools, bound to it.

        Raises:
            ConfigurationError: No method is marked.
        """
        tools = tuple(Tool(m.spec, m.__get__(self, type(self))) for m in self.methods().values())
        if not tools:
            raise ConfigurationError(f"{type(self).__name__} marks no method with @read or @write")
        return tools

    def snapshot(self) -> SuiteSnapshot:
        """Return the state, to be given to ``restore`` of this or another instance.

        Raises:
            SnapshotError: The state holds something that cannot be pickled.
        """
        try:
            state = pickle.dumps(vars(self), protocol=pickle.HIGHEST_PROTOCOL)
        except (pickle.PicklingError, TypeError, AttributeError) as error:
            raise SnapshotError(f"{type(self).__name__} cannot be saved: {error}") from error
        return SuiteSnapshot(type(self).__qualname__, state)

    def restore(self, snapshot: SuiteSnapshot) -> None:
        """Put a saved state back; nothing is shared with the instance that it came from.

        Raises:
            SnapshotError: The snapshot is another class's.
        """
        if snapshot.suite != type(self).__qualname__:
            raise SnapshotError(f"a snapshot of {snapshot.suite}, not of {type(self).__qualname__}")
        state: dict[str, Any] = pickle.loads(snapshot.state)
        vars(self).clear()
        vars(self).update(state)

    def state_hash(self) -> str:
        """Return 64 hexadecimal digits of the state, the same for equal states in every process.

        Raises:
            SnapshotError: The state holds something that cannot be pickled.
        """
        return state_digest(vars(self))

    def fork(self) -> Self:
        """Return a suite in the same state, which shares nothing that changes with this one.

        The constructor is not called. A subclass that needs it for ``restore`` overrides this.
        """
        twin = type(self).__new__(type(self))
        twin.restore(self.snapshot())
        return twin

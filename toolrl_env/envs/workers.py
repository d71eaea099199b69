"""Doing one thing for many environments: in turn, or in threads where their tools wait."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["Workers", "attempt", "for_each", "raise_first"]

T = TypeVar("T")
R = TypeVar("R")


class Workers:
    """At most ``limit`` threads, started when they are first needed.

    Copies and forked children start threads of their own.

    Args:
        limit: How many things are done at the same time.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._pid = os.getpid()
        self._executor: ThreadPoolExecutor | None = None

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> list[R | Exception]:
        """Return, in order, what ``function`` returns or raises for each item; none is left out."""
        if self._executor is None or self._pid != os.getpid():
            self._pid = os.getpid()
            self._executor = ThreadPoolExecutor(self.limit, thread_name_prefix="toolrl-env")
        futures = [self._executor.submit(attempt, function, item) for item in items]
        try:
            return [future.result() for future in futures]
        except BaseException:  # an interrupt: what has not begun does not begin
            for future in futures:
                future.cancel()
            raise

    def close(self) -> None:
        """End the threads."""
        executor, self._executor = self._executor, None
        if executor is not None and self._pid == os.getpid():
            executor.shutdown()

    def __reduce__(self) -> tuple[type[Workers], tuple[int]]:
        """Copy and pickle the limit alone."""
        return type(self), (self.limit,)


def attempt(function: Callable[[T], R], item: T) -> R | Exception:
    """Return what ``function(item)`` returns or raises."""
    try:
        return function(item)
    except Exception as error:
        return error


def for_each(
    function: Callable[[T], R], items: Sequence[T], workers: Workers | None = None
) -> list[R]:
    """Return, in order, what ``function`` returns for each item.

    Args:
        function: Called once an item.
        items: One for each environment.
        workers: Calls it for several at the same time; ``None``: one after the other.

    Raises:
        Exception: The first that ``function`` raised. With workers all other items were done.
    """
    if workers is None or len(items) < 2:
        return [function(item) for item in items]
    outcomes = workers.map(function, items)
    raise_first(outcomes, range(len(outcomes)))
    return [outcome for outcome in outcomes if not isinstance(outcome, Exception)]


def raise_first(outcomes: Sequence[object], indices: Sequence[int]) -> None:
    """Raise the first exception among ``outcomes``; a note names every environment that raised."""
    failed = [(i, o) for i, o in zip(indices, outcomes, strict=True) if isinstance(o, Exception)]
    if failed:
        error = failed[0][1]
        raised = ", ".join(str(i) for i, _ in failed)
        error.add_note(f"raised by environment {raised}; all others went on")
        raise error

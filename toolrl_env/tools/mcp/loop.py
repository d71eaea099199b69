"""One asyncio loop in a thread of its own: servers are talked to there, callers wait here."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["BackgroundLoop", "background_loop"]

T = TypeVar("T")


class BackgroundLoop:
    """An asyncio loop that runs in a daemon thread until the process ends."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="toolrl-mcp", daemon=True
        )
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run ``work`` on the loop and return its result; an interrupted wait cancels it.

        Raises:
            RuntimeError: Called on the loop's own thread, which would wait for itself.
        """
        if self.is_current():
            work.close()
            raise RuntimeError("a coroutine of the loop must not wait for the loop")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def start(self, work: Coroutine[Any, Any, object]) -> None:
        """Run ``work`` on the loop without waiting for it."""
        asyncio.run_coroutine_threadsafe(work, self._loop)

    def is_current(self) -> bool:
        """Whether the caller is on the loop's thread."""
        return threading.get_ident() == self._thread.ident


_lock = threading.Lock()
_loop: BackgroundLoop | None = None


def background_loop() -> BackgroundLoop:
    """Return this process's loop, started at the first call.

    A forked child inherits the parent's object but not its thread, and gets a loop of its own.
    """
    global _loop  # noqa: PLW0603  # one thread per process, as with a default executor
    with _lock:
        if _loop is None or _loop.pid != os.getpid():
            _loop = BackgroundLoop()
        return _loop


def _renew_lock() -> None:
    """Replace the lock in a forked child: another thread may have held it at the fork."""
    global _lock  # noqa: PLW0603
    _lock = threading.Lock()


if sys.platform != "win32":  # where nothing forks
    os.register_at_fork(after_in_child=_renew_lock)

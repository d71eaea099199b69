"""The servers of one provider: started when needed, reused where that is sound, bounded in number.

A session is its log of calls; a running server is a cache of the state that a log leads to. So any
idle server whose own log is the beginning of a session's log can serve it: the rest of the calls is
made again first. Sessions may outnumber servers.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from toolrl_env.core.errors import ConfigurationError, InfrastructureError
from toolrl_env.core.types import FailureKind
from toolrl_env.tools.mcp.listing import Listing
from toolrl_env.tools.mcp.log import Log
from toolrl_env.tools.mcp.reach import Reach
from toolrl_env.tools.mcp.slot import Slot

if TYPE_CHECKING:
    from toolrl_env.tools.mcp.connection import Connection

__all__ = ["ServerPool"]


_NOBODY = 0
"""The session of a look at a server; no session has this number."""


class ServerPool:
    """Leases servers to sessions. Any thread may use it.

    Args:
        reach: How to reach a server.
        shared: One server for everybody, whose state does not matter.
        reset_tool: A tool that brings a server back to its start.
        state_tool: A tool that returns a server's state.
        max_servers: How many may run.
    """

    def __init__(
        self,
        reach: Reach,
        shared: bool,
        reset_tool: str | None,
        state_tool: str | None,
        max_servers: int,
    ) -> None:
        self.name = reach.name
        self.shared = shared
        self._reach = reach
        self.state_tool = state_tool
        self._reset_tool = reset_tool
        self._max = max_servers
        self._closed_sessions: deque[int] = deque()
        self._sessions: set[int] = set()
        self._begin()

    def _begin(self) -> None:
        """Start from nothing: at first, and in a forked child, whose parent owns the servers."""
        self._pid = os.getpid()
        self._changed = threading.Condition(threading.RLock())
        self._slots: list[Slot] = []
        self._listing: Listing | None = None
        self._tick = 0
        weakref.finalize(self, _close_all, self._slots)

    def __reduce__(self) -> tuple[type[ServerPool], tuple[Any, ...]]:
        """Pickle the settings: the servers stay behind."""
        settings = (self._reach, self.shared, self._reset_tool, self.state_tool, self._max)
        return type(self), settings

    @property
    def size(self) -> int:
        """How many servers run now."""
        self._own()
        return sum(slot.connection is not None for slot in self._slots)

    def listing(self, seconds: float) -> Listing:
        """Return what a server offers at its start; the first call has to start one.

        Raises:
            ConfigurationError: It has no such ``reset_tool`` or ``state_tool``, or the extra is not
                installed.
            InfrastructureError: It cannot be had.
        """
        self._own()
        if self._listing is None:
            with self.lease(_NOBODY, (), seconds):
                pass
        assert self._listing is not None
        return self._listing

    @contextmanager
    def lease(self, session: int, log: Log, seconds: float) -> Generator[Slot]:
        """Yield a server that is in the state of ``log``; nobody else calls it meanwhile.

        A caller that writes has to say so by setting the slot's ``log``. When an exception leaves
        the block, the server's state is unknown, and it is stopped.

        Args:
            session: Who asks.
            log: The calls that lead to the state.
            seconds: Limit of each call that has to be made again.

        Raises:
            ConfigurationError: As ``listing``.
            InfrastructureError: No server can be had, or one answers otherwise than the first time.
        """
        self._own()
        slot = self._take(session, log)
        failed = True
        try:
            connection = self._ready(slot, log)
            slot.replay(connection, log, seconds)
            yield slot
            failed = False
        finally:
            self._give_back(slot, failed=failed)

    def begin_session(self) -> int:
        """Return the number of a new session."""
        self._own()
        with self._changed:
            self._tick += 1
            self._sessions.add(self._tick)
            return self._tick

    def forget(self, session: int) -> None:
        """Take note that a session is closed; safe to call from a finalizer, at any moment."""
        self._closed_sessions.append(session)

    def sweep(self) -> None:
        """Stop the idle servers that nobody can use again: written to, and not to be reset."""
        if self._reset_tool is None:
            self._stop(lambda slot: slot.owner is None and bool(slot.log))

    def stop_unused(self) -> None:
        """Stop the idle servers of sessions that are closed, even if others could use them."""
        self._stop(lambda slot: slot.owner is None)

    def close(self) -> None:
        """Stop every server."""
        self._stop(None)

    def _stop(self, which: Callable[[Slot], bool] | None) -> None:
        """Stop the idle servers of a kind; ``None``: all, those in use too."""
        self._own()
        with self._changed:
            self._forget_closed()
            chosen = [s for s in self._slots if which is None or (not s.users and which(s))]
            for slot in chosen:
                self._slots.remove(slot)
            self._changed.notify_all()
        for slot in chosen:
            slot.stop()

    # ------------------------------------------------------------------ choosing

    def _own(self) -> None:
        if os.getpid() != self._pid:
            self._begin()

    def _take(self, session: int, log: Log) -> Slot:
        """Return the best slot, waiting for one if all are in use."""
        with self._changed:
            while True:
                self._forget_closed()
                slot = self._choose(session, log)
                if slot is not None:
                    break
                self._changed.wait()
            self._tick += 1
            slot.users += 1
            slot.owner, slot.used = session, self._tick
            return slot

    def _choose(self, session: int, log: Log) -> Slot | None:
        """Return the slot that is the least work, or ``None`` if all are busy.

        In this order: a server on the way to the log, the farther the better, the session's own
        first; one that can be reset and that no session uses; a new one; the one that was not used
        for longest.
        """
        if self.shared:
            if not self._slots:
                self._slots.append(Slot())
            return self._slots[0]
        idle = [slot for slot in self._slots if not slot.users]
        near = [slot for slot in idle if slot.log == log[: len(slot.log)]]
        if near:
            return max(near, key=lambda slot: (len(slot.log), slot.owner == session, slot.used))
        free = [slot for slot in idle if slot.owner is None]
        if free and self._reset_tool is not None:
            return free[0]
        if len(self._slots) < self._max:
            self._slots.append(Slot())
            return self._slots[-1]
        return min(idle, key=lambda slot: slot.used) if idle else None

    def _forget_closed(self) -> None:
        while self._closed_sessions:
            self._sessions.discard(self._closed_sessions.popleft())
        for slot in self._slots:
            if slot.owner not in self._sessions and not (self.shared and self._sessions):
                slot.owner = None

    def _ready(self, slot: Slot, log: Log) -> Connection:
        """Return the slot's server, started or brought back to its start if need be."""
        with slot.starting:
            connection = slot.connection
            if connection is not None and not connection.alive:
                slot.stop()
                connection = None
            if connection is not None and slot.log != log[: len(slot.log)]:
                connection = slot.reset(self._reset_tool, self._reach.start_seconds)
            if connection is None:
                connection = slot.start(self._reach)
                self._look(connection)
            return connection

    def _look(self, connection: Connection) -> None:
        """Keep the first listing of what is offered; every later one must be equal."""
        listing = connection.listing
        names = [spec.name for spec in listing.specs]
        for option, tool in (("reset_tool", self._reset_tool), ("state_tool", self.state_tool)):
            if tool is not None and tool not in names:
                raise ConfigurationError(
                    f"{option}={tool!r}: MCP server {self.name!r} has the tools {', '.join(names)}"
                )
        listing = self.offered(listing)
        if self._listing is None:
            self._listing = listing
        elif listing != self._listing:
            raise InfrastructureError(
                f"MCP server {self.name!r} lists other tools than when it was first started",
                FailureKind.BAD_RESULT,
            )

    def offered(self, listing: Listing) -> Listing:
        """Return a listing without the tools that are not for the model."""
        return listing.without({self._reset_tool, self.state_tool})

    def _give_back(self, slot: Slot, *, failed: bool) -> None:
        with self._changed:
            slot.users -= 1
            if failed and slot in self._slots:
                self._slots.remove(slot)
            gone = slot not in self._slots and not slot.users
            self._changed.notify_all()
        if gone:
            slot.kill()


def _close_all(slots: list[Slot]) -> None:
    for slot in slots:
        slot.stop()
    slots.clear()

"""One session's tools on a server."""

from __future__ import annotations

import json
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from toolrl_env.core.errors import InfrastructureError, SnapshotError
from toolrl_env.core.types import FailureKind, ToolSpec
from toolrl_env.tools.limits import CallLimits, bounded
from toolrl_env.tools.mcp.listing import Listing
from toolrl_env.tools.mcp.log import Log, LoggedCall, MCPSnapshot, digest_of, hash_of
from toolrl_env.tools.mcp.pool import ServerPool
from toolrl_env.tools.tool import ToolError

__all__ = ["MCPTools"]

MAX_REFUSAL = 2000
"""Characters of a refusal that are passed on."""


class MCPTools:
    """``OpenTools`` on a server: its state is the log of the calls that may have written.

    Args:
        pool: Where servers come from.
        limits: What a call may take.

    Raises:
        InfrastructureError: No server can say what it offers.
    """

    def __init__(self, pool: ServerPool, limits: CallLimits) -> None:
        self._begin(pool, limits, (), pool.listing(limits.seconds))

    def _begin(self, pool: ServerPool, limits: CallLimits, log: Log, listing: Listing) -> None:
        self._pool = pool
        self._limits = limits
        self._log = log
        self._listing = listing
        self._id = pool.begin_session()
        self._closed = weakref.finalize(self, pool.forget, self._id)
        self._closed.atexit = False

    def __getstate__(self) -> tuple[ServerPool, CallLimits, Log, Listing]:
        """Pickle the session; the server stays behind."""
        return self._pool, self._limits, self._log, self._listing

    def __setstate__(self, state: tuple[ServerPool, CallLimits, Log, Listing]) -> None:
        """Go on as a session of its own."""
        self._begin(*state)

    def specs(self) -> Sequence[ToolSpec]:
        """Return the tools that the server lists now."""
        return self._listing.specs

    def writes(self, name: str) -> bool:
        """Return whether a listed tool does not say that it changes nothing."""
        return self._listing.writes(name)

    def call(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """Call a tool on a server that is in this session's state.

        Raises:
            ToolError: The server says that the call failed, or it cannot be sent.
            InfrastructureError: The server failed. The state is then what it was before the call.
        """
        given = _sendable(arguments)
        seconds = self._limits.seconds
        writes = self.writes(name)
        with self._pool.lease(self._id, self._log, seconds) as slot:
            connection = slot.live()
            answer = connection.call(name, arguments, seconds)
            listing, log = self._listing, self._log
            if writes and connection.listing.may_change:
                listing = self._pool.offered(connection.look_again())
            if writes and not self._pool.shared:
                digest = digest_of(answer.value, refused=answer.refused)
                log = (*log, LoggedCall(name, given, digest))
            self._listing, self._log, slot.log = listing, log, log
        if answer.refused:
            raise ToolError(answer.value[:MAX_REFUSAL])
        return bounded(name, answer.value, self._limits)

    def holds(self, predicate: Callable[[Any], bool]) -> bool:
        """Return what a goal predicate says of these tools, which it may call.

        Raises:
            InfrastructureError: It raised, or a server failed.
        """
        try:
            return bool(predicate(self))
        except InfrastructureError:
            raise
        except Exception as error:
            raise InfrastructureError(
                f"a goal predicate on MCP server {self._pool.name!r} raised "
                f"{type(error).__name__}: {error}"
            ) from error

    def snapshot(self) -> MCPSnapshot:
        """Return the log of calls and the tools on offer."""
        return MCPSnapshot(self._pool.name, self._log, self._listing)

    def restore(self, snapshot: object) -> None:
        """Take over a log. The server follows when it is called next.

        Raises:
            SnapshotError: It is no snapshot of a server of this name.
        """
        if not isinstance(snapshot, MCPSnapshot) or snapshot.server != self._pool.name:
            raise SnapshotError(
                f"not a snapshot of MCP server {self._pool.name!r}: {snapshot!r:.80}"
            )
        self._log, self._listing = snapshot.log, snapshot.listing

    def state_hash(self) -> str:
        """Return the SHA-256 of what ``state_tool`` returns, or else of the log.

        Of the log: equal after equal calls that were answered equally, and only then.

        Raises:
            InfrastructureError: The server failed, or refuses to say its state.
        """
        tool = self._pool.state_tool
        if tool is None:
            return hash_of(self._pool.name, self._log)
        with self._pool.lease(self._id, self._log, self._limits.seconds) as slot:
            answer = slot.live().call(tool, {}, self._limits.seconds)
        if answer.refused:
            raise InfrastructureError(
                f"MCP server {self._pool.name!r}: {tool!r} does not say the state: {answer.value}",
                FailureKind.BAD_RESULT,
            )
        return digest_of(answer.value, refused=False)

    def close(self) -> None:
        """Leave the server to other sessions, or have it stopped if none can use it."""
        self._closed()
        self._pool.sweep()


def _sendable(arguments: Mapping[str, Any]) -> str:
    """Return the arguments' JSON, or refuse what no JSON message can carry."""
    try:
        text = json.dumps(dict(arguments), ensure_ascii=False, allow_nan=False)
        text.encode()
    except (ValueError, RecursionError) as error:
        raise ToolError(f"the arguments cannot be sent: {error}") from error
    return text

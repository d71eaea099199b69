"""A place for one server, and how it gets from one state to another."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from toolrl_env.core.errors import ConfigurationError, InfrastructureError
from toolrl_env.core.types import FailureKind
from toolrl_env.tools.mcp.log import Log, digest_of
from toolrl_env.tools.mcp.reach import Reach

if TYPE_CHECKING:
    from toolrl_env.tools.mcp.connection import Connection

__all__ = ["Slot"]

_NO_SDK = "MCP servers need the official SDK: pip install 'toolrl-env[mcp]'"


@dataclass(eq=False)
class Slot:
    """A place for one server. Only whoever leases it may change it.

    Attributes:
        connection: The server; ``None`` until it is started.
        log: The calls that brought it to its state.
        owner: The session that used it last; ``None`` if that was closed.
        users: Calls that are being made now; more than one if the server is shared.
        used: Tick of its last use.
        starting: Held while the server is started.
    """

    connection: Connection | None = None
    log: Log = ()
    owner: int | None = None
    users: int = 0
    used: int = 0
    starting: threading.Lock = field(default_factory=threading.Lock)

    def start(self, reach: Reach) -> Connection:
        """Start the server.

        Raises:
            ConfigurationError: The extra ``mcp`` is not installed.
            InfrastructureError: The server cannot be had.
        """
        try:
            from toolrl_env.tools.mcp.connection import Connection
        except ModuleNotFoundError as error:
            raise ConfigurationError(f"{_NO_SDK} ({error})") from error
        self.connection, self.log = Connection(reach), ()
        return self.connection

    def reset(self, tool: str | None, seconds: float) -> Connection | None:
        """Bring the server back to its start by a tool of its own, or stop it if that fails.

        Returns:
            The server, or ``None`` if another has to be started.
        """
        connection = self.connection
        if tool is not None and connection is not None:
            try:
                answer = connection.call(tool, {}, seconds)
                if connection.listing.may_change:
                    connection.look_again()
                if not answer.refused:
                    self.log = ()
                    return connection
            except (
                InfrastructureError
            ):  # what another session left behind is no failure of this one
                self.kill()
        self.stop()
        return None

    def replay(self, connection: Connection, log: Log, seconds: float) -> None:
        """Make the calls of ``log`` that the server has not seen.

        Raises:
            InfrastructureError: One is answered otherwise than the first time (``BAD_RESULT``), or
                not at all.
        """
        for number, call in enumerate(log[len(self.log) :], len(self.log) + 1):
            answer = connection.call(call.name, json.loads(call.arguments), seconds)
            if digest_of(answer.value, refused=answer.refused) != call.digest:
                raise InfrastructureError(
                    f"MCP server {connection.name!r}: call {number} of {len(log)}, to "
                    f"{call.name!r}, is answered otherwise than the first time, so the state "
                    "cannot be reached again; it depends on more than the calls",
                    FailureKind.BAD_RESULT,
                )
            self.log = log[:number]

    def live(self) -> Connection:
        """Return the server of a slot that is leased."""
        assert self.connection is not None
        return self.connection

    def stop(self) -> None:
        """Ask the server to end; returns when it has."""
        connection, self.connection, self.log = self.connection, None, ()
        if connection is not None:
            connection.close()

    def kill(self) -> None:
        """End the server at once, without waiting."""
        connection, self.connection, self.log = self.connection, None, ()
        if connection is not None:
            connection.kill()

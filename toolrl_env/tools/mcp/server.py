"""``MCPServer``: how to reach a server, as a provider of tools."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toolrl_env.core.checks import whole_number
from toolrl_env.core.errors import ConfigurationError, UnknownName
from toolrl_env.tools.limits import CallLimits
from toolrl_env.tools.mcp.opened import MCPTools
from toolrl_env.tools.mcp.pool import ServerPool
from toolrl_env.tools.mcp.reach import Reach

__all__ = ["MCPServer"]


@dataclass(frozen=True)
class MCPServer:
    """A server that speaks the Model Context Protocol, over stdio or streamable HTTP.

    Sessions are isolated: what one does to its server, no other sees. A server's state cannot be
    looked at from outside, so a session keeps the calls that it made of tools that may write; its
    snapshot, its forks and a restart are a server as it was at the start to which these calls are
    made again. That is sound where the state depends on nothing but the calls. A call that is
    answered otherwise than the first time ends the step as an ``InfrastructureError``
    (``BAD_RESULT``). ``readOnlyHint`` is believed: a tool that writes and says that it does not
    makes this wrong.

    Servers start when they are first needed and are reused: by a session that has written nothing,
    as they are; by others, after ``reset_tool`` where there is one. Otherwise they are stopped at
    the end of an episode. A server over HTTP is isolated as far as it keeps its state per
    connection; say ``shared`` of one that has none.

    Args:
        name: What messages call it.
        command: Program to start (stdio).
        args: Its arguments.
        env: Environment variables for it. It inherits ``PATH``, ``HOME`` and a few others only.
        cwd: Its working directory; not together with ``prepare``.
        url: Where it listens (streamable HTTP), instead of ``command``.
        headers: Sent with every request, e.g. ``{"Authorization": "Bearer …"}``.
        shared: The server has no state that matters: all sessions use one connection, and
            snapshots hold nothing.
        reset_tool: A tool of the server, without arguments, that brings it back to its start. It is
            not offered to the model.
        state_tool: A tool of the server, without arguments, that returns its whole state and
            changes nothing. It is not offered to the model either. With it ``state_hash`` is that
            of what it returns, so that different calls can lead to one state; without it, that of
            the calls.
        prepare: ``f(folder)``, called with a fresh folder before each start; the server then runs
            in that folder, which is removed when it ends.
        start_seconds: A server has to say what it offers within this time.
        max_servers: Servers that run at the same time. Sessions beyond that take turns, at the cost
            of making their calls again.

    Raises:
        ConfigurationError: The arguments contradict each other or are out of range.
    """

    name: str
    command: str | None = None
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    cwd: str | None = None
    url: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    shared: bool = False
    reset_tool: str | None = None
    state_tool: str | None = None
    prepare: Callable[[Path], object] | None = None
    start_seconds: float = 30.0
    max_servers: int = 16
    _pool: ServerPool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if not self.name or (self.command is None) == (self.url is None):
            raise ConfigurationError(
                f"MCP server {self.name!r}: give a name, and either command= (stdio) or url= (HTTP)"
            )
        if isinstance(self.args, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError(f"args={self.args!r:.80}; allowed: a list of str")
        object.__setattr__(self, "args", tuple(self.args))
        self._check_combination()
        if not (math.isfinite(self.start_seconds) and self.start_seconds > 0):
            raise ConfigurationError(f"start_seconds={self.start_seconds}; allowed: above 0")
        whole_number("max_servers", self.max_servers, 1)
        object.__setattr__(self, "_pool", self._new_pool())

    def _new_pool(self) -> ServerPool:
        reach = Reach(
            self.name,
            self.command,
            self.args,
            self.env,
            self.cwd,
            self.url,
            self.headers,
            self.prepare,
            self.start_seconds,
        )
        return ServerPool(reach, self.shared, self.reset_tool, self.state_tool, self.max_servers)

    def _check_combination(self) -> None:
        local = {"args": self.args, "env": self.env, "cwd": self.cwd, "prepare": self.prepare}
        unused = local if self.url is not None else {"headers": self.headers}
        for name, value in unused.items():
            if value:
                other = "command" if self.url is not None else "url"
                raise ConfigurationError(f"MCP server {self.name!r}: {name}= goes with {other}=")
        for name, value in {"cwd": self.cwd, "shared": self.shared}.items():
            if value and self.prepare is not None:
                raise ConfigurationError(
                    f"MCP server {self.name!r}: {name}= contradicts prepare=, "
                    "by which each server has a folder of its own"
                )
        if self.shared and (self.reset_tool or self.state_tool):
            raise ConfigurationError(
                f"MCP server {self.name!r}: shared=True says that there is no state; "
                "it goes without reset_tool= and state_tool="
            )

    @classmethod
    def from_config(cls, name: str, config: Mapping[str, Any]) -> MCPServer:
        """Return the server that an entry of ``mcpServers`` in a client's settings describes.

        Args:
            name: The entry's name.
            config: ``command``, ``args``, ``env``, ``cwd``, or ``url``, ``headers``; and this
                class's other arguments. ``type`` is looked over.

        Raises:
            UnknownName: A key is unknown.
            ConfigurationError: As at construction.
        """
        options = {key: value for key, value in config.items() if key != "type"}
        known = [key for key in cls.__dataclass_fields__ if key not in ("name", "_pool")]
        for key in options:
            if key not in known:
                raise UnknownName(f"option of MCP server {name!r}", key, known)
        return cls(name, **options)

    @property
    def waits(self) -> bool:
        """True: a call waits for the server."""
        return True

    def open(self, limits: CallLimits) -> MCPTools:
        """Return a session's tools. A server is started if none has yet said what it offers.

        Raises:
            ConfigurationError: The extra ``mcp`` is not installed, or the server has not the
                ``reset_tool`` or ``state_tool``.
            InfrastructureError: The server cannot be had: ``SERVER_DOWN``, ``TIMEOUT`` or
                ``BAD_RESULT``.
        """
        return MCPTools(self._pool, limits)

    def running(self) -> int:
        """Return how many servers (or connections) are open now in this process."""
        return self._pool.size

    def stop_unused(self) -> None:
        """Stop the servers that no open session has used last."""
        self._pool.stop_unused()

    def close(self) -> None:
        """Stop every server. Sessions that go on start new ones."""
        self._pool.close()

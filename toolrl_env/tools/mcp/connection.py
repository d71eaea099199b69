"""One connection to one server, with a synchronous face that any thread may use."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp.types import INVALID_PARAMS, Tool

from toolrl_env.core.errors import ToolRLError
from toolrl_env.tools.mcp.content import MAX_TOOLS, Answer, answer_of, listing_of
from toolrl_env.tools.mcp.failure import failure_of
from toolrl_env.tools.mcp.http import limited_http
from toolrl_env.tools.mcp.listing import Listing
from toolrl_env.tools.mcp.loop import background_loop
from toolrl_env.tools.mcp.reach import Reach
from toolrl_env.tools.mcp.stdio import StdioTransport

if TYPE_CHECKING:
    from mcp.client._transport import TransportStreams

__all__ = ["Connection"]

MAX_MESSAGE_BYTES = 8 * 1024 * 1024
"""Longest message taken from a server."""
END_SECONDS = 3.0
"""An orderly end of a connection may take this long."""

T = TypeVar("T")


class Connection:
    """A server that is connected and has said what it offers.

    Args:
        reach: How to reach it.

    Attributes:
        name: What messages call it.
        listing: The tools as of the last look.

    Raises:
        InfrastructureError: It cannot be reached (``SERVER_DOWN``), does not answer in time
            (``TIMEOUT``), or answers against the protocol (``BAD_RESULT``). Nothing is left
            running.
    """

    def __init__(self, reach: Reach) -> None:
        self.name = reach.name
        self._reach = reach
        self._loop = background_loop()
        self._pid = os.getpid()
        self._transport: StdioTransport | None = None
        self._client: Client | None = None
        self._stop = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None
        self._usable = True
        self.listing: Listing = self._loop.run(self._start())

    @property
    def alive(self) -> bool:
        """Whether calls may still be answered."""
        return self._usable and not (self._transport is not None and self._transport.ended)

    @property
    def pid(self) -> int | None:
        """Process id of the server, if it is a child of this process."""
        return None if self._transport is None else self._transport.pid

    def call(self, name: str, arguments: Mapping[str, Any], seconds: float) -> Answer:
        """Call a tool.

        Raises:
            InfrastructureError: As at construction; the connection is not ``alive`` afterwards.
        """
        return self._loop.run(self._call(name, dict(arguments), seconds))

    def look_again(self) -> Listing:
        """Ask for the tools anew, and return and keep them.

        Raises:
            InfrastructureError: As at construction; the connection is not ``alive`` afterwards.
        """
        self.listing = self._loop.run(self._guarded(self._list, self._reach.start_seconds))
        return self.listing

    def close(self) -> None:
        """End the connection and, if it is our child, the server; returns when it is gone.

        Does nothing in a process that was forked from the one that opened it.
        """
        if os.getpid() != self._pid:
            return
        self._usable = False
        if self._loop.is_current():  # garbage collected there: it cannot wait for itself
            self._loop.start(self._end())
        else:
            self._loop.run(self._end())

    def kill(self) -> None:
        """End the connection without asking and without waiting."""
        if os.getpid() != self._pid:
            return
        self._usable = False
        if self._transport is not None:
            self._transport.kill()
        self._loop.start(self._end())

    # ------------------------------------------------------------------ on the loop

    async def _start(self) -> Listing:
        ready: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        self._serving = asyncio.create_task(self._serve(ready))

        async def first_look() -> Listing:
            self._client = await ready
            return await self._list()

        try:
            return await self._guarded(first_look, self._reach.start_seconds, starting=True)
        except BaseException:
            if self._transport is not None:
                self._transport.kill()
            await self._end()
            raise

    async def _end(self) -> None:
        """Ask for an end, and cut the connection off if that takes too long."""
        self._stop.set()
        serving = self._serving
        if serving is None or serving.done():
            return
        if self._client is not None:
            await asyncio.wait([serving], timeout=END_SECONDS)
        if not serving.done():
            serving.cancel()
            await asyncio.wait([serving], timeout=END_SECONDS)

    async def _serve(self, ready: asyncio.Future[Client]) -> None:
        """Hold the connection open until it is to end: the SDK wants one task to open and close."""
        try:
            async with self._streams() as streams, Client(_Opened(streams), cache=None) as client:
                ready.set_result(client)
                await self._stop.wait()
        except Exception as error:
            if not ready.done():
                ready.set_exception(error)
        finally:
            self._usable = False

    async def _guarded(
        self, work: Callable[[], Awaitable[T]], seconds: float, *, starting: bool = False
    ) -> T:
        """Do some work in the time given; what goes wrong becomes an ``InfrastructureError``."""
        try:
            async with asyncio.timeout(seconds):
                return await work()
        except ToolRLError:
            self._usable = False
            raise
        except Exception as error:
            self._usable = False
            transport = self._transport
            if transport is not None and not isinstance(error, TimeoutError):
                await transport.settled()
            raise failure_of(error, self.name, transport, seconds, starting=starting) from error

    @asynccontextmanager
    async def _streams(self) -> AsyncGenerator[Any]:
        reach = self._reach
        if reach.url is not None:
            async with (
                limited_http(reach.headers, MAX_MESSAGE_BYTES) as http,
                streamable_http_client(reach.url, http_client=http) as streams,
            ):
                yield streams
            return
        with contextlib.ExitStack() as stack:
            cwd = reach.cwd
            if reach.prepare is not None:
                made = tempfile.TemporaryDirectory(prefix="toolrl-mcp-", ignore_cleanup_errors=True)
                cwd = stack.enter_context(made)
                await _prepare(reach.prepare, Path(cwd))
            command = [reach.command or "", *reach.args]
            self._transport = StdioTransport(command, reach.env, cwd, MAX_MESSAGE_BYTES)
            async with self._transport as streams:
                yield streams

    async def _list(self) -> Listing:
        """Fetch every page of the list of tools."""
        client = self._client
        assert client is not None
        tools: list[Tool] = []
        cursor: str | None = None
        while True:
            page = await client.list_tools(cursor=cursor)
            tools += page.tools
            cursor = page.next_cursor
            if cursor is None or len(tools) > MAX_TOOLS:
                break
        offered = client.server_capabilities.tools
        may_change = offered is not None and bool(offered.list_changed)
        return listing_of(self.name, tools, may_change=may_change)

    async def _call(self, name: str, arguments: dict[str, Any], seconds: float) -> Answer:
        client = self._client
        assert client is not None

        async def call() -> Answer:
            try:
                return answer_of(await client.call_tool(name, arguments))
            except MCPError as error:
                if error.code == INVALID_PARAMS:
                    return Answer(error.message, refused=True)
                raise

        return await self._guarded(call, seconds)


async def _prepare(prepare: Callable[[Path], object], folder: Path) -> None:
    """Let the user's function fill a folder; if it fails, the server is not there."""
    try:
        await asyncio.to_thread(prepare, folder)
    except Exception as error:
        raise OSError(f"prepare raised {type(error).__name__}: {error}") from error


class _Opened:
    """Streams that are open already, in the form in which the SDK takes a transport."""

    def __init__(self, streams: TransportStreams) -> None:
        self._streams = streams

    async def __aenter__(self) -> TransportStreams:
        return self._streams

    async def __aexit__(self, *_error: object) -> None:
        """Leave the end to whoever opened them."""

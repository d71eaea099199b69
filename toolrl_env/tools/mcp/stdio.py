"""A server as a child process: newline-delimited JSON-RPC over its standard input and output.

The SDK has a transport of its own. This one bounds a message's length, keeps the end of the
server's standard error for error messages, remembers lines that are no messages, and can kill the
server and its children at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from types import TracebackType

import anyio
from anyio.abc import ObjectReceiveStream, ObjectSendStream
from mcp.client.stdio import get_default_environment
from mcp.shared.message import SessionMessage
from mcp.types import jsonrpc_message_adapter

__all__ = ["StdioTransport"]

GRACE_SECONDS = 0.5
"""A server that was asked to end gets this long before it is killed."""
_KEPT = 2000
"""Characters of standard error, and of a line that is no message, that are kept."""

Read = ObjectReceiveStream[SessionMessage | Exception]
Write = ObjectSendStream[SessionMessage]


class StdioTransport:
    """An asynchronous context manager that yields the SDK's two streams.

    Args:
        command: The program and its arguments.
        env: Added to the few variables that a server inherits (``PATH``, ``HOME`` …).
        cwd: Working directory; ``None`` for this process's.
        max_bytes: Longest message, in bytes; a longer one ends the connection.

    Attributes:
        fault: What the server did against the protocol so that it was cut off; else ``""``.
        noise: The last line that was no message; else ``""``.
        silent: Whether the server has closed its output, as it does when it ends.
    """

    def __init__(
        self, command: Sequence[str], env: Mapping[str, str], cwd: str | None, max_bytes: int
    ) -> None:
        self._command, self._env, self._cwd, self._max_bytes = command, env, cwd, max_bytes
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._stderr = ""
        self.fault = ""
        self.noise = ""
        self.silent = False

    async def __aenter__(self) -> tuple[Read, Write]:
        """Start the server.

        Raises:
            OSError: The program cannot be started.
        """
        process = self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=get_default_environment() | dict(self._env),
            cwd=self._cwd,
            limit=self._max_bytes,
            start_new_session=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        received, read = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        write, to_send = anyio.create_memory_object_stream[SessionMessage](0)
        self._tasks = [
            asyncio.create_task(self._read(process.stdout, received)),
            asyncio.create_task(self._write(process.stdin, to_send, received)),
            asyncio.create_task(self._listen(process.stderr)),
        ]
        return read, write

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the server's input, wait a moment, and kill what is left of it."""
        process = self._process
        assert process is not None
        assert process.stdin is not None
        process.stdin.close()
        try:
            await self._until_ended()
        finally:
            self.kill()
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks, timeout=GRACE_SECONDS)
            await self._until_ended()

    @property
    def pid(self) -> int | None:
        """The server's process id, once it was started."""
        return None if self._process is None else self._process.pid

    @property
    def ended(self) -> bool:
        """Whether the server has ended."""
        return self._process is not None and self._process.returncode is not None

    @property
    def last_words(self) -> str:
        """The end of what the server wrote to its standard error, and how it ended."""
        code = None if self._process is None else self._process.returncode
        ended = "" if code is None else f"; it ended with code {code}"
        said = self._stderr.strip()
        return ended + (f"; on its standard error: {said}" if said else "")

    async def settled(self) -> None:
        """Wait a moment for a server that is ending to have ended, and for its last words."""
        if self.silent and self._process is not None:
            await asyncio.wait([self._tasks[-1]], timeout=GRACE_SECONDS)
            await self._until_ended()

    async def _until_ended(self) -> None:
        """Wait a moment for the end; ``wait()`` would also wait for children that hold pipes."""
        end = asyncio.get_running_loop().time() + GRACE_SECONDS
        while not self.ended and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.005)

    def kill(self) -> None:
        """Kill the server and the children that stayed in its process group."""
        process = self._process
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                process.kill()
            else:
                os.killpg(process.pid, signal.SIGKILL)

    async def _read(
        self, stdout: asyncio.StreamReader, out: ObjectSendStream[SessionMessage | Exception]
    ) -> None:
        """Pass messages on until the server closes its output or says too much at once."""
        async with out:
            while True:
                try:
                    line = await stdout.readline()
                except ValueError:
                    self.fault = f"it sent a message of more than {self._max_bytes} bytes"
                    self.kill()
                    return
                if not line:
                    self.silent = True
                    return
                try:
                    message = jsonrpc_message_adapter.validate_json(line, by_name=False)
                except ValueError:
                    text = line[:_KEPT].decode("utf-8", "replace").strip()
                    self.noise = text or self.noise
                    continue
                try:
                    await out.send(SessionMessage(message))
                except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                    return

    async def _write(
        self,
        stdin: asyncio.StreamWriter,
        messages: ObjectReceiveStream[SessionMessage],
        received: ObjectSendStream[SessionMessage | Exception],
    ) -> None:
        """Send messages until the client closes; a server that is gone ends the reading too."""
        try:
            async with messages:
                async for item in messages:
                    text = item.message.model_dump_json(by_alias=True, exclude_unset=True)
                    stdin.write(text.encode() + b"\n")
                    await stdin.drain()
        except (OSError, anyio.ClosedResourceError):
            await received.aclose()

    async def _listen(self, stderr: asyncio.StreamReader) -> None:
        while chunk := await stderr.read(65_536):
            self._stderr = (self._stderr + chunk.decode("utf-8", "replace"))[-_KEPT:]

"""Frames between a session and its worker: a JSON object and, if need be, bytes beside it.

What comes from a worker may have been written by a hostile tool. The head is read as JSON and
nothing else, both lengths are checked before anything is read, and the bytes are never looked into.
"""

from __future__ import annotations

import json
import math
import socket
import struct
import time
from collections.abc import Mapping
from typing import Any, cast

__all__ = ["MAX_BLOB", "MAX_HEAD", "BadFrame", "Channel", "ChannelClosed"]

MAX_HEAD = 64 * 1024 * 1024
"""Longest JSON of a frame, in bytes."""
MAX_BLOB = 1024 * 1024 * 1024
"""Longest bytes of a frame."""
_LENGTHS = struct.Struct("!IQ")
_CHUNK = 1024 * 1024


class ChannelClosed(Exception):
    """The other end is gone."""


class BadFrame(Exception):
    """The other end does not keep the protocol."""


class Channel:
    """One end of a connected stream socket, which it owns.

    Args:
        sock: The socket.
        max_head: Longest JSON of a frame that is accepted, in bytes.
    """

    def __init__(self, sock: socket.socket, max_head: int = MAX_HEAD) -> None:
        self._socket = sock
        self._max_head = max_head

    def send(
        self, head: Mapping[str, Any], blob: bytes = b"", *, deadline: float = math.inf
    ) -> None:
        """Send a frame.

        Args:
            head: A JSON object.
            blob: Bytes that go with it.
            deadline: When to give up, on the monotonic clock.

        Raises:
            ChannelClosed: The other end is gone.
            TimeoutError: The deadline is over.
        """
        text = json.dumps(head, allow_nan=False).encode("ascii")
        try:
            self._socket.settimeout(_left(deadline))
            self._socket.sendall(_LENGTHS.pack(len(text), len(blob)) + text + blob)
        except TimeoutError:
            raise
        except OSError as error:
            raise ChannelClosed(str(error)) from error

    def receive(self, *, deadline: float = math.inf) -> tuple[dict[str, Any], bytes]:
        """Return the next frame.

        Raises:
            ChannelClosed: The other end is gone.
            BadFrame: It is too long, or its head is no JSON object.
            TimeoutError: The deadline is over.
        """
        head_size, blob_size = _LENGTHS.unpack(self._exactly(_LENGTHS.size, deadline))
        if head_size > self._max_head or blob_size > MAX_BLOB:
            raise BadFrame(f"a frame of {head_size} and {blob_size} bytes")
        text = self._exactly(head_size, deadline)
        blob = self._exactly(blob_size, deadline)
        try:
            head: Any = json.loads(text, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise BadFrame(f"a head that is not JSON: {error}") from error
        if not isinstance(head, dict):
            raise BadFrame("a head that is no object")
        return cast("dict[str, Any]", head), blob

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _exactly(self, size: int, deadline: float) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            try:
                self._socket.settimeout(_left(deadline))
                part = self._socket.recv(min(size - len(parts), _CHUNK))
            except TimeoutError:
                raise
            except OSError as error:
                raise ChannelClosed(str(error)) from error
            if not part:
                raise ChannelClosed("end of stream")
            parts += part
        return bytes(parts)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _left(deadline: float) -> float | None:
    """Return the seconds left, as ``settimeout`` wants them.

    Raises:
        TimeoutError: There are none.
    """
    if math.isinf(deadline):
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left

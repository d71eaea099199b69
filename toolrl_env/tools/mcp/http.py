"""HTTP for servers elsewhere: headers, and a bound on what one answer may hold."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import httpx2

__all__ = ["limited_http"]

CONNECT_SECONDS = 10.0


def limited_http(headers: Mapping[str, str], max_bytes: int) -> httpx2.AsyncClient:
    """Return a client whose answers are at most ``max_bytes`` long.

    A stream of events may go on: the SDK bounds each event. The time limit is the caller's.
    """
    return httpx2.AsyncClient(
        headers={"accept-encoding": "identity", **headers},
        timeout=httpx2.Timeout(None, connect=CONNECT_SECONDS),
        transport=_LimitedTransport(max_bytes),
    )


class _LimitedTransport(httpx2.AsyncHTTPTransport):
    def __init__(self, max_bytes: int) -> None:
        super().__init__()
        self._max_bytes = max_bytes

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await super().handle_async_request(request)
        streaming = response.headers.get("content-type", "").startswith("text/event-stream")
        if not streaming and isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = _LimitedStream(response.stream, self._max_bytes)
        return response


class _LimitedStream(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream, max_bytes: int) -> None:
        self._stream = stream
        self._left = max_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            self._left -= len(chunk)
            if self._left < 0:
                raise httpx2.StreamError("the answer is longer than is taken")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()

"""An endpoint of the OpenAI chat API whose model is whoever calls ``step``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from verifiers.v1.clients.client import SESSION_ID_HEADER

__all__ = ["Asked", "Endpoint"]

_LARGEST_BODY = 64 * 1024 * 1024
_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A request that waits for an answer.

    Attributes:
        agent: Which agent of theirs asks.
        body: The request.
        reply: To be given the assistant's message.
    """

    agent: str
    body: Mapping[str, Any]
    reply: asyncio.Future[Mapping[str, Any]]


class Endpoint:
    """Requests come out of a queue; each waits until its reply is set. Used in one event loop.

    Attributes:
        agents: Which agent asks, by the id of its trace; other requests are refused, so that a late
            one of an episode that was left does not come up in the next.
        url: Where it listens, once it does.
    """

    def __init__(self) -> None:
        self.agents: dict[str, str] = {}
        self.url = ""
        self._asked: asyncio.Queue[Asked] = asyncio.Queue()
        self._waiting: set[Asked] = set()

    async def next(self) -> Asked:
        """Return the next request, waiting for it if need be."""
        return await self._asked.get()

    def forget(self) -> None:
        """Break off every request that waits, and refuse those that are yet to come."""
        self.agents.clear()
        while not self._asked.empty():
            self._asked.get_nowait()
        for asked in self._waiting:
            asked.reply.cancel()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Listen on a free port of this machine."""
        app = web.Application(client_max_size=_LARGEST_BODY)
        app.router.add_post("/v1/chat/completions", self._handle)
        runner = web.AppRunner(app, shutdown_timeout=1.0, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, _HOST, 0).start()
            self.url = f"http://{_HOST}:{runner.addresses[0][1]}/v1"
            yield
        finally:
            self.forget()
            await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.Response:
        agent = self.agents.get(request.headers.get(SESSION_ID_HEADER, ""))
        if agent is None:
            return web.json_response({"error": {"message": "this episode is over"}}, status=409)
        body = await request.json()
        asked = Asked(agent, body, asyncio.get_running_loop().create_future())
        self._waiting.add(asked)
        self._asked.put_nowait(asked)
        try:
            message = await asked.reply
        finally:
            self._waiting.discard(asked)
        if body.get("stream"):
            return web.Response(text=_events(message), content_type="text/event-stream")
        return web.json_response(_completion("chat.completion", message=message))


def _completion(kind: str, **content: Any) -> dict[str, Any]:
    spoken = content.get("message", content.get("delta"))
    finish = "tool_calls" if spoken.get("tool_calls") else "stop"
    choice = {"index": 0, **content, "finish_reason": finish}
    return {"id": "step", "object": kind, "created": 0, "model": "step", "choices": [choice]}


def _events(message: Mapping[str, Any]) -> str:
    """Return a reply as a stream of one piece, for harnesses that ask for one."""
    calls = [{"index": n, **call} for n, call in enumerate(message.get("tool_calls", ()))]
    delta = {**message, **({"tool_calls": calls} if calls else {})}
    piece = _completion("chat.completion.chunk", delta=delta)
    return f"data: {json.dumps(piece)}\n\ndata: [DONE]\n\n"

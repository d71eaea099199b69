"""A thread in which verifiers runs, and which stops wherever the model is asked."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from typing import Any

import verifiers.v1 as vf

from agents.integrations.verifiers.endpoint import Asked, Endpoint
from agents.integrations.verifiers.sides import Run, Side
from toolrl_env.core.errors import InfrastructureError
from toolrl_env.core.types import FailureKind

__all__ = ["Driver"]


class Driver:
    """Plays one task at a time. The caller's thread may have an event loop of its own.

    Args:
        make_side: Makes what plays; called in the thread.
        timeout: Seconds that their side may take for anything.

    Raises:
        InfrastructureError: Their side cannot be started.
    """

    def __init__(self, make_side: Callable[[], Side], timeout: float) -> None:
        self._make_side, self._timeout = make_side, timeout
        self._started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = Future()
        self._ready: Future[None] = Future()
        self._play: asyncio.Task[Run] | None = None
        self._thread = threading.Thread(target=self._main, name="verifiers", daemon=True)
        try:
            self._thread.start()
            self._loop, _ = self._wait(self._started)
            self._wait(self._ready)
        except InfrastructureError:
            self.close()
            raise
        except BaseException:
            self.abandon()
            raise

    def begin(self, task: vf.Task) -> Asked | Run:
        """Leave the task that is being played, and start another one.

        Returns:
            What the model is asked first; or what came of the task if it is not asked.

        Raises:
            InfrastructureError: Their side raised, or took too long.
        """
        return self._call(self._begin(task))

    def answer(self, asked: Asked, message: Mapping[str, Any]) -> Asked | Run:
        """Answer; return what is asked next, or what came of the task. Raises as ``begin``."""
        return self._call(self._answer(asked, message))

    def close(self) -> bool:
        """Leave the task and end the thread; return whether it ended in time."""
        self.abandon()
        self._thread.join(self._timeout)
        return not self._thread.is_alive()

    def abandon(self) -> None:
        """Have the thread end as soon as their side lets it, without waiting for that."""
        if self._started.cancel() or self._started.exception() is not None:
            return  # it ends by itself
        loop, serving = self._started.result()
        with contextlib.suppress(RuntimeError):  # its loop is closed already
            loop.call_soon_threadsafe(serving.cancel)

    # ------------------------------------------------------------------ the caller's thread

    def _call(self, work: Coroutine[Any, Any, Asked | Run]) -> Asked | Run:
        return self._wait(asyncio.run_coroutine_threadsafe(work, self._loop))

    def _wait(self, future: Future[Any]) -> Any:
        try:
            return future.result(self._timeout)
        except InfrastructureError:
            raise
        except Exception as error:
            if not future.done():
                future.cancel()
                late = f"verifiers took more than {self._timeout:g} s"
                raise InfrastructureError(late, FailureKind.TIMEOUT) from None
            raise InfrastructureError(f"{type(error).__name__}: {error}") from error
        except BaseException:  # an interrupt: nobody hears what comes of it
            future.cancel()
            raise

    # ------------------------------------------------------------------ their thread

    def _main(self) -> None:
        try:
            asyncio.run(self._serve())
        except asyncio.CancelledError:
            return
        except BaseException as error:
            if self._ready.done():
                raise
            for future in (self._started, self._ready):
                if not future.done():
                    future.set_exception(error)

    async def _serve(self) -> None:
        loop, serving = asyncio.get_running_loop(), asyncio.current_task()
        assert serving is not None
        self._started.set_result((loop, serving))
        self._endpoint, self._side = Endpoint(), self._make_side()
        async with self._endpoint.listening(), self._side.serving():
            self._ready.set_result(None)
            try:
                await loop.create_future()
            finally:
                await self._leave()

    async def _begin(self, task: vf.Task) -> Asked | Run:
        await self._leave()
        work = self._side.play(task, self._endpoint.url, self._minted)
        self._play = asyncio.create_task(work)
        return await self._next(self._play)

    async def _answer(self, asked: Asked, message: Mapping[str, Any]) -> Asked | Run:
        assert self._play is not None
        if not asked.reply.done():  # they may have given the request up
            asked.reply.set_result(message)
        return await self._next(self._play)

    async def _next(self, play: asyncio.Task[Run]) -> Asked | Run:
        asked = asyncio.ensure_future(self._endpoint.next())
        try:
            await asyncio.wait({asked, play}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not asked.done():
                asked.cancel()
        return asked.result() if asked.done() else play.result()

    async def _leave(self) -> None:
        play, self._play = self._play, None
        self._endpoint.forget()
        if play is not None:
            play.cancel()
            await asyncio.gather(play, return_exceptions=True)

    def _minted(self, trace: vf.Trace) -> None:
        self._endpoint.agents[trace.id] = trace.agent.name

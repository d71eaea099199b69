"""An episode of ours for an event loop: its steps run in worker threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from agents.integrations.pool import EnvPool, PooledEpisode
from agents.integrations.tasks import TaskRef
from agents.integrations.verifiers.scoring import Played

__all__ = ["ThreadedEpisode"]


class ThreadedEpisode:
    """Steps one at a time, even if who waits for one is cancelled: the step goes on in its thread.

    Args:
        pool: Where the environment comes from and goes back to.
        ref: The task.
    """

    def __init__(self, pool: EnvPool, ref: TaskRef) -> None:
        self._pool, self._ref = pool, ref
        self._lock = threading.Lock()
        self._episode: PooledEpisode | None = None
        self._closed = False

    async def open(self) -> None:
        """Start the episode. Raises as ``EnvPool.open``."""
        await asyncio.to_thread(self._open)

    async def answer(self, text: str) -> tuple[Played, Sequence[Mapping[str, Any]]]:
        """Give an answer; return what has been earned so far, and what the environment said.

        Raises:
            InfrastructureError: Something of ours failed: there is no reward.
        """
        return await asyncio.to_thread(self._answer, text)

    async def close(self) -> None:
        """Give the environment back, once a step that is under way has ended."""
        await asyncio.to_thread(self._close)

    def _open(self) -> None:
        with self._lock:
            if not self._closed:
                self._episode = self._pool.open(self._ref)

    def _answer(self, text: str) -> tuple[Played, Sequence[Mapping[str, Any]]]:
        with self._lock:
            assert self._episode is not None
            self._episode.answer(text)
            return Played.of(self._episode), self._episode.new_messages

    def _close(self) -> None:
        with self._lock:
            self._closed = True
            if self._episode is not None:
                self._episode.close()

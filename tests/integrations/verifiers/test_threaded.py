"""One step at a time, and nothing is left open, whoever is cancelled."""

from __future__ import annotations

import asyncio
import threading

import pytest

from agents.integrations.pool import EnvPool
from agents.integrations.tasks import TaskRef
from agents.integrations.verifiers.threaded import ThreadedEpisode
from tests.integrations.verifiers.rollouts import WORKSPACE, gold, play

REF = TaskRef.of(WORKSPACE, {}, 0)


class SlowPool(EnvPool):
    """Opens when it is told to."""

    def __init__(self):
        super().__init__()
        self.opening, self.may, self.back = threading.Event(), threading.Event(), []

    def open(self, ref):
        self.opening.set()
        assert self.may.wait(30)
        return super().open(ref)

    def take_back(self, ref, env, *, broken):
        self.back.append(env)
        super().take_back(ref, env, broken=broken)


def test_it_plays_what_gym_make_plays():
    rewards, _, said = play(WORKSPACE, {}, 0, gold)

    async def run():
        with EnvPool() as pool:
            episode = ThreadedEpisode(pool, REF)
            await episode.open()
            for text in said:
                played, messages = await episode.answer(text)
                assert bool(messages) is not played.over
            await episode.close()
            await episode.close()
            return played

    played = asyncio.run(run())
    assert (list(played.rewards), played.over) == (rewards, True)


def test_an_episode_that_opens_after_a_cancellation_is_given_back():
    async def run():
        pool = SlowPool()
        episode = ThreadedEpisode(pool, REF)
        opening = asyncio.create_task(episode.open())
        assert await asyncio.to_thread(pool.opening.wait, 30)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        closing = asyncio.create_task(episode.close())
        await asyncio.sleep(0.05)
        assert not closing.done()
        pool.may.set()
        await closing
        pool.close()
        return pool.back

    assert len(asyncio.run(run())) == 1


def test_what_was_closed_before_it_opened_stays_closed():
    async def run():
        pool = SlowPool()
        episode = ThreadedEpisode(pool, REF)
        await episode.close()
        await episode.open()
        return pool.opening.is_set()

    assert asyncio.run(run()) is False

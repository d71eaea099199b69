"""Servers in threads, and small environments written with OpenEnv's API."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import Any

import uvicorn
from openenv.core.env_server import Action, Environment, Observation, State, create_app
from pydantic import field_validator

from agents.integrations.openenv.serve import ServeConfig, make_app


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def running(app, port=None):
    """Run an application in a thread; yield its address."""
    port = port or free_port()
    server = uvicorn.Server(
        uvicorn.Config(app, port=port, log_level="critical", timeout_graceful_shutdown=2)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


@contextlib.contextmanager
def serving(env, env_kwargs="{}", **more):
    """Serve an environment of ours; yield its address."""
    with running(make_app(ServeConfig(env, env_kwargs, **more))) as url:
        yield url


# ------------------------------------------------------------------ theirs


class Say(Action):
    """One text."""

    word: str


class Heard(Observation):
    """One text."""

    answer: str


class Parrot(Environment[Say, Heard, State]):
    """Says again what it hears. Some words have it do other things."""

    SUPPORTS_CONCURRENT_SESSIONS = True
    wait: Any = None

    def __init__(self):
        super().__init__()
        self._state = State()
        self.closed = False

    def reset(self, seed=None, episode_id=None, mood="good"):
        self._state = State(episode_id=episode_id)
        return Heard(answer=f"A {mood} parrot, seed {seed}.")

    def step(self, action, timeout_s=None, **kwargs):
        self._state.step_count += 1
        if action.word == "die":
            raise KeyError("the parrot")
        if action.word == "hang":
            type(self).wait.wait(20)
        reward = {"nothing": None, "nan": float("nan")}.get(action.word, len(action.word) / 4)
        done = action.word in ("bye", "night")
        return Heard(answer=f"{self._state.step_count}: {action.word}", reward=reward, done=done)

    @property
    def state(self):
        return self._state

    def close(self):
        self.closed = True


class Guess(Action):
    """A number and how sure one is; odd numbers are refused by what no schema says."""

    number: int
    sure: bool = False

    @field_validator("number")
    @classmethod
    def even(cls, value):
        if value % 2:
            raise ValueError("must be even")
        return value


class Hint(Observation):
    """Two fields."""

    hint: str
    left: int


class Guessing(Environment[Guess, Hint, State]):
    """Guess the even number that the seed hides."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def reset(self, seed=None, episode_id=None, **kwargs):
        self.secret, self.left = 2 * (seed % 50), 4
        return Hint(hint="even, below 100", left=self.left, reward=0.0)

    def step(self, action, timeout_s=None, **kwargs):
        self.left -= 1
        right = action.number == self.secret
        hint = "right" if right else "higher" if action.number < self.secret else "lower"
        return Hint(hint=hint, left=self.left, reward=float(right), done=right or not self.left)

    @property
    def state(self):
        return State(step_count=4 - self.left)


def parrot_app(sessions=8):
    return create_app(Parrot, Say, Heard, max_concurrent_envs=sessions)


def guessing_app():
    return create_app(Guessing, Guess, Hint, max_concurrent_envs=8)

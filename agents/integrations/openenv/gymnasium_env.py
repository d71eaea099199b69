"""An environment of OpenEnv's as a Gymnasium environment over text."""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Callable
from numbers import Real
from typing import Any

import gymnasium as gym
from openenv.core import EnvClient, GenericEnvClient, SyncEnvClient
from openenv.core.env_server import Action, Environment

from agents.integrations.openenv.links import Came, InProcess, Link, OnWire, Refused, action_schema
from agents.integrations.openenv.texts import (
    Read,
    Show,
    observation_text,
    plain_fields,
    read_model,
    read_schema,
)
from agents.integrations.openenv.transcript import Transcript
from toolrl_env.core.checks import whole_number
from toolrl_env.core.errors import ConfigurationError, InfrastructureError, WrongActionType
from toolrl_env.core.types import FailureKind, StopReason
from toolrl_env.spaces import UnicodeText

__all__ = ["OpenEnvEnv"]

Client = EnvClient[Any, Any, Any] | SyncEnvClient[Any, Any, Any]
Source = str | Client | Environment[Any, Any, Any]


class OpenEnvEnv(gym.Env[str, str]):
    """An environment of OpenEnv's, to be stepped with text.

    Description:
        ``source`` is a server's URL, a client of theirs (with ``.sync()`` or without, not used
        before), or an ``Environment`` object of theirs in this process. The server need not be up
        yet: the first ``reset`` connects. An environment that is asynchronous alone has to be
        served.

    Observation:
        ``UnicodeText``: what ``show`` makes of their observation.

    Action:
        ``UnicodeText``: ``read`` makes their action of it. By default, where their action has one
        field and that is a string, the text is that field; else the text is the action as JSON,
        by the schema that ``info["action_schema"]`` holds after ``reset``.

    Reward:
        Theirs; 0.0 where they give none (``info["reward_given"]`` is false then). An answer that
        is no action of theirs earns ``bad_action_reward``; the environment is not stepped, and
        the observation and ``info["bad_action"]`` say what is wrong. There is no value that is
        low in every environment, so it has no default.

    Episode end:
        ``terminated`` when they say ``done``, unless ``truncated`` says that it was cut. Bad
        actions do not end an episode, so put ``gymnasium.wrappers.TimeLimit`` around it; but for
        those that only a validator in their class of actions refuses: over these, OpenEnv's
        server (0.10) gives up the session. With ``action_type`` they never get there.

    Info:
        ``openenv``: their observation as a dict. ``reward_given`` and ``bad_action``: see above.
        ``action_schema``, after ``reset``. And what the trainers here ask for: ``messages``,
        ``tools`` (none), ``task_id``, and after a step ``stop_reason``, ``reward``, ``breakdown``.

    Failures:
        ``InfrastructureError``, and the episode is over: ``SERVER_DOWN`` if the server is not
        there or the connection is lost, ``TIMEOUT`` if it does not answer, ``REFUSED`` if it has
        no free session, ``BAD_RESULT`` if the answer is unusable, ``TOOL_CRASHED`` if their
        environment raises.

    Args:
        source: Their environment.
        bad_action_reward: Reward of a text that is no action of theirs.
        read: Text -> their action; raises ``ValueError`` if it is none.
        show: Their observation -> text.
        action_type: Their class of actions, for the default ``read``. Needed with an object and
            with a typed client, unless ``read`` is given.
        system: A system message for ``info["messages"]``, e.g. how actions are written.
        truncated: Whether their last observation of an episode means that it was cut from outside;
            OpenEnv itself does not tell. ``None``: it never does.
        timeout_s: How long a URL's server may take to connect or to answer.
        max_chars: Longest text, of observations and of actions; a longer action is a bad one.

    Raises:
        ConfigurationError: ``source`` is none of these, a number is out of range, or there is
            no way to tell what an action is.

    References:
        https://github.com/huggingface/OpenEnv

    Version history:
        Not registered; register your own id with it.
    """

    metadata = {"render_modes": []}  # noqa: RUF012  # Gymnasium's API

    def __init__(
        self,
        source: Source,
        *,
        bad_action_reward: float,
        read: Read | None = None,
        show: Show = observation_text,
        action_type: type[Action] | None = None,
        system: str = "",
        truncated: Callable[[Any], bool] | None = None,
        timeout_s: float = 60.0,
        max_chars: int = 1_000_000,
    ) -> None:
        for name, value in (("bad_action_reward", bad_action_reward), ("timeout_s", timeout_s)):
            if not isinstance(value, Real) or not math.isfinite(value):
                raise ConfigurationError(f"{name}={value!r:.80}; allowed: a finite number")
        if timeout_s <= 0:
            raise ConfigurationError(f"timeout_s={timeout_s!r}; it must be above 0")
        self.bad_action_reward = float(bad_action_reward)
        self.observation_space = UnicodeText(whole_number("max_chars", max_chars, 1))
        self.action_space = UnicodeText(max_chars)
        self._timeout_s, self._show, self._truncated = timeout_s, show, truncated
        self._system, self._transcript = system, Transcript(system, "", "")
        self._schema = None if action_type is None else action_type.model_json_schema()
        self._read = read_model(action_type) if read is None and action_type is not None else read
        self._schema_url = ""
        self._link = self._connect(source)
        self._running = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Start an episode.

        Args:
            seed: Passed on to their ``reset``; ``None`` passes on one that is drawn, so that a
                seeded run of many episodes is reproducible if theirs are.
            options: Further arguments of their ``reset``, e.g. ``{"task_index": 3}``.
                ``training_step``, which our trainers give, is not passed on.

        Raises:
            InfrastructureError: See the class; no episode is running then.
            ConfigurationError: Their ``reset`` takes no such argument (of an object in this
                process; a server does not say).
        """
        super().reset(seed=seed)
        self._running = False
        if self._schema is None and self._schema_url:
            self._schema = action_schema(self._schema_url, self._timeout_s)
        if self._read is None:
            self._read = read_schema(self._schema)
        drawn = int(self.np_random.integers(2**31)) if seed is None else seed
        given = {k: v for k, v in (options or {}).items() if k != "training_step"}
        came = self._link.reset({"seed": drawn, **given})
        text = self._shown(came)
        chosen = "".join(f"-{k}-{v}" for k, v in ({"seed": drawn} | given).items())
        self._transcript = Transcript(self._system, f"openenv{chosen}", text)
        self._running = not came.done
        return text, self._transcript.info() | {
            "openenv": plain_fields(came.observation),
            "action_schema": copy.deepcopy(self._schema),
            "reward_given": came.reward is not None,
            "bad_action": "",
        }

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Give the environment a text.

        Raises:
            WrongActionType: ``action`` is no string.
            gymnasium.error.ResetNeeded: No episode is running.
            InfrastructureError: See the class; the episode is over.
        """
        if not isinstance(action, str):
            raise WrongActionType(f"step() takes a str, not {type(action).__name__}")
        if not self._running or self._read is None:
            raise gym.error.ResetNeeded("call reset() before step(): no episode is running")
        try:
            if len(action) > self.action_space.max_length:
                raise ValueError(f"longer than {self.action_space.max_length} characters")
            given = self._read(action)
        except ValueError as error:
            return self._bad(action, str(error), ended=False)
        self._running = False  # also if the step is interrupted: its answer may still come
        try:
            came = self._link.step(given)
        except Refused as error:
            return self._bad(action, str(error), ended=error.lost)
        text = self._shown(came)
        return text, *self._ended(action, text, came)

    def _ended(
        self, action: str, text: str, came: Came
    ) -> tuple[float, bool, bool, dict[str, Any]]:
        cut = came.done and self._truncated is not None and self._truncated(came.observation)
        self._running = not came.done
        stop = StopReason.TURN_LIMIT if cut else StopReason.ANSWERED if came.done else None
        reward = 0.0 if came.reward is None else float(came.reward)
        info = self._transcript.turn(action, text, reward, stop) | {
            "openenv": plain_fields(came.observation),
            "reward_given": came.reward is not None,
            "bad_action": "",
        }
        return reward, came.done and not cut, cut, info

    def close(self) -> None:
        """Close the connection or the environment."""
        self._running = False
        self._link.close()

    def _connect(self, source: Source) -> Link:
        if isinstance(source, str):
            if not re.match(r"(http|ws)s?://[^/]", source):
                raise ConfigurationError(
                    f"source={source!r:.200}; allowed: a URL such as http://127.0.0.1:8000"
                )
            source = GenericEnvClient(
                source, connect_timeout_s=self._timeout_s, message_timeout_s=self._timeout_s
            )
        link: Link
        if isinstance(source, Environment):
            link, client = InProcess(source), None
        elif isinstance(source, EnvClient | SyncEnvClient):
            sync = source if isinstance(source, SyncEnvClient) else source.sync()
            link, client = OnWire(sync), sync.async_client
        else:
            raise ConfigurationError(
                f"source={source!r:.80}; allowed: a URL, an EnvClient or an Environment object"
            )
        if isinstance(client, GenericEnvClient) and client.base_url is not None:
            self._schema_url = client.base_url
        elif self._read is None:
            raise ConfigurationError(
                f"a {type(source).__name__} does not tell what its actions are: give action_type, "
                "their class of actions, or read, a function of yours"
            )
        return link

    def _shown(self, came: Came) -> str:
        text = self._show(came.observation)
        if text not in self.observation_space:
            raise InfrastructureError(
                f"an observation of {len(text)} characters; raise max_chars",
                FailureKind.BAD_RESULT,
            )
        if came.reward is not None and not math.isfinite(came.reward):
            raise InfrastructureError(f"a reward of {came.reward!r}", FailureKind.BAD_RESULT)
        return text

    def _bad(
        self, action: str, reason: str, *, ended: bool
    ) -> tuple[str, float, bool, bool, dict[str, Any]]:
        text = f"This is no valid action, and nothing was done: {reason}"
        text = text[: self.observation_space.max_length]
        reward, self._running = self.bad_action_reward, not ended
        stop = StopReason.MALFORMED if ended else None
        info = self._transcript.turn(action, text, reward, stop) | {
            "openenv": None,
            "reward_given": True,
            "bad_action": reason,
        }
        return text, reward, ended, False, info

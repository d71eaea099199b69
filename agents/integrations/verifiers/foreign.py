"""``VerifiersEnv``: a taskset or an environment of verifiers (v1) as a Gymnasium environment."""

from __future__ import annotations

import copy
import functools
import weakref
from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any

import gymnasium as gym
import verifiers.v1 as vf

from agents.integrations.verifiers.driver import Driver
from agents.integrations.verifiers.ending import Ending
from agents.integrations.verifiers.endpoint import Asked
from agents.integrations.verifiers.messages import assistant_message, sendable, shown_messages
from agents.integrations.verifiers.sides import Run, side_of
from toolrl_env.core.checks import whole_number
from toolrl_env.core.errors import (
    ConfigurationError,
    InfrastructureError,
    UnknownName,
    WrongActionType,
)
from toolrl_env.core.types import FailureKind
from toolrl_env.envs.base import MAX_OBSERVATION_CHARS
from toolrl_env.parsing import MAX_CHARS
from toolrl_env.prompts.native import chatml
from toolrl_env.spaces import UnicodeText

__all__ = ["VerifiersEnv"]


class VerifiersEnv(gym.Env[str, str]):
    """Steps through verifiers' rollouts: whenever a harness asks the model, ``step`` is the model.

    ## Description
    Verifiers runs in a thread of its own, with its own harness, tools and scoring. Every request
    of the harness is an observation, and the action is the reply.

    ## Observation
    ``UnicodeText``: the conversation of the request as ChatML, with the tools that it offers;
    ``info`` has it as chat ``messages`` and ``tools``, and the name of the ``agent`` that asks.

    ## Action
    ``UnicodeText``: what the model says. Where tools are offered, calls are written in the protocol
    ``native`` and reach the harness as ``tool_calls``.

    ## Reward
    0 until the end; then the sum of verifiers' rewards, each times its weight, over the agents that
    are to be trained. ``info["reward"]`` has each of them, ``info["metrics"]`` the metrics.

    ## Episode end
    Terminates when the rollout does; truncates if a limit of verifiers' ended it. If something
    of theirs fails, ``reset`` or ``step`` raises ``InfrastructureError``: there is no reward.

    ## Arguments
    - ``source``: a ``Taskset``; or an ``Env`` or ``EnvConfig``, from whose configuration an
      environment is made for this object alone.
    - ``harness``: with a taskset, the id of a harness of verifiers'; by default ``ChatHarness``.
    - ``max_turns``: with a taskset, requests after which verifiers stops a rollout.
    - ``num_tasks``: use the first so many tasks; an endless taskset needs it.
    - ``timeout``: seconds that verifiers may take from an action to the next observation.

    Call ``close`` at the end: it ends the thread and waits for that.

    ## References
    https://github.com/PrimeIntellect-ai/verifiers, version 0.4.
    """

    metadata = {"render_modes": []}  # noqa: RUF012  # Gymnasium's API

    def __init__(
        self,
        source: vf.Taskset | vf.Env | vf.EnvConfig,
        *,
        harness: str | None = None,
        max_turns: int | None = None,
        num_tasks: int | None = None,
        timeout: float = 60.0,
    ) -> None:
        if not isinstance(timeout, Real) or not timeout > 0:
            raise ConfigurationError(f"timeout={timeout!r}; allowed: a number above 0")
        if max_turns is not None:
            whole_number("max_turns", max_turns, 1)
        self._make_side = functools.partial(side_of, source, harness, max_turns)
        taskset = self._make_side().taskset
        if num_tasks is not None:
            taskset = taskset.take(whole_number("num_tasks", num_tasks, 1))
        if not taskset.bounded:
            raise ConfigurationError(f"{type(taskset).__name__} is endless; give num_tasks")
        self.source: str = taskset.config.id or type(taskset).__name__
        self.tasks: tuple[vf.Task, ...] = tuple(taskset)
        if not self.tasks:
            raise ConfigurationError(f"{self.source} has no tasks")
        self.observation_space = UnicodeText(MAX_OBSERVATION_CHARS)
        self.action_space = UnicodeText(MAX_CHARS)
        self._timeout = timeout
        self._driver: Driver | None = None
        self._asked: Asked | None = None
        self._index = self._answers = 0
        self._said: dict[str, str] = {}
        self._shown: dict[str, Any] = {}
        self._observation = ""

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Start a rollout.

        Args:
            seed: Reseeds the choice of tasks.
            options: ``task_index`` picks the task; otherwise it is drawn at random.

        Raises:
            ConfigurationError: An option is unknown or out of range.
            InfrastructureError: Verifiers failed before the model was asked.
        """
        for name in options or ():
            if name != "task_index":
                raise UnknownName("reset option", name, ["task_index"])
        index = (options or {}).get("task_index")
        if index is not None:
            index = whole_number("task_index", index, 0, len(self.tasks) - 1)
        super().reset(seed=seed)
        drawn = index is None
        self._index = int(self.np_random.integers(len(self.tasks))) if drawn else index
        self._asked, self._answers = None, 0
        self._said.clear()
        if self._driver is None:
            self._driver = Driver(self._make_side, self._timeout)
            weakref.finalize(self, self._driver.abandon)
        came = self._hear(functools.partial(self._driver.begin, self.tasks[self._index]))
        if isinstance(came, Run):
            Ending.of(came)
            raise InfrastructureError("the rollout ended before the model was asked")
        self._show(came)
        return self._observation, self._info()

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Answer the request.

        Returns:
            The next request or, at the end, the last one with the answer appended; the reward;
            whether the rollout ended by itself; whether a limit ended it; and ``info``.

        Raises:
            WrongActionType: ``action`` is not a string.
            gymnasium.error.ResetNeeded: No rollout is running.
            InfrastructureError: Something of verifiers' failed: there is no reward.
        """
        if not isinstance(action, str):
            raise WrongActionType(f"step() takes a str, not {type(action).__name__}")
        asked, driver = self._asked, self._driver
        if asked is None or driver is None:
            raise gym.error.ResetNeeded("call reset() before step(): no rollout is running")
        text = sendable(action[:MAX_CHARS])
        message = assistant_message(text, self._answers, offered=bool(self._shown["tools"]))
        if "tool_calls" in message:
            self._said[message["tool_calls"][0]["id"]] = text
        self._answers += 1
        self._asked = None
        came = self._hear(functools.partial(driver.answer, asked, message))
        if isinstance(came, Asked):
            self._show(came)
            return self._observation, 0.0, False, False, self._info()
        ending = Ending.of(came)
        self._observation = (self._observation + text)[:MAX_OBSERVATION_CHARS]
        self._shown["messages"].append({"role": "assistant", "content": text})
        info = {**self._info(), **ending.as_info()}
        return self._observation, ending.reward, not ending.truncated, ending.truncated, info

    def gold_answer(self) -> str:
        """Raise: verifiers knows no gold answers.

        Raises:
            ConfigurationError: Always.
        """
        raise ConfigurationError("tasks of verifiers have no gold answer")

    def close(self) -> None:
        """Leave the rollout and end verifiers' thread. May be called again."""
        driver, self._driver, self._asked = self._driver, None, None
        if driver is not None and not driver.close():
            gym.logger.warn(f"verifiers' thread did not end within {self._timeout:g} s")

    def _hear(self, call: Callable[[], Asked | Run]) -> Asked | Run:
        """Return what comes; a driver that did not answer in time is not used again."""
        try:
            return call()
        except InfrastructureError as error:
            if error.kind is FailureKind.TIMEOUT and self._driver is not None:
                self._driver.abandon()
                self._driver = None
            raise

    def _show(self, asked: Asked) -> None:
        """Take in a request."""
        body: Mapping[str, Any] = asked.body
        tools = list(body.get("tools") or ())
        messages = shown_messages(body["messages"], self._said)
        observation = chatml(messages, tools)
        room = MAX_OBSERVATION_CHARS - MAX_CHARS
        if len(observation) > room:
            late = f"the request has {len(observation)} characters; {room} can be shown"
            raise InfrastructureError(late, FailureKind.BAD_RESULT)
        self._asked, self._observation = asked, observation
        self._shown = {"messages": messages, "tools": tools, "agent": asked.agent}

    def _info(self) -> dict[str, Any]:
        data = self.tasks[self._index].data
        return {
            "reward": {"total": 0.0},
            "metrics": {},
            "stop_condition": "",
            "stop_reason": None,
            "is_success": False,
            "task_id": data.id or data.name or f"{self.source}-{self._index}",
            "task_index": self._index,
            "source": self.source,
            "category": "",
            "is_sample": False,
            **copy.deepcopy(self._shown),
            "errors": [],
            "failure_kind": None,
            "failure": None,
            "mask_sample": False,
        }

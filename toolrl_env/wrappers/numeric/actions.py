"""What the numeric wrappers share: numbers in, an answer in text underneath, numbers out."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.types import ToolCall
from toolrl_env.envs.base import ToolUseEnv
from toolrl_env.parsing import AnswerProtocol
from toolrl_env.spaces import UnicodeText
from toolrl_env.wrappers.numeric.encoding import LIMIT, FloatVector

__all__ = ["REPLY", "Mask", "NumericActions", "flat", "write_answer"]

Mask = NDArray[np.bool_]
Action = TypeVar("Action")
REPLY = (
    "I cannot do this with a tool; could you tell me what is missing, or ask for something else?"
)
_CALL_THOUGHT = "This call fits the request."
_REPLY_THOUGHT = "No call fits the request."


def write_answer(protocol: AnswerProtocol, call: ToolCall | None, reply: str) -> str:
    """Return an answer with one call, or in words if there is none.

    A call that the protocol has no way of writing becomes the empty answer.
    """
    if call is None:
        return protocol.render((), think=_REPLY_THOUGHT, response=reply)
    try:
        return protocol.render((call,), think=_CALL_THOUGHT)
    except ConfigurationError:
        return ""


class NumericActions(gym.Wrapper[FloatVector, Action, str, str], abc.ABC, Generic[Action]):
    """A text environment with numeric actions and observations; subclasses say which.

    A subclass sets both spaces and implements ``_look`` and ``_answer``. What it shows and offers
    must depend on ``info["messages"]`` and ``info["tools"]`` alone.

    After the end of an episode by itself the observation is zeros: there is nothing to choose.

    Raises:
        ConfigurationError: The environment is not a ``ToolUseEnv`` that speaks text.
    """

    def __init__(self, env: gym.Env[str, str], reply: str) -> None:
        gym.Wrapper.__init__(self, env)  # pyright: ignore[reportUnknownMemberType]
        name = type(self).__name__
        base = env.unwrapped
        if not isinstance(base, ToolUseEnv):
            raise ConfigurationError(f"{name} takes a ToolUseEnv, not {type(base).__name__}")
        spaces = (env.observation_space, env.action_space)
        if not all(isinstance(space, UnicodeText) for space in spaces):
            raise ConfigurationError(
                f"{name} wraps text, and this environment has {spaces[0]} and {spaces[1]}: "
                f"put {name} directly around it"
            )
        self._protocol = base.protocol
        self._reply = reply
        self._mask: Mask = np.zeros(0, np.bool_)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[FloatVector, dict[str, Any]]:
        """Start an episode; ``info["action_mask"]`` says which actions mean something."""
        _, info = self.env.reset(seed=seed, options=options)
        observation, self._mask = self._look(info)
        info["action_mask"] = self._mask.copy()
        return observation, info

    def step(self, action: Action) -> tuple[FloatVector, float, bool, bool, dict[str, Any]]:
        """Answer.

        Args:
            action: A member of ``action_space``. One that the mask excludes is an answer like any
                other: an empty one, or a call that does not hold; it earns what that earns.

        Returns:
            As ``step`` of the environment, with numbers for the observation and ``info["answer"]``,
            the text that was sent.

        Raises:
            ConfigurationError: ``action`` is no member of ``action_space``.
            gymnasium.error.ResetNeeded: No episode is running.
        """
        return self.play(self._answer(action))

    def play(self, answer: str) -> tuple[FloatVector, float, bool, bool, dict[str, Any]]:
        """Send any text in the place of an action, e.g. an expert's; otherwise as ``step``."""
        _, reward, terminated, truncated, info = self.env.step(answer)  # pyright: ignore[reportArgumentType]  # Gymnasium mixes up its type variables
        if terminated:
            observation = np.zeros(self.observation_space.shape or (), np.float32)
        else:
            observation, self._mask = self._look(info)
        info["action_mask"] = self._mask.copy()
        info["answer"] = answer
        return observation, float(reward), terminated, truncated, info

    def action_masks(self) -> Mask:
        """Return which actions mean something now, as sb3-contrib's MaskablePPO asks for it."""
        return self._mask.copy()

    @abc.abstractmethod
    def _look(self, info: Mapping[str, Any]) -> tuple[FloatVector, Mask]:
        """Take in a state; return the observation and the mask."""

    @abc.abstractmethod
    def _answer(self, action: Action) -> str:
        """Return the text that an action means."""


def flat(
    rows: Sequence[FloatVector] | FloatVector, places: int, size: int, request: FloatVector
) -> FloatVector:
    """Return an observation: ``places`` rows of ``size`` numbers, then the encoded request.

    Rows that are missing are zeros. Numbers beyond 10 are cut to 10, on either side.
    """
    table = np.zeros((places, size), np.float32)
    if len(rows):
        table[: len(rows)] = rows
    return np.clip(np.concatenate((table.ravel(), request)), -LIMIT, LIMIT)

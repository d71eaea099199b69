"""``CandidateActions`` around the native vector environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Discrete
from gymnasium.vector import AutoresetMode, VectorEnv, VectorWrapper
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from toolrl_env.core.checks import whole_number
from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.types import ToolCall
from toolrl_env.envs.vector import ToolVectorEnv
from toolrl_env.wrappers.numeric.actions import REPLY, Mask, write_answer
from toolrl_env.wrappers.numeric.candidate_actions import CandidateLayout, view_candidates
from toolrl_env.wrappers.numeric.encoding import LIMIT, FloatVector, TextEncoder, checked_encoder

__all__ = ["VectorCandidateActions"]

StepResult = tuple[
    FloatVector, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]
]


class VectorCandidateActions(VectorWrapper):
    """What ``CandidateActions`` is to one environment, to the vector that ``gym.make_vec`` makes.

    Gymnasium takes ``wrappers=`` for the modes ``"sync"`` and ``"async"`` alone; this wraps our own
    vector. Observations, rewards and infos are those of a ``SyncVectorEnv`` of environments in
    ``CandidateActions``.

    Args:
        env: A vector of ours: ``gym.make_vec(id, num_envs=…)``.
        n: Number of actions.
        encoder: As for ``CandidateActions``.
        reply: What action 0 says.

    Attributes:
        layout: How the observation of one environment is laid out.

    Raises:
        ConfigurationError: ``env`` is another vector, ``n`` is below 2 or above 1024, or the
            encoder does not make vectors.
    """

    def __init__(
        self,
        env: VectorEnv[Any, Any, Any],
        n: int = 32,
        encoder: TextEncoder | None = None,
        reply: str = REPLY,
    ) -> None:
        super().__init__(env)
        vector = env.unwrapped
        if not isinstance(vector, ToolVectorEnv):
            raise ConfigurationError(
                f"VectorCandidateActions takes a ToolVectorEnv, not {type(vector).__name__}; in "
                "the modes 'sync' and 'async' use gym.make_vec(…, wrappers=[CandidateActions])"
            )
        n = whole_number("n", n, 2, 1024)
        self._vector, self._reply = vector, reply
        self._encoder, size = checked_encoder(encoder, 64)
        self.layout = CandidateLayout.of(n, size)
        self.single_action_space = Discrete(n)
        self.single_observation_space = Box(-LIMIT, LIMIT, (self.layout.size,), np.float32)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self._calls: list[tuple[ToolCall | None, ...]] = [()] * self.num_envs
        self._masks: list[Mask] = [np.zeros(n, np.bool_)] * self.num_envs
        self._shown = np.zeros((self.num_envs, self.layout.size), np.float32)

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[FloatVector, dict[str, Any]]:
        """Reset as the vector does; ``infos["action_mask"]`` says which actions mean something."""
        _, infos = self._vector.reset(seed=seed, options=options)
        for i in np.flatnonzero(infos["_messages"]).tolist():
            infos = self._began(infos, i)
        return self._shown.copy(), infos

    def step(self, actions: Sequence[int] | NDArray[np.integer[Any]]) -> StepResult:
        """Answer in every environment; what is due for a reset is reset, whatever its action.

        After an exception the vector must be reset.

        Raises:
            ConfigurationError: There is not one action for each environment, or one is no member of
                the action space.
        """
        if len(actions) != self.num_envs:
            raise ConfigurationError(f"{len(actions)} actions for {self.num_envs} environments")
        due = self._vector.finished.copy()
        answers = [self._answer(i, action) for i, action in enumerate(actions)]
        _, rewards, terminated, truncated, infos = self._vector.step(answers)
        same_step = self._vector.autoreset_mode is AutoresetMode.SAME_STEP
        for i, answer in enumerate(answers):
            if due[i]:
                infos = self._began(infos, i)
                continue
            ended = bool(terminated[i] or truncated[i])
            said = infos["final_info"] if same_step and ended else infos
            self._see(said, i, over=bool(terminated[i]))
            said = self._add_info(said, {"action_mask": self._masks[i], "answer": answer}, i)
            if said is not infos:
                infos["final_info"] = said
                infos["final_obs"][i] = self._shown[i].copy()
                infos = self._began(infos, i)
        return self._shown.copy(), rewards, terminated, truncated, infos

    def _began(self, infos: dict[str, Any], i: int) -> dict[str, Any]:
        """Look at the beginning of an episode."""
        self._see(infos, i, over=False)
        return self._add_info(infos, {"action_mask": self._masks[i]}, i)

    def _see(self, infos: Mapping[str, Any], i: int, *, over: bool) -> None:
        """Take in the state of an environment; after an end by itself there is nothing to see."""
        if over:
            self._shown[i] = 0.0
            return
        info = {"messages": infos["messages"][i], "tools": infos["tools"][i]}
        view = view_candidates(info, self.layout, self._encoder)
        self._calls[i], self._masks[i], self._shown[i] = view.calls, view.mask, view.observation

    def _answer(self, i: int, action: Any) -> str:
        index = whole_number(f"action {i}", action, 0, self.layout.places - 1)
        if index >= len(self._calls[i]):
            return ""
        return write_answer(self._vector.envs[i].protocol, self._calls[i][index], self._reply)

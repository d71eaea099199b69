"""The native vector environment: many episodes in one process, without wrappers in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from toolrl_env.core.checks import whole_number
from toolrl_env.core.errors import ConfigurationError, UnknownName, WrongActionType
from toolrl_env.envs.base import ToolUseEnv
from toolrl_env.envs.modes import EnvMaker
from toolrl_env.envs.workers import Workers, attempt, raise_first

__all__ = ["MAX_CONCURRENCY", "ToolVectorEnv"]

MAX_CONCURRENCY = 16
"""Environments whose tools wait are stepped so many at a time, if nothing else is said."""

Bools = NDArray[np.bool_]
_Advanced = tuple[str, float, bool, bool, dict[str, Any], dict[str, Any] | None]
T = TypeVar("T")
StepResult = tuple[tuple[str, ...], NDArray[np.float64], Bools, Bools, dict[str, Any]]


class ToolVectorEnv(VectorEnv[tuple[str, ...], Sequence[str], NDArray[Any]]):
    """``num_envs`` copies of one environment; what ``gym.make_vec`` makes by default.

    Observations, rewards and infos are those of ``SyncVectorEnv`` and ``AsyncVectorEnv`` for the
    same seeds. Tasks, prompts and validators are held once, so the cost of a step does not grow
    with the number of environments.

    Args:
        num_envs: How many.
        autoreset_mode: As in Gymnasium: ``NextStep`` (default), ``SameStep`` or ``Disabled``.
        max_concurrency: Environments that are stepped or reset at the same time, in threads, where
            their tools wait (``waits``); 1 for one after the other. Results, infos and random
            numbers are the same. Others, and those that draw on the screen, are never threaded.
        kwargs: For the environment.

    Attributes:
        finished: Which episodes are over and wait for their reset, ``[num_envs]`` booleans. With
            ``SameStep`` those whose reset has failed; the next step tries it again.

    Raises:
        ConfigurationError: ``num_envs``, ``autoreset_mode`` or ``max_concurrency`` is not allowed,
            or an argument of the environment is not.
    """

    env_class: ClassVar[type[ToolUseEnv] | EnvMaker]

    def __init__(
        self,
        num_envs: int = 1,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        max_concurrency: int = MAX_CONCURRENCY,
        **kwargs: Any,
    ) -> None:
        num_envs = whole_number("num_envs", num_envs, 1)
        modes = {mode.value: mode for mode in AutoresetMode}
        name = autoreset_mode.value if isinstance(autoreset_mode, AutoresetMode) else autoreset_mode
        if name not in modes:
            raise UnknownName("autoreset_mode", name, modes)
        self._workers = Workers(whole_number("max_concurrency", max_concurrency, 1))
        first = self.env_class(**kwargs)
        self.envs: list[ToolUseEnv] = [first, *first.fork(num_envs - 1)]
        self.num_envs = num_envs
        self.autoreset_mode = modes[name]
        self.metadata = {**first.metadata, "autoreset_mode": self.autoreset_mode}
        self.render_mode = first.render_mode
        self.single_observation_space = first.observation_space
        self.single_action_space = first.action_space
        self.observation_space = batch_space(first.observation_space, num_envs)
        self.action_space = batch_space(first.action_space, num_envs)
        self._texts = [""] * num_envs
        self.finished = np.zeros(num_envs, dtype=np.bool_)

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[tuple[str, ...], dict[str, Any]]:
        """Reset every environment, or those of ``options["reset_mask"]``.

        Args:
            seed: ``None``, one integer (environment ``i`` gets ``seed + i``), or one for each.
            options: As for one environment. ``task_index`` and ``task_id`` may also be a list with
                one entry for each environment.

        Raises:
            ConfigurationError: A list has not one entry for each environment, the mask selects
                nothing, or what one got is not allowed; the others are reset then, as in ``step``.
        """
        seeds = self._per_env("seed", seed, spread=True)
        chosen = dict(options or {})
        mask = chosen.pop("reset_mask", None)
        mask = np.ones(self.num_envs, dtype=np.bool_) if mask is None else self._checked(mask)
        lists = {
            key: self._per_env(key, chosen.pop(key))
            for key in ("task_index", "task_id")
            if isinstance(chosen.get(key), list | tuple | np.ndarray)
        }
        chosen_envs: list[int] = np.flatnonzero(mask).tolist()

        def begin(i: int) -> tuple[str, dict[str, Any]]:
            own = {**chosen, **{key: values[i] for key, values in lists.items()}}
            return self.envs[i].reset(seed=seeds[i], options=own or None)

        outcomes = self._for_each(begin, chosen_envs)
        infos: dict[str, Any] = {}
        for i, outcome in zip(chosen_envs, outcomes, strict=True):
            if not isinstance(outcome, Exception):
                (self._texts[i], info), self.finished[i] = outcome, False
                infos = self._add_info(infos, info, i)
        raise_first(outcomes, chosen_envs)
        return tuple(self._texts), infos

    def step(self, actions: Sequence[str]) -> StepResult:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Step every environment; finished ones are reset as ``autoreset_mode`` says.

        An environment that raises keeps no other from its step: all take theirs, then the first
        exception is raised, with a note of who raised. The others can be stepped on, from where
        ``finished`` says that they are.

        Raises:
            ConfigurationError: There is not one action for each environment, or, with
                ``Disabled``, a finished one was not reset. No environment has been stepped.
            WrongActionType: ``actions`` is no sequence, or an action is not a string; likewise.
        """
        self._check_actions(actions)
        if self.autoreset_mode is AutoresetMode.DISABLED and self.finished.any():
            over = np.flatnonzero(self.finished).tolist()
            raise ConfigurationError(f"environments {over} are finished: reset them first")
        rewards = np.zeros(self.num_envs, dtype=np.float64)
        terminations = np.zeros(self.num_envs, dtype=np.bool_)
        truncations = np.zeros(self.num_envs, dtype=np.bool_)
        everyone = range(self.num_envs)
        outcomes = self._for_each(lambda i: self._advance(i, actions[i]), everyone)
        infos: dict[str, Any] = {}
        for i, outcome in enumerate(outcomes):
            if isinstance(outcome, Exception):
                continue
            self._texts[i], rewards[i], terminated, truncated, info, final = outcome
            terminations[i], truncations[i] = terminated, truncated
            self.finished[i] = (terminated or truncated) and final is None
            if final is not None:
                infos = self._add_info(infos, final, i)
            infos = self._add_info(infos, info, i)
        raise_first(outcomes, everyone)
        return tuple(self._texts), rewards, terminations, truncations, infos

    def _advance(self, i: int, action: str) -> _Advanced:
        """Step environment ``i``, or reset it if its turn has come."""
        env, mode = self.envs[i], self.autoreset_mode
        if self.finished[i]:  # of the last step; with SAME_STEP, its reset failed
            text, info = env.reset()
            return text, 0.0, False, False, info, None
        text, reward, terminated, truncated, info = env.step(action)
        final = None
        if mode is AutoresetMode.SAME_STEP and (terminated or truncated):
            final = {"final_obs": text, "final_info": info}
            self.finished[i] = True
            text, info = env.reset()
        return text, float(reward), terminated, truncated, info, final

    def _for_each(self, function: Callable[[int], T], which: Sequence[int]) -> list[T | Exception]:
        """Do something with each environment: at the same time if their tools wait."""
        concurrent = self.envs[0].waits and self._workers.limit > 1 and len(which) > 1
        if concurrent and self.render_mode != "human":
            return self._workers.map(function, which)
        return [attempt(function, i) for i in which]

    def call(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Call a method of every environment (or read an attribute)."""
        found = [env.get_wrapper_attr(name) for env in self.envs]
        return tuple(value(*args, **kwargs) if callable(value) else value for value in found)

    def get_attr(self, name: str) -> tuple[Any, ...]:
        """Return an attribute of every environment."""
        return tuple(env.get_wrapper_attr(name) for env in self.envs)

    def set_attr(self, name: str, values: Any) -> None:
        """Set an attribute on every environment: one value for all, or a list with one for each."""
        many = isinstance(values, list | tuple)
        each: list[Any] = self._per_env(name, values) if many else [values] * self.num_envs
        for env, value in zip(self.envs, each, strict=True):
            env.set_wrapper_attr(name, value)

    def render(self) -> tuple[Any, ...] | None:
        """Return every environment's picture."""
        return tuple(env.render() for env in self.envs)

    def close_extras(self, **kwargs: Any) -> None:
        """Close every environment."""
        del kwargs
        self._workers.close()
        for env in self.envs:
            env.close()

    def _per_env(self, name: str, value: Any, *, spread: bool = False) -> list[Any]:
        if value is None:
            return [None] * self.num_envs
        if spread and not isinstance(value, list | tuple | np.ndarray):
            first = whole_number(name, value)
            return [first + i for i in range(self.num_envs)]
        values: list[Any] = np.asarray(value, dtype=object).tolist()
        if len(values) != self.num_envs:
            raise ConfigurationError(
                f"{name} has {len(values)} entries for {self.num_envs} environments"
            )
        return values

    def _check_actions(self, actions: Sequence[str]) -> None:
        """Check the actions before any environment takes one."""
        if isinstance(actions, str) or not isinstance(actions, Sequence | np.ndarray):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise WrongActionType(
                f"step() takes a list with one str for each environment, not {actions!r:.80}"
            )
        if len(actions) != self.num_envs:
            raise ConfigurationError(f"{len(actions)} actions for {self.num_envs} environments")
        for i, action in enumerate(actions):
            if not isinstance(action, str) and not self.finished[i]:  # pyright: ignore[reportUnnecessaryIsInstance]
                raise WrongActionType(f"action {i} is no str but {action!r:.80}")

    def _checked(self, mask: Any) -> Bools:
        array = np.asarray(mask)
        if array.dtype != np.bool_ or array.shape != (self.num_envs,) or not array.any():
            raise ConfigurationError(
                f"reset_mask must be {self.num_envs} booleans with at least one True, got {mask!r}"
            )
        return array

"""What every environment shares: choosing a task, showing it, its state, its picture."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import gymnasium as gym
from gymnasium.utils.seeding import np_random

from toolrl_env.core.checks import whole_number
from toolrl_env.core.errors import (
    ConfigurationError,
    SnapshotError,
    UnknownName,
    UnknownRenderMode,
    WrongActionType,
)
from toolrl_env.core.types import RewardBreakdown, Task
from toolrl_env.data.source import TaskSource
from toolrl_env.envs.prepare import PreparedTask, TaskPreparer
from toolrl_env.envs.rewards import answer_reward
from toolrl_env.envs.snapshot import EnvSnapshot
from toolrl_env.parsing import MAX_CHARS, get_protocol
from toolrl_env.prompts import ChatTemplate, Prompter, TemplateSource
from toolrl_env.rewards import RewardConfig
from toolrl_env.spaces import UnicodeText

__all__ = ["MAX_OBSERVATION_CHARS", "ToolUseEnv"]

MAX_OBSERVATION_CHARS = 262_144
_OPTIONS = ("task_id", "task_index", "training_step")
_RENDER_MODES = ("ansi", "human")
_ATOMS = (str, int, float, type(None))


class ToolUseEnv(gym.Env[str, str]):
    """A tool-use task as an environment over text. Subclasses implement ``step``.

    Args:
        tasks: Where the tasks come from.
        protocol: How the model writes calls: ``"toolrl"``, ``"native"`` or ``"python"``.
        template: The prompt's skeleton (see ``toolrl_env.prompts``): a ``PromptTemplate``, a name,
            a file, or a real row to derive it from. ``None``: rows with a prompt of their own keep
            it, others get ours.
        chat_template: ``f(messages, tools) -> str`` that renders the observation, e.g. a
            tokenizer's ``apply_chat_template``. ``None``: our plain rendering.
        reward: A ``RewardConfig`` or the name of a preset.
        strict: Add the term ``validation``: the share of calls that satisfy the tools' schemas.
        max_chars: Longest answer read, in characters; the rest is cut off and the answer is
            scored as malformed.
        render_mode: ``"ansi"``, ``"human"`` or ``None``.

    Raises:
        ConfigurationError: An argument is not allowed; the message names it and what is.
    """

    waits: bool = False
    """Whether a step waits for what is outside of this process; vectors then use threads."""
    _shared: ClassVar[frozenset[str]] = frozenset(
        {"_breakdown", "_current", "_prepare", "protocol", "reward_config", "spec", "tasks"}
    )
    metadata = {"render_modes": list(_RENDER_MODES), "render_fps": 4}  # noqa: RUF012  # Gymnasium's API

    def __init__(
        self,
        tasks: TaskSource,
        *,
        protocol: str = "toolrl",
        template: TemplateSource | None = None,
        chat_template: ChatTemplate | None = None,
        reward: RewardConfig | str = "toolrl",
        strict: bool = False,
        max_chars: int = MAX_CHARS,
        render_mode: str | None = None,
    ) -> None:
        if render_mode is not None and render_mode not in _RENDER_MODES:
            unknown = UnknownName("render_mode", render_mode, _RENDER_MODES)
            raise UnknownRenderMode(str(unknown))
        self.tasks = tasks
        self.protocol = get_protocol(protocol)
        self.reward_config = answer_reward(reward, strict=strict)
        self.max_chars = whole_number("max_chars", max_chars, 1, MAX_OBSERVATION_CHARS // 2)
        self.render_mode = render_mode
        prompter = Prompter(protocol, template, chat_template)
        self._prepare = TaskPreparer(tasks, prompter, MAX_OBSERVATION_CHARS - self.max_chars)
        self.observation_space = UnicodeText(MAX_OBSERVATION_CHARS)
        self.action_space = UnicodeText(self.max_chars)
        self._training_step = 0
        self._current: PreparedTask | None = None
        self._observation = ""
        self._done = True
        self._breakdown: RewardBreakdown | None = None

    # ------------------------------------------------------------------ episode

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Start an episode.

        Args:
            seed: A non-negative integer reseeds ``np_random``; ``None`` goes on with it.
            options: ``task_index`` or ``task_id`` pick the task (otherwise it is drawn at random);
                ``training_step`` (kept until it is set again) is what scheduled rewards depend on.

        Returns:
            The conversation as text, and ``info``.

        Raises:
            ConfigurationError: The seed is no integer >= 0, or an option is unknown or out of
                range. Nothing has changed then.
            DataError: The prompt of the task is longer than an observation may be.
            InfrastructureError: The task's world cannot be opened; no episode is running then.
        """
        index = self._read_options(options) if options else None
        if seed is not None:
            super().reset(seed=whole_number("seed", seed))
        if options and options.get("training_step") is not None:
            self.training_step = options["training_step"]
        current = self._prepare(self.tasks.draw(self.np_random) if index is None else index)
        self._current = current
        self._observation = current.observation
        self._breakdown = None
        self._done = True
        self._begin_episode(current)
        self._done = False
        if self.render_mode == "human":
            self.render()
        return current.observation, current.info()

    def _begin_episode(self, current: PreparedTask) -> None:
        """Set up what a subclass adds to an episode."""

    def _read_options(self, options: Mapping[str, Any]) -> int | None:
        """Check every option and return the index of the task that they ask for, if they do."""
        if not isinstance(options, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError(f"options must be a dict or None, not {options!r:.80}")
        for key in options:
            if key not in _OPTIONS:
                raise UnknownName("reset option", key, _OPTIONS)
        if options.get("training_step") is not None:
            whole_number("training_step", options["training_step"])
        index, task_id = options.get("task_index"), options.get("task_id")
        if index is not None and task_id is not None:
            raise ConfigurationError("give task_index or task_id, not both")
        if task_id is not None:
            if not isinstance(task_id, str):
                raise ConfigurationError(f"task_id={task_id!r:.80}; allowed: a str")
            return self.tasks.index_of(task_id)
        if index is None:
            return None
        size = self.tasks.size
        return whole_number("task_index", index, 0, None if size is None else size - 1)

    def _begin_step(self, action: str) -> PreparedTask:
        """Check that a step is possible and return the current task."""
        if not isinstance(action, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise WrongActionType(
                f"step() takes the model's answer as a str, not {type(action).__name__}: "
                f"{str(action)[:80]!r}. For numeric actions, wrap the environment first."
            )
        if self._done or self._current is None:
            raise gym.error.ResetNeeded("call reset() before step(): no episode is running")
        return self._current

    # ------------------------------------------------------------------ what a caller may ask

    @property
    def task(self) -> Task:
        """The current task.

        Raises:
            gymnasium.error.ResetNeeded: Nothing was reset yet.
        """
        if self._current is None:
            raise gym.error.ResetNeeded("call reset() first: there is no task yet")
        return self._current.task

    def gold_answer(self) -> str:
        """Return the current task's gold answer, written in this environment's protocol."""
        return self.protocol.render_gold(self.task.gold)

    @property
    def training_step(self) -> int:
        """The trainer's step, on which scheduled rewards depend."""
        return self._training_step

    @training_step.setter
    def training_step(self, value: int) -> None:
        self._training_step = whole_number("training_step", value)

    # ------------------------------------------------------------------ state

    def state_hash(self) -> str | None:
        """Return a hash of the world's state, the same in every process; ``None`` without one."""
        return None

    def snapshot(self) -> EnvSnapshot:
        """Return the whole state, RNG included."""
        rng = self._np_random
        return EnvSnapshot(
            fingerprint=self.tasks.fingerprint,
            rng=None if rng is None else copy.deepcopy(rng.bit_generator.state),
            rng_seed=self._np_random_seed,
            task_index=None if self._current is None else self._current.index,
            training_step=self._training_step,
            observation=self._observation,
            done=self._done,
            breakdown=self._breakdown,
            extra=self._extra_state(),
        )

    def restore(self, snapshot: EnvSnapshot) -> None:
        """Go back to a state that ``snapshot`` returned, here or in another process.

        Raises:
            SnapshotError: It is no snapshot, or was taken on other tasks or with other prompts.
                Nothing has changed then.
        """
        if not isinstance(snapshot, EnvSnapshot):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise SnapshotError(f"restore() takes what snapshot() returned, not {snapshot!r:.80}")
        if snapshot.fingerprint != self.tasks.fingerprint:
            raise SnapshotError(
                f"the snapshot is of task set {snapshot.fingerprint[:12]}, "
                f"this environment has {self.tasks.fingerprint[:12]}"
            )
        index = snapshot.task_index
        current = None if index is None else self._prepare(index)
        if current is not None and not snapshot.observation.startswith(current.observation):
            raise SnapshotError(
                f"the snapshot's prompt of task {current.task.id!r} is not this environment's: "
                "protocol, template or chat_template differ"
            )
        self._np_random = None
        if snapshot.rng is not None:
            self._np_random, _ = np_random(0)
            self._np_random.bit_generator.state = copy.deepcopy(dict(snapshot.rng))
        self._np_random_seed = snapshot.rng_seed
        self._current = current
        self._training_step = snapshot.training_step
        self._observation = snapshot.observation
        self._done = snapshot.done
        self._breakdown = snapshot.breakdown
        self._restore_extra(snapshot.extra)

    def _extra_state(self) -> object:
        """Return what a subclass adds to the state; picklable, and never changed afterwards."""
        return None

    def _restore_extra(self, extra: object) -> None:
        """Put back what ``_extra_state`` returned, sharing nothing that changes."""

    def fork(self, n: int) -> list[Self]:
        """Return ``n`` independent copies of this environment in its present state.

        The tasks and their prompts are shared, being immutable; nothing else is.

        Raises:
            ConfigurationError: ``n`` is no integer >= 0.
        """
        return [copy.deepcopy(self) for _ in range(whole_number("n", n))]

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Copy the state, a subclass's own included; share what is immutable."""
        clone = copy.copy(self)
        memo[id(self)] = clone
        for name, value in vars(self).items():
            if name not in self._shared and not isinstance(value, _ATOMS):
                setattr(clone, name, copy.deepcopy(value, memo))
        clone._restore_extra(self._extra_state())
        return clone

    # ------------------------------------------------------------------ picture

    def render(self) -> str | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return the conversation and the reward as coloured text, or print them (``human``)."""
        from toolrl_env.envs.render import render_episode

        if self.render_mode is None:
            gym.logger.warn("render() does nothing without render_mode='ansi' or 'human'")
            return None
        return render_episode(
            self._current, self._played(), self._breakdown, to_screen=self.render_mode == "human"
        )

    def _played(self) -> str:
        """Return what has been said since the prompt, to be drawn."""
        return self._observation[len(self._current.observation) :] if self._current else ""

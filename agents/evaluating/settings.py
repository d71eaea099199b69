"""Everything that can move a score, gathered before the first answer is asked for."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import json
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import agents
import toolrl_env
from agents.files import source_hash
from toolrl_env.core.errors import ConfigurationError, DataError, InfrastructureError
from toolrl_env.core.session import TaskSource
from toolrl_env.envs.base import ToolUseEnv
from toolrl_env.envs.multi_turn import MultiTurnEnv
from toolrl_env.wrappers.arguments import encode_arguments

__all__ = ["Settings", "choose_tasks", "gather"]

_LIBRARIES = ("gymnasium", "numpy", "openai", "tokenizers", "torch", "transformers")


@dataclass(frozen=True)
class Settings:
    """What two runs must share to be one run, and to be compared without a word.

    Attributes:
        env_id: Registered id.
        env_kwargs: Keyword arguments of ``gym.make``, JSON-like.
        protocol: How calls are written.
        template: The prompt's skeleton, as it was given; ``None`` for the default.
        reward: The reward's configuration, field by field.
        split: Split of the data.
        is_sample: Whether the tasks are the project's own sample instead of the dataset.
        fingerprint: Fingerprint of the task set.
        prompt_sha256: SHA-256 over what the model is shown first in each task, tools included.
        tasks: Indices of the tasks.
        attempts: Attempts at each.
        seed: Seed of the choice of tasks and of every answer.
        agent: The agent, as it was asked for.
        agent_settings: What the agent says of itself: sampling, model, weights …
        versions: Versions of Python and of libraries, and SHA-256 over this project's code and over
            the module of the environment's class, if it is from elsewhere.
    """

    env_id: str
    env_kwargs: Mapping[str, Any]
    protocol: str
    template: str | None
    reward: Mapping[str, Any]
    split: str
    is_sample: bool
    fingerprint: str
    prompt_sha256: str
    tasks: tuple[int, ...]
    attempts: int
    seed: int
    agent: str
    agent_settings: Mapping[str, Any]
    versions: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """Return the settings as JSON-like values."""
        return json.loads(json.dumps(dataclasses.asdict(self), allow_nan=False))

    @classmethod
    def from_json(cls, fields: Mapping[str, Any], where: Path) -> Settings:
        """Return what ``as_json`` returned.

        Raises:
            DataError: Fields are missing or there are others.
        """
        names = [field.name for field in dataclasses.fields(cls)]
        if sorted(fields) != sorted(names):
            raise DataError(f"{where}: the settings have the fields {sorted(fields)}, not {names}")
        return cls(**{**fields, "tasks": tuple(fields["tasks"])})

    def differences(self, other: Settings) -> dict[str, tuple[Any, Any]]:
        """Return what differs, by dotted name: the value here and there."""
        mine, others = _flat(self.as_json()), _flat(other.as_json())
        return {
            name: (mine.get(name), others.get(name))
            for name in dict.fromkeys((*mine, *others))
            if mine.get(name) != others.get(name)
        }


def choose_tasks(tasks: TaskSource, episodes: int, seed: int) -> tuple[int, ...]:
    """Return the indices of the tasks to play, in order.

    Args:
        tasks: Where they come from.
        episodes: How many; 0 for all. A set with fewer gives all it has.
        seed: Picks them, if not all are taken.

    Raises:
        ConfigurationError: All of an endless source.
    """
    rng = np.random.default_rng(seed)
    if tasks.size is None:
        if episodes == 0:
            raise ConfigurationError(f"episodes=0 means all, but {tasks.name} has no end of tasks")
        drawn: dict[int, None] = {}
        while len(drawn) < episodes:
            drawn[tasks.draw(rng)] = None
        return tuple(sorted(drawn))
    if episodes == 0 or episodes >= tasks.size:
        return tuple(range(tasks.size))
    return tuple(sorted(rng.choice(tasks.size, episodes, replace=False).tolist()))


def gather(
    env: ToolUseEnv,
    tasks: Sequence[int],
    *,
    attempts: int,
    seed: int,
    agent: str,
    agent_settings: Mapping[str, Any],
) -> Settings:
    """Return the settings of a run. Every task is reset once, for the prompts' hash.

    Args:
        env: Made by ``gym.make``, unwrapped.
        tasks: Indices of the tasks.
        attempts: Attempts at each.
        seed: Seed of the run.
        agent: The agent, as it was asked for.
        agent_settings: What it says of itself; JSON-like.

    Raises:
        ConfigurationError: The environment has arguments that a file cannot carry.
        InfrastructureError: A task cannot be shown; names it.
    """
    assert env.spec is not None, "made by gym.make"
    kwargs = encode_arguments(env.spec.kwargs)
    template = kwargs.get("template")
    reward = env.episode_reward if isinstance(env, MultiTurnEnv) else env.reward_config
    return Settings(
        env_id=env.spec.id,
        env_kwargs=kwargs,
        protocol=env.protocol.name,
        template=None if template is None else json.dumps(template),
        reward=_described(reward),
        split=env.tasks.split,
        is_sample=env.tasks.is_sample,
        fingerprint=env.tasks.fingerprint,
        prompt_sha256=_prompt_hash(env, tasks),
        tasks=tuple(tasks),
        attempts=attempts,
        seed=seed,
        agent=agent,
        agent_settings=agent_settings,
        versions=versions() | _env_source(env),
    )


def _prompt_hash(env: ToolUseEnv, tasks: Sequence[int]) -> str:
    digest = hashlib.sha256()
    for index in tasks:
        try:
            observation, info = env.reset(seed=0, options={"task_index": index})
        except InfrastructureError as error:
            raise InfrastructureError(
                f"task {index} cannot be shown, so nothing was played: {error}", error.kind
            ) from error
        shown = json.dumps([observation, info["messages"], info["tools"]])
        digest.update(shown.encode("ascii") + b"\n")
    return digest.hexdigest()


def versions() -> dict[str, str]:
    """Return the versions of Python and of libraries, and a SHA-256 over this project's code."""
    found = {"python": platform.python_version(), "toolrl_env": toolrl_env.__version__}
    for name in _LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    digest = hashlib.sha256()
    for package in (toolrl_env, agents):
        root = Path(str(package.__file__)).parent
        for file in sorted(root.rglob("*.py")):
            digest.update(file.relative_to(root).as_posix().encode() + b"\n" + file.read_bytes())
    return found | {"code_sha256": digest.hexdigest()}


def _env_source(env: ToolUseEnv) -> dict[str, str]:
    """Return the hash of the module of an environment's class, if it is from elsewhere."""
    module = sys.modules[type(env).__module__]
    if module.__name__.partition(".")[0] == toolrl_env.__name__:
        return {}
    return {"env_source_sha256": source_hash(module)}


def _described(value: object) -> Any:
    """Return a configuration as JSON-like values; a function by its name."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: _described(value.__dict__[field.name])
            for field in dataclasses.fields(value)
            if field.init
        }
    if isinstance(value, Mapping):
        return {str(key): _described(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_described(item) for item in value]
    if isinstance(value, Callable):  # type: ignore[arg-type]
        return f"{value.__module__}.{value.__qualname__}"
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _flat(fields: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in fields.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat

"""The arguments that choose an environment, shared by the commands that make one."""

from __future__ import annotations

import dataclasses
import importlib
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import gymnasium as gym
import tyro
from gymnasium.envs.registration import EnvSpec

from toolrl_env.core.errors import ConfigurationError, UnknownName
from toolrl_env.envs.base import ToolUseEnv

__all__ = ["EnvironmentChoice", "import_module", "make_environment"]


@dataclass(frozen=True, kw_only=True)
class EnvironmentChoice:
    """Which environment, and on which tasks.

    Attributes:
        env: A registered id, e.g. ToolRL-ToolACE-v0, or module:Id for one of your own.
        data: A file of the real dataset, or hub; without it, our sample.
        split: train, validation, test or all.
        protocol: How calls are written: toolrl, native or python.
        template: Prompt skeleton: a name (default, short) or a file.
        reward: Reward preset, for environments of one answer and recorded dialogues.
        episode_reward: Reward preset of whole episodes, for environments of several answers.
        strict: Add the term that checks calls against the tools' schemas.
        mode: single_turn, or multi_turn to go through whole recorded dialogues.
        level: API-Bank level, 1 to 3.
        difficulty: 1 to 5 for Toolbox tasks, 1 to 12 for Workspace ones; without it, mixed.
        category: Category of BFCL tasks.
    """

    env: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="ENV")]
    data: Annotated[str | None, tyro.conf.arg(metavar="FILE|hub")] = None
    split: str = "train"
    protocol: str = "toolrl"
    template: Annotated[str | None, tyro.conf.arg(metavar="NAME|FILE")] = None
    reward: str = "toolrl"
    episode_reward: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    strict: bool = False
    mode: str = "single_turn"
    level: Annotated[int | None, tyro.conf.arg(metavar="1-3")] = None
    difficulty: Annotated[int | None, tyro.conf.arg(metavar="N")] = None
    category: str | None = None

    def arguments(self) -> dict[str, Any]:
        """Return the arguments for ``gym.make`` that differ from the defaults here."""
        return {
            field.name: self.__dict__[field.name]
            for field in dataclasses.fields(EnvironmentChoice)
            if field.name != "env" and self.__dict__[field.name] != field.default
        }


def make_environment(choice: EnvironmentChoice) -> gym.Env[str, str]:
    """Make the environment.

    Raises:
        UnknownName: No such id.
        ConfigurationError: Its module cannot be imported, it does not take an argument that was
            given, or it is none of ours.
    """
    module, _, name = choice.env.rpartition(":")
    if module:
        import_module(module)
    if name not in gym.registry:
        raise UnknownName("environment", name, _ids())
    try:
        env: gym.Env[str, str] = gym.make(name, **choice.arguments())
    except TypeError as error:
        wrong = re.search(r"unexpected keyword argument '(\w+)'", str(error))
        if wrong is None:
            raise
        raise ConfigurationError(f"{name} takes no argument {wrong[1]!r}") from error
    if not isinstance(env.unwrapped, ToolUseEnv):
        raise ConfigurationError(f"{name} is no tool-use environment; there are: {_ids()}")
    return env


def import_module(name: str) -> None:
    """Import a module of the user's, also from the current directory, as ``python -m`` would.

    Raises:
        ConfigurationError: It cannot be imported.
    """
    if not {"", str(Path.cwd())} & set(sys.path):
        sys.path.insert(0, "")
    try:
        importlib.import_module(name)
    except ImportError as error:
        raise ConfigurationError(f"cannot import {name!r}: {error}") from error


def _ids() -> list[str]:
    """Return the registered ids that Gymnasium does not bring itself."""
    return sorted(name for name, spec in gym.registry.items() if not _is_gymnasium(spec))


def _is_gymnasium(spec: EnvSpec) -> bool:
    maker = spec.entry_point
    module = maker if isinstance(maker, str) or maker is None else maker.__module__
    return module is None or module.startswith("gymnasium.")

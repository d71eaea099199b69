"""``check_environment``: the promises of an environment."""

from __future__ import annotations

import copy
import json
import math
import pickle
import warnings
from collections.abc import Callable
from typing import Any, cast

import gymnasium as gym

from toolrl_env.core.errors import ConfigurationError, ContractViolation, WrongActionType
from toolrl_env.core.types import RewardBreakdown
from toolrl_env.data import SampleDataWarning, gold_errors
from toolrl_env.envs.base import ToolUseEnv
from toolrl_env.envs.multi_turn import MultiTurnEnv
from toolrl_env.spaces import UnicodeText
from toolrl_env.testing.episodes import check_gold_episodes, check_unreadable_answers
from toolrl_env.testing.requirement import JUNK, must_raise, require

__all__ = ["check_environment"]

INFO_KEYS = ("category", "is_sample", "messages", "source", "task_id", "task_index", "tools")
_TOLERANCE = 1e-12
_LONGEST_EPISODE = 1000

Make = Callable[[], gym.Env[str, str]]


def check_environment(
    env: gym.Env[str, str] | str, *, episodes: int = 25, vector: bool = True, **kwargs: Any
) -> None:
    """Check that an environment keeps every promise of this package's own.

    It passes Gymnasium's ``check_env`` without warnings; its spaces, ``info`` and rewards have the
    documented form; equal seeds give equal episodes; the gold answer earns the maximum; junk earns
    less, with a reason; misuse raises; snapshots and forks share nothing; for an id, sync, async
    and native vectors agree.

    Args:
        env: A registered id, or an environment built on ``ToolUseEnv``.
        episodes: Episodes on which the gold answer is tried.
        vector: Whether to check the vector forms, which starts processes. Ids only.
        kwargs: Arguments for ``gym.make``, with an id.

    Raises:
        ContractViolation: A promise is not kept.
        ConfigurationError: ``env`` is not built on ``ToolUseEnv``, or arguments come without an id.
    """
    if isinstance(env, str):
        env_id = env

        def make() -> gym.Env[str, str]:
            return gym.make(env_id, **kwargs)
    else:
        if kwargs:
            raise ConfigurationError(f"arguments {', '.join(kwargs)} need an id to make anew")

        def make() -> gym.Env[str, str]:
            return copy.deepcopy(env)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SampleDataWarning)
        base = _base(make())
        subject = env if isinstance(env, str) else type(base).__name__
        _check_gymnasium(subject, base)
        _check_form(subject, _base(make()))
        _check_seeding(subject, make)
        _check_options(subject, _base(make()))
        if isinstance(base, MultiTurnEnv):
            check_gold_episodes(subject, cast("MultiTurnEnv", _base(make())), episodes)
            check_unreadable_answers(subject, cast("MultiTurnEnv", _base(make())))
        else:
            _check_gold(subject, _base(make()), episodes)
            _check_junk(subject, _base(make()))
        _check_misuse(subject, _base(make()))
        _check_state(subject, make)
        if vector and isinstance(env, str):
            from toolrl_env.testing.vector import check_vectors

            check_vectors(env, kwargs)


def _base(env: gym.Env[str, str]) -> ToolUseEnv:
    base = env.unwrapped
    if not isinstance(base, ToolUseEnv):
        raise ConfigurationError(f"{type(base).__name__} is not built on ToolUseEnv")
    return base


def _check_gymnasium(subject: str, env: ToolUseEnv) -> None:
    from gymnasium.utils.env_checker import check_env

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", SampleDataWarning)
        try:
            check_env(env, skip_render_check=True)
        except (AssertionError, Warning, gym.error.Error) as error:
            raise ContractViolation(
                f"{subject}: gymnasium's check_env does not pass without warnings: {error}"
            ) from error


def _check_form(subject: str, env: ToolUseEnv) -> None:
    for name, space in (("observation", env.observation_space), ("action", env.action_space)):
        require(isinstance(space, UnicodeText), subject, f"the {name} space must be UnicodeText")
    observation, info = env.reset(seed=0)
    require(observation in env.observation_space, subject, "reset must return text of the space")
    missing = [key for key in INFO_KEYS if key not in info]
    require(not missing, subject, f"info after reset lacks {', '.join(missing)}")
    try:
        json.dumps([info["messages"], info["tools"]])
    except (TypeError, ValueError) as error:
        raise ContractViolation(f"{subject}: messages and tools must be JSON: {error}") from error
    for message in info["messages"]:
        shown = message["content"] in observation
        require(shown, subject, f"the observation lacks the {message['role']} message")
    for tool in info["tools"]:
        schema = tool["function"]["parameters"]
        require(schema.get("type") == "object", subject, f"no object schema: {tool!r:.200}")
    _, reward, terminated, truncated, info = env.step("<think> x </think>")
    _check_reward(subject, float(reward), info)
    require(not (terminated and truncated), subject, "a step must not terminate and truncate")


def _check_reward(subject: str, reward: float, info: dict[str, Any]) -> None:
    for key in ("reward", "breakdown", "errors", "results", "stop_reason"):
        require(key in info, subject, f"info after step lacks {key!r}")
    breakdown = info["breakdown"]
    require(isinstance(breakdown, RewardBreakdown), subject, "breakdown must be a RewardBreakdown")
    flat = info["reward"]
    floats = all(type(value) is float for value in flat.values())
    require(floats, subject, f"info['reward'] must be flat floats: {flat!r:.200}")
    require(reward == flat["total"] == breakdown.total, subject, "the totals must be one number")
    total = sum(term.weight * term.score for term in breakdown.terms)
    close = math.isclose(total, reward, abs_tol=_TOLERANCE)
    require(close, subject, f"the terms add up to {total}, the reward is {reward}")
    for term in breakdown.terms:
        inside = term.low <= term.score <= term.high
        require(inside, subject, f"{term.name} = {term.score} is outside of its range")


def _check_seeding(subject: str, make: Make) -> None:
    from gymnasium.utils.env_checker import data_equivalence

    first, second = make(), make()
    for seed in range(5):
        for given in (seed, None):
            same = data_equivalence(first.reset(seed=given), second.reset(seed=given), exact=True)
            require(same, subject, f"two runs differ after reset(seed={given})")
            same = data_equivalence(first.step("x"), second.step("x"), exact=True)
            require(same, subject, f"two runs differ after a step from seed {seed}")


def _check_options(subject: str, env: ToolUseEnv) -> None:
    _, info = env.reset(options={"task_index": 0})
    require(info["task_index"] == 0, subject, "reset must obey task_index")
    _, again = env.reset(options={"task_id": info["task_id"]})
    require(again["task_index"] == 0, subject, "reset must obey task_id")
    env.reset(options={"training_step": 3})
    require(env.training_step == 3, subject, "reset must obey training_step")
    for options in ({"task_indx": 0}, {"task_index": -1}, {"training_step": -1}):
        with must_raise(ConfigurationError, subject, f"reset(options={options})"):
            env.reset(options=options)
    with must_raise(ConfigurationError, subject, "reset(seed=-1)"):
        env.reset(seed=-1)


def _check_gold(subject: str, env: ToolUseEnv, episodes: int) -> None:
    for seed in range(episodes):
        env.reset(seed=seed)
        low, high = env.reward_config.bounds(env.task.gold, env.training_step)
        require(low < high, subject, f"task {env.task.id}: nothing can be earned")
        gold = env.gold_answer()
        _, reward, _, _, info = env.step(gold)
        best = math.isclose(reward, high, abs_tol=_TOLERANCE)
        said = f"task {env.task.id}: the gold answer earns {reward} of {high}: {info['errors']}"
        require(best, subject, said)
        require(not info["errors"] or bool(gold_errors(env.task)), subject, said)


def _check_junk(subject: str, env: ToolUseEnv) -> None:
    for seed, junk in enumerate((*JUNK, "x" * (env.max_chars + 1))):
        env.reset(seed=seed)
        low, high = env.reward_config.bounds(env.task.gold, env.training_step)
        observation, reward, _, _, info = env.step(junk)
        reward, label = float(reward), f"answer {junk[:20]!r}"
        require(observation in env.observation_space, subject, f"{label}: no text of the space")
        require(low <= reward < high, subject, f"{label} earns {reward}, not in [{low}, {high})")
        require(bool(info["errors"]), subject, f"{label}: no error says what is wrong")


def _check_misuse(subject: str, env: ToolUseEnv) -> None:
    with must_raise(gym.error.ResetNeeded, subject, "step before reset"):
        env.step("x")
    env.reset(seed=0)
    with must_raise(WrongActionType, subject, "step(3)"):
        env.step(3)  # pyright: ignore[reportArgumentType]
    for _ in range(_LONGEST_EPISODE):
        _, _, terminated, truncated, _ = env.step("x")
        if terminated or truncated:
            break
    else:
        require(False, subject, f"an episode must end within {_LONGEST_EPISODE} steps")
    with must_raise(gym.error.ResetNeeded, subject, "step after the end"):
        env.step("x")


def _check_state(subject: str, make: Make) -> None:
    from gymnasium.utils.env_checker import data_equivalence

    env, other = _base(make()), _base(make())
    env.reset(seed=7)
    snapshot = pickle.loads(pickle.dumps(env.snapshot()))
    forks = env.fork(2)
    gold = env.gold_answer()
    future = [env.step(gold), env.reset()]
    forks[0].step("x")
    other.restore(snapshot)
    for name, twin in (("restore", other), ("fork", forks[1])):
        try:
            same = data_equivalence([twin.step(gold), twin.reset()], future, exact=True)
        except gym.error.ResetNeeded:
            same = False
        require(same, subject, f"after {name} the future is another")

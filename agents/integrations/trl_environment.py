"""Tasks as environments of TRL: it plays the turns, and a task's tools are an object's methods.

TRL finds tools on the class, so the tasks of one class have the same tools. Tasks with other tools
get another class, and the dataset's column ``environment`` says which.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from datasets import Dataset

from agents.env_kwargs import make_env
from agents.integrations.pool import EnvPool, PooledEpisode
from agents.integrations.tasks import TaskRef, TaskRow, task_rows
from agents.integrations.trl_dataset import rows_dataset
from agents.integrations.trl_reward import LogExtra, LogMetric, Scored, in_words, report, sum_terms
from agents.integrations.trl_schema import tool_method
from toolrl_env.core.errors import ConfigurationError, InfrastructureError, UnknownName
from toolrl_env.core.frozen import thaw
from toolrl_env.core.types import ToolCall
from toolrl_env.envs.multi_turn import MultiTurnEnv
from toolrl_env.parsing import get_protocol

__all__ = ["ToolEnvironment", "ToolEnvironments", "environment_reward", "trl_environments"]

_PROTOCOL = "native"
_UNHEARD = "Done."
"""What ``get_reward`` tells the environment in the place of the model's last words."""

Tools = tuple[dict[str, Any], ...]


class Rollout:
    """What a ``ToolEnvironment`` plays: one episode after another.

    Args:
        pool: Where the environments are kept.
        tools: The tools that every task must have.
    """

    def __init__(self, pool: EnvPool, tools: Tools) -> None:
        self._pool, self._tools = pool, tools
        self._episode: PooledEpisode | None = None
        self._failure = ""
        self._problem: Exception | None = None

    def start(self, ref: TaskRef) -> None:
        """Begin another episode.

        Raises:
            ConfigurationError: The task has other tools or another protocol, or there is no such
                task.
        """
        self._close()
        protocol = ref.kwargs().get("protocol", "toolrl")
        if protocol != _PROTOCOL:
            raise ConfigurationError(
                f"the row has the protocol {protocol!r}, in which a call of TRL's would be "
                f"unreadable; allowed: {_PROTOCOL!r}. Train on the dataset of trl_environments"
            )
        self._failure, self._problem = "", None
        try:
            self._episode = self._pool.open(ref)
        except InfrastructureError as error:
            self._fail(error)
            return
        if tuple(thaw(self._episode.tools)) != self._tools:
            raise ConfigurationError(
                f"task {self._episode.task_id!r} has other tools than its class; make dataset and "
                "environments in one call of trl_environments"
            )

    def call(self, name: str, arguments: Mapping[str, Any]) -> str:
        """Let the environment have a call as an answer of its own; return what it said to it.

        Raises:
            Exception: A bug. TRL tells it to the model and goes on, so ``finish`` raises it again.
        """
        episode = self._episode
        if episode is None or self._failure:
            return "The tools do not work now."
        if episode.over:
            return "The conversation is over."
        try:
            episode.answer(get_protocol(_PROTOCOL).render([ToolCall(name, arguments)]))
        except InfrastructureError as error:
            self._fail(error)
            return "The tools do not work now."
        except Exception as error:
            self._problem = error
            raise
        if not episode.over and tuple(thaw(episode.tools)) != self._tools:
            self._problem = ConfigurationError(
                f"the tools of task {episode.task_id!r} change in mid-episode, which TRL's "
                "environments cannot follow; use rollout_func"
            )
        return "\n\n".join(message["content"] for message in episode.new_messages)

    def finish(self, response: str | None) -> Scored:
        """End the episode; return its reward with its terms, or what of ours failed.

        Args:
            response: What the model said last; ``None`` if a limit cut the episode.

        Raises:
            ConfigurationError: The task's tools changed in mid-episode.
            Exception: A tool raised what it must not.
        """
        if self._problem is not None:
            raise self._problem
        episode = self._episode
        going = episode is not None and not self._failure and not episode.over
        if going and response is not None:
            try:
                episode.answer(response)
            except InfrastructureError as error:
                self._fail(error)
        self._close()
        if episode is None or self._failure:
            return self._failure or "no episode was begun"
        return episode.reward, sum_terms(episode.outcomes)

    def _fail(self, error: InfrastructureError) -> None:
        self._failure = in_words(error)

    def _close(self) -> None:
        if self._episode is not None:
            self._episode.close()
        self._episode = None


class ToolEnvironment:
    """What TRL's ``environment_factory`` makes; its other methods are the tools.

    Whatever else it has begins with ``_``, as no tool does.
    """

    _pool: EnvPool
    _tools: Tools

    def __init__(self) -> None:
        self._rollout = Rollout(self._pool, self._tools)

    def reset(self, **row: Any) -> None:
        """Begin the episode of a row of the dataset; what the model reads first is its prompt."""
        self._rollout.start(TaskRef.parse(row))


class ScoringEnvironment(ToolEnvironment):
    """One that TRL itself asks for the reward."""

    def get_reward(self) -> float | None:
        """Return the episode's reward, ``None`` if something of ours failed.

        TRL does not tell an environment what the model said last, so "Done." stands for it: this
        is for tasks that are judged by the state of their world.
        """
        scored = self._rollout.finish(_UNHEARD)
        return None if isinstance(scored, str) else scored[0]


@dataclass(frozen=True)
class ToolEnvironments:
    """What ``GRPOTrainer`` needs for tasks that it plays by itself.

    Attributes:
        dataset: For ``train_dataset``.
        factory: For ``environment_factory``: a class, or several by name.
        pool: Where the environments are kept.
    """

    dataset: Dataset
    factory: type[ToolEnvironment] | dict[str, type[ToolEnvironment]]
    pool: EnvPool

    def close(self) -> None:
        """Close the environments."""
        self.pool.close()


def trl_environments(
    env: str,
    env_kwargs: Mapping[str, Any],
    indices: Iterable[int],
    *,
    get_reward: bool = False,
    pool: EnvPool | None = None,
) -> ToolEnvironments:
    """Return tasks whose tools TRL calls by itself, one class for each set of tools.

    Args:
        env: Registered environment id, of one whose tools are run (``MultiTurnEnv``).
        env_kwargs: Keyword arguments for ``gym.make``; the protocol is ``"native"``.
        indices: The tasks.
        get_reward: Whether TRL asks the environment for the reward, which then does not hear the
            model's last words; else pass ``reward_funcs=environment_reward``, which does.
        pool: Where the environments are kept; a new one if ``None``.

    Raises:
        ConfigurationError: There is no such environment, argument or task, its tools are not run,
            or a tool cannot be a method (see ``tool_method``).
        InfrastructureError: A task's world cannot be opened.
    """
    protocol = env_kwargs.get("protocol", _PROTOCOL)
    if protocol != _PROTOCOL:
        raise UnknownName("protocol for TRL's environments", protocol, [_PROTOCOL])
    env_kwargs = {**env_kwargs, "protocol": protocol}
    _refuse_single_turn(env, env_kwargs)
    rows, pool = task_rows(env, env_kwargs, indices), pool or EnvPool()
    sets, which = _sets_of_tools(rows)
    base = ScoringEnvironment if get_reward else ToolEnvironment
    if len(sets) == 1:
        return ToolEnvironments(rows_dataset(rows), _class(base, env, sets[0], pool), pool)
    names = [f"{env}/{number}" for number in range(len(sets))]
    classes = {
        name: _class(base, name, tools, pool) for name, tools in zip(names, sets, strict=True)
    }
    dataset = rows_dataset(rows, environments=[names[number] for number in which])
    return ToolEnvironments(dataset, classes, pool)


def environment_reward(
    completions: Sequence[Sequence[Mapping[str, Any]]],
    environments: Sequence[object] | None = None,
    log_metric: LogMetric | None = None,
    log_extra: LogExtra | None = None,
    **_: Any,
) -> list[float | None]:
    """Reward function for ``GRPOTrainer``: tell the environments the last words, return rewards.

    Args:
        completions: What was said, by the model and the tools.
        environments: TRL's, one per completion. The reward of other people's is ``None``.
        log_metric: TRL's; see ``report``.
        log_extra: TRL's; see ``report``.
        _: Not looked at: the prompts, the dataset's columns.

    Raises:
        ConfigurationError: The trainer has no environments, or asks them for the reward itself.
    """
    if environments is None:
        raise ConfigurationError(
            "environment_reward needs environment_factory=trl_environments(...).factory"
        )
    if any(isinstance(each, ScoringEnvironment) for each in environments):
        raise ConfigurationError(
            "these environments were made with get_reward=True, so TRL asks them for the reward: "
            "leave environment_reward out"
        )
    scored: dict[int, Scored] = {}
    for index, (said, environment) in enumerate(zip(completions, environments, strict=True)):
        if isinstance(environment, ToolEnvironment):
            scored[index] = environment._rollout.finish(_last_words(said))
    rewards = iter(report(list(scored.values()), log_metric, log_extra))
    return [next(rewards) if index in scored else None for index in range(len(completions))]


def _last_words(said: Sequence[Mapping[str, Any]]) -> str | None:
    last = said[-1] if said else None
    if last is None or last["role"] != "assistant" or last.get("tool_calls"):
        return None
    return last["content"]


def _class(
    base: type[ToolEnvironment], name: str, tools: Tools, pool: EnvPool
) -> type[ToolEnvironment]:
    methods = {tool["function"]["name"]: tool_method(tool, _run) for tool in tools}
    return type(name, (base,), {"_pool": pool, "_tools": tools, "__doc__": base.__doc__} | methods)


def _sets_of_tools(rows: Sequence[TaskRow]) -> tuple[list[Tools], list[int]]:
    """Return the sets of tools that there are, and which of them each row has."""
    sets: list[Tools] = []
    which: list[int] = []
    for row in rows:
        tools = tuple(thaw(row.tools))
        if tools not in sets:
            sets.append(tools)
        which.append(sets.index(tools))
    return sets, which


def _run(environment: ToolEnvironment, name: str, arguments: dict[str, Any]) -> str:
    return environment._rollout.call(name, arguments)


def _refuse_single_turn(env: str, env_kwargs: Mapping[str, Any]) -> None:
    made = make_env(env, env_kwargs)
    plays = isinstance(made.unwrapped, MultiTurnEnv)
    made.close()
    if not plays:
        raise ConfigurationError(f"the episodes of {env} are one answer: use TaskReward")

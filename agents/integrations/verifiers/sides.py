"""Their side of an imported environment: what plays one task, given an endpoint to ask."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Protocol

import verifiers.v1 as vf
from verifiers.v1.mcp import SharedToolServer, serve_shared
from verifiers.v1.utils.loaders import builtin_harness_ids, harness_class, resolve_env_config

from agents.integrations.verifiers.harness import ChatHarness
from toolrl_env.core.errors import ConfigurationError, nearest

__all__ = ["EnvSide", "Run", "Side", "TasksetSide", "side_of"]

OnTrace = Callable[[vf.Trace], None]
_MODEL = "step"
_NO_KEY = "TOOLRL_STEP_HAS_NO_KEY"


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a task.

    Attributes:
        traces: Of each agent, in the order in which they ended.
        errors: What went wrong with the episode as a whole.
    """

    traces: Sequence[vf.Trace]
    errors: Sequence[vf.Error] = ()


class Side(Protocol):
    """Plays tasks. ``serving`` and ``play`` run in one event loop."""

    taskset: vf.Taskset

    def serving(self) -> AsyncIterator[None]:
        """Hold what the tasks share."""
        ...

    async def play(self, task: vf.Task, url: str, on_trace: OnTrace) -> Run:
        """Play a task; the model is asked at ``url``."""
        ...


class TasksetSide:
    """One agent on the tasks of a taskset.

    Args:
        taskset: The tasks.
        harness: Id of one of verifiers' harnesses; ``None``: ``ChatHarness``.
        max_turns: Requests after which verifiers stops a rollout.

    Raises:
        ConfigurationError: There is no such harness.
    """

    def __init__(self, taskset: vf.Taskset, harness: str | None, max_turns: int | None) -> None:
        self.taskset, self._harness, self._max_turns = taskset, harness, max_turns
        if harness is not None:
            with _loading(nearest(harness, builtin_harness_ids())):
                harness_class(harness)
        self._shared: dict[str, SharedToolServer] = {}

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Hold the tool servers that all tasks share."""
        async with serve_shared(type(self.taskset).toolsets(self.taskset.config)) as shared:
            self._shared = shared
            yield

    async def play(self, task: vf.Task, url: str, on_trace: OnTrace) -> Run:
        """Run the agent once."""
        agent = vf.Agent(
            vf.AgentConfig(
                harness={"id": self._harness or "null"},
                runtime={"type": "subprocess"},
                model=_MODEL,
                client=_client(url),
                max_turns=self._max_turns,
            )
        )
        if self._harness is None:
            agent.harness = ChatHarness(vf.HarnessConfig(id="toolrl"))
            agent.config = agent.config.model_copy(update={"harness": agent.harness.config})
        return Run([await agent.run(task, tools=self._shared, on_trace=on_trace)])


class EnvSide:
    """An environment of theirs, with whatever agents it has.

    Args:
        env: The environment; used by this side alone.
    """

    def __init__(self, env: vf.Env) -> None:
        self._env, self.taskset = env, env.taskset

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Hold the tool servers and whatever else the environment shares."""
        async with self._env.serving():
            yield

    async def play(self, task: vf.Task, url: str, on_trace: OnTrace) -> Run:
        """Run one episode."""
        context = vf.ModelContext(model=_MODEL, client=_client(url))
        episode = await self._env.run_episode(task, context, on_trace=on_trace)
        return Run(episode.traces, episode.errors)


def _client(url: str) -> vf.EvalClientConfig:
    return vf.EvalClientConfig(base_url=url, api_key_var=_NO_KEY)


def side_of(
    source: vf.Taskset | vf.Env | vf.EnvConfig, harness: str | None, max_turns: int | None
) -> Side:
    """Return what plays ``source``.

    Raises:
        ConfigurationError: It is nothing of verifiers', verifiers cannot load it, or a setting does
            not belong to it.
    """
    if isinstance(source, vf.Taskset):
        return TasksetSide(source, harness, max_turns)
    if harness is not None or max_turns is not None:
        raise ConfigurationError("harness and max_turns go with a Taskset; an Env has its own")
    if isinstance(source, vf.Env):
        return EnvSide(type(source)(source.config))
    if isinstance(source, vf.EnvConfig):
        with _loading():
            return EnvSide(vf.load_environment(resolve_env_config(source)))
    what = f"the class {source.__name__}" if isinstance(source, type) else f"{source!r:.80}"
    raise ConfigurationError(
        f"{what} is nothing to import; allowed: a verifiers.v1 Taskset, Env or EnvConfig"
    )


@contextmanager
def _loading(close: str | None = None) -> Iterator[None]:
    """Pass on verifiers' words about what cannot be loaded, and why; ``close`` may be meant."""
    try:
        yield
    except ConfigurationError:
        raise
    except (AttributeError, ImportError, TypeError, ValueError) as error:
        why = f" ({error.__cause__})" if error.__cause__ else ""
        hint = f" Did you mean {close!r}?" if close else ""
        raise ConfigurationError(f"{error}{why}{hint}") from error

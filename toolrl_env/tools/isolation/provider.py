"""``isolation="process"``: functions or suites that run in a process of their own."""

from __future__ import annotations

import functools
import io
import pickle
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from toolrl_env.core.checks import whole_number
from toolrl_env.core.errors import (
    ConfigurationError,
    InfrastructureError,
    SnapshotError,
)
from toolrl_env.core.frozen import freeze
from toolrl_env.core.types import FailureKind, ToolSpec
from toolrl_env.tools.isolation.client import Worker, start_worker
from toolrl_env.tools.isolation.worker import Beginning
from toolrl_env.tools.limits import MEMORY_MB, CallLimits
from toolrl_env.tools.local import FunctionProvider, SuiteProvider
from toolrl_env.tools.tool import ToolError

__all__ = ["IsolatedProvider", "IsolatedSnapshot", "IsolatedTools"]

GRACE_SECONDS = 0.5
"""How much later than the cooperative deadline a worker is killed."""


@dataclass(frozen=True, slots=True)
class IsolatedProvider:
    """Functions or suites in a process of their own for each session.

    Make it with ``of``. The process is started when it is first needed, lives as long as the
    session, and is killed with all of its children when a call runs over its limits; the session
    then goes on in a new one from the state before that call.

    Attributes:
        name: The inner provider's name.
        payload: The inner provider, pickled.
        modules: Where its classes and functions are defined.
        memory_mb: MiB that a process may map beyond what it begins with.
        limits: In place of what the environment gives; ``None`` takes the environment's.
    """

    name: str
    payload: bytes = field(repr=False)
    modules: tuple[str, ...]
    memory_mb: int = MEMORY_MB
    limits: CallLimits | None = None

    @classmethod
    def of(
        cls, provider: FunctionProvider | SuiteProvider, memory_mb: int = MEMORY_MB
    ) -> IsolatedProvider:
        """Isolate a provider.

        Raises:
            ConfigurationError: It cannot be pickled, or ``memory_mb`` is no integer above 0.
        """
        whole_number("memory_mb", memory_mb, 1)
        payload, modules = _pickled(provider, provider.name)
        return cls(provider.name, payload, modules, memory_mb, provider.limits)

    @property
    def waits(self) -> bool:
        """True: calls run in another process."""
        return True

    def open(self, limits: CallLimits) -> IsolatedTools:
        """Return the tools; their process is started when it is first needed."""
        return IsolatedTools(self, self.limits or limits)


@dataclass(frozen=True, slots=True)
class IsolatedSnapshot:
    """The state of isolated tools. This process never looks into it.

    Attributes:
        provider: The provider's name.
        state: The state as its worker pickled it.
    """

    provider: str
    state: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Described:
    specs: tuple[ToolSpec, ...]
    writing: frozenset[str]


class IsolatedTools:
    """The ``OpenTools`` of an ``IsolatedProvider``.

    The state before each call is kept here, so nothing is lost with a process: a call that fails
    leaves the state as it was.
    """

    def __init__(self, provider: IsolatedProvider, limits: CallLimits) -> None:
        """Start nothing yet."""
        self._provider = provider
        self._limits = limits
        self._worker: Worker | None = None
        self._state: bytes | None = None
        self._known: dict[bytes, Any] = {}  # answers that hold as long as the state does

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the provider and the state; the process stays behind."""
        state = None if self._state is None else IsolatedSnapshot(self._provider.name, self._state)
        return _reopened, (self._provider, self._limits, state)

    def specs(self) -> tuple[ToolSpec, ...]:
        """Return the tools."""
        return _describe(self._provider).specs

    def writes(self, name: str) -> bool:
        """Return whether a tool may change the state."""
        return name in _describe(self._provider).writing

    def call(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """Run a tool in the process.

        Raises:
            ToolError: The tool refuses.
            InfrastructureError: It failed, took too long, or its process ended. The state is what
                it was before the call.
        """
        request = {"do": "call", "tool": name, "arguments": arguments}
        answer, state = self._ask(f"tool {name!r}", request)
        if self.writes(name):
            if not state:
                self.close()
                text = f"tool {name!r}: its process sent no state"
                raise InfrastructureError(text, FailureKind.BAD_RESULT)
            self._state = state
            self._known.clear()
        if "refused" in answer:
            raise ToolError(str(answer["refused"]))
        return answer.get("value")

    def holds(self, predicate: Callable[[Any], bool]) -> bool:
        """Return what a predicate says of the suite (or functions), asked in the process.

        Raises:
            ConfigurationError: The predicate is not defined at the top of a module or script.
        """
        blob, _ = _pickled(predicate, f"goal {predicate!r:.80}")
        return self._once(f"goal {predicate!r:.80}", {"do": "holds"}, blob) is True

    def snapshot(self) -> IsolatedSnapshot:
        """Return the state."""
        if self._state is None:
            self._live()
        assert self._state is not None, "a started worker has said its state"
        return IsolatedSnapshot(self._provider.name, self._state)

    def restore(self, snapshot: object) -> None:
        """Put a state back. The process is ended; another begins in that state when needed.

        Raises:
            SnapshotError: The snapshot is another provider's.
        """
        if not isinstance(snapshot, IsolatedSnapshot) or snapshot.provider != self._provider.name:
            raise SnapshotError(f"not a snapshot of {self._provider.name!r}: {snapshot!r:.80}")
        self.close()
        self._state = snapshot.state

    def state_hash(self) -> str:
        """Return the digest that the process computes."""
        return str(self._once(f"the state of {self._provider.name!r}", {"do": "hash"}))

    def close(self) -> None:
        """End the process."""
        self._known.clear()
        if self._worker is not None:
            self._worker.end()
            self._worker = None

    # ------------------------------------------------------------------ inside

    def _once(self, what: str, request: Mapping[str, Any], blob: bytes = b"") -> Any:
        """Ask for what depends on the state alone, once for each state."""
        if blob not in self._known:
            self._known[blob] = self._ask(what, request, blob)[0].get("value")
        return self._known[blob]

    def _ask(
        self, what: str, request: Mapping[str, Any], blob: bytes = b""
    ) -> tuple[dict[str, Any], bytes]:
        answer, state = self._live().ask(what, self._limits.seconds + GRACE_SECONDS, request, blob)
        if not {"value", "refused"} & answer.keys():
            self.close()
            raise InfrastructureError(
                f"{what}: no answer but {answer!r:.80}", FailureKind.BAD_RESULT
            )
        return answer, state

    def _live(self) -> Worker:
        """Return the worker; start one, in the last state, if there is none."""
        if self._worker is None or not self._worker.usable:
            if self._worker is not None:
                self._worker.end()
            self._worker, _, state = _start(self._provider, self._limits, self._state)
            self._state = self._state or state
        return self._worker


def _reopened(
    provider: IsolatedProvider, limits: CallLimits, snapshot: IsolatedSnapshot | None
) -> IsolatedTools:
    tools = IsolatedTools(provider, limits)
    if snapshot is not None:
        tools.restore(snapshot)
    return tools


def _start(
    provider: IsolatedProvider, limits: CallLimits, state: bytes | None
) -> tuple[Worker, dict[str, Any], bytes]:
    beginning = Beginning(provider.payload, limits, provider.memory_mb * 1024 * 1024, state)
    max_head = 16 * limits.result_chars + 1024 * 1024
    return start_worker(provider.name, beginning, provider.modules, max_head)


@functools.lru_cache(maxsize=256)
def _describe(provider: IsolatedProvider) -> _Described:
    """Ask a worker, once, what tools there are."""
    worker, said, _ = _start(provider, provider.limits or CallLimits(), None)
    worker.end()
    try:
        rows = [(str(n), str(d), freeze(dict(p)), w is True) for n, d, p, w in said["specs"]]
    except (KeyError, TypeError, ValueError) as error:
        raise InfrastructureError(
            f"{provider.name!r} describes no tools: {error!r}", FailureKind.BAD_RESULT
        ) from error
    specs = tuple(ToolSpec(name, text, parameters) for name, text, parameters, _ in rows)
    return _Described(specs, frozenset(name for name, *_, writes in rows if writes))


def _pickled(value: Any, name: str) -> tuple[bytes, tuple[str, ...]]:
    """Pickle what another process is to have; return the modules that it comes from, too."""
    modules: set[str] = set()

    class Pickler(pickle.Pickler):
        def reducer_override(self, obj: Any) -> Any:
            if isinstance(obj, type | types.FunctionType):
                modules.add(str(obj.__module__))
            return NotImplemented

    file = io.BytesIO()
    try:
        Pickler(file, pickle.HIGHEST_PROTOCOL).dump(value)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise ConfigurationError(
            f"{name} cannot be sent to a process of its own: {error}. Define classes and functions "
            "at the top of a module or a script"
        ) from error
    return file.getvalue(), tuple(sorted(modules))

"""Tools that run in this process: functions, and suites."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolrl_env.core.errors import ConfigurationError, InfrastructureError, SnapshotError
from toolrl_env.core.types import ToolSpec
from toolrl_env.tools.canonical import state_digest
from toolrl_env.tools.limits import CallLimits
from toolrl_env.tools.running import judge, run_tool
from toolrl_env.tools.suite import SuiteSnapshot, ToolSuite
from toolrl_env.tools.tool import Tool

__all__ = ["FunctionProvider", "FunctionTools", "SuiteProvider", "SuiteTools"]


@dataclass(frozen=True, slots=True)
class FunctionProvider:
    """Functions without a state of their own.

    Attributes:
        tools: The functions, as tools, names unique.
        name: What messages call it.
        limits: In place of what the environment gives; ``None`` takes the environment's.

    Raises:
        ConfigurationError: There is no tool, or two share a name.
    """

    tools: tuple[Tool, ...]
    name: str = "functions"
    limits: CallLimits | None = None

    def __post_init__(self) -> None:
        """Check the names."""
        names = [tool.name for tool in self.tools]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice or not names:
            what = f"two tools named {twice[0]!r}" if twice else "no tool"
            raise ConfigurationError(f"{self.name}: {what}")

    @property
    def waits(self) -> bool:
        """False: they run in this process."""
        return False

    def open(self, limits: CallLimits) -> FunctionTools:
        """Return the functions, ready to be called."""
        return FunctionTools(self.tools, self.limits or limits)


class FunctionTools:
    """The ``OpenTools`` of a ``FunctionProvider``. They have no state."""

    def __init__(self, tools: Sequence[Tool], limits: CallLimits) -> None:
        """Take the functions as they are."""
        self._tools = {tool.name: tool for tool in tools}
        self._limits = limits

    def specs(self) -> tuple[ToolSpec, ...]:
        """Return the tools."""
        return tuple(tool.spec for tool in self._tools.values())

    def writes(self, name: str) -> bool:
        """Return ``False``."""
        del name
        return False

    def call(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """Run a function; see ``run_tool``."""
        return run_tool(name, self._tools[name].fn, arguments, self._limits)

    def holds(self, predicate: Callable[[Any], bool]) -> bool:
        """Return what a predicate says of these tools, which it may call."""
        return judge(predicate, self, self._limits)

    def snapshot(self) -> None:
        """Return ``None``."""

    def restore(self, snapshot: object) -> None:
        """Take ``None``.

        Raises:
            SnapshotError: It is something else.
        """
        if snapshot is not None:
            raise SnapshotError(f"functions have no state to put back, and not {snapshot!r:.80}")

    def state_hash(self) -> str:
        """Return the digest of no state."""
        return state_digest(None)

    def close(self) -> None:
        """Do nothing: nothing is held."""


@dataclass(frozen=True, slots=True)
class SuiteProvider:
    """Suites, a new one for each session.

    Attributes:
        make: Makes the suite: its class, or any function. It is called once for each session.
        name: What messages and goals call it.
        limits: In place of what the environment gives; ``None`` takes the environment's.
    """

    make: Callable[[], ToolSuite]
    name: str
    limits: CallLimits | None = None

    @property
    def waits(self) -> bool:
        """False: they run in this process."""
        return False

    def open(self, limits: CallLimits) -> SuiteTools:
        """Make a suite.

        Raises:
            InfrastructureError: ``make`` raised, or returned no suite.
        """
        try:
            suite = self.make()
        except Exception as error:
            raise InfrastructureError(
                f"suite {self.name!r} cannot be made: {type(error).__name__}: {error}"
            ) from error
        if not isinstance(suite, ToolSuite):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InfrastructureError(f"suite {self.name!r} is no ToolSuite but {suite!r:.80}")
        return SuiteTools(suite, self.limits or limits)


class SuiteTools:
    """The ``OpenTools`` of a ``SuiteProvider``."""

    def __init__(self, suite: ToolSuite, limits: CallLimits) -> None:
        """Take a suite that nothing else uses."""
        self._suite = suite
        self._limits = limits
        self._tools = {tool.name: tool for tool in suite.tools()}
        self._writing = frozenset(n for n, method in suite.methods().items() if method.writes)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the suite; bound methods are made anew."""
        return type(self), (self._suite, self._limits)

    def specs(self) -> tuple[ToolSpec, ...]:
        """Return the marked methods."""
        return tuple(tool.spec for tool in self._tools.values())

    def writes(self, name: str) -> bool:
        """Return whether a method is marked ``write``."""
        return name in self._writing

    def call(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """Run a method; see ``run_tool``. After an ``InfrastructureError`` the state is unknown."""
        return run_tool(name, self._tools[name].fn, arguments, self._limits)

    def holds(self, predicate: Callable[[Any], bool]) -> bool:
        """Return what a predicate says of the suite, which it must not change."""
        return judge(predicate, self._suite, self._limits)

    def snapshot(self) -> SuiteSnapshot:
        """Return the suite's state."""
        return self._suite.snapshot()

    def restore(self, snapshot: object) -> None:
        """Put a suite's state back.

        Raises:
            SnapshotError: It is no snapshot of a suite, or of another one.
        """
        if not isinstance(snapshot, SuiteSnapshot):
            raise SnapshotError(f"not a snapshot of a suite: {snapshot!r:.80}")
        self._suite.restore(snapshot)

    def state_hash(self) -> str:
        """Return the suite's own hash."""
        return self._suite.state_hash()

    def close(self) -> None:
        """Do nothing: the suite goes with this object."""

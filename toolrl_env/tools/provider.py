"""Where an environment's tools come from: a provider describes them, opened it has them live."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from toolrl_env.core.types import ToolSpec
from toolrl_env.tools.limits import CallLimits

__all__ = ["OpenTools", "ToolProvider"]


@runtime_checkable
class ToolProvider(Protocol):
    """An immutable, picklable description of where tools come from."""

    @property
    def name(self) -> str:
        """What messages call it, e.g. the suite's class; unique among those that are combined."""
        ...

    @property
    def waits(self) -> bool:
        """Whether calls wait on something outside this process: a server, a worker process.

        Sessions of such tools are worth running at the same time.
        """
        ...

    def open(self, limits: CallLimits) -> OpenTools:
        """Return live tools of its own for one session; nothing is shared with another's.

        Args:
            limits: What each call may take.

        Raises:
            InfrastructureError: They cannot be had (``SERVER_DOWN``).
        """
        ...


class OpenTools(Protocol):
    """One session's live tools. Used by one thread at a time."""

    def specs(self) -> Sequence[ToolSpec]:
        """Return the tools that can be called now, names unique."""
        ...

    def writes(self, name: str) -> bool:
        """Return whether a tool may change the state; false if there is no such tool."""
        ...

    def call(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """Run a tool within the limits.

        Args:
            name: One of ``specs()``.
            arguments: Valid by the tool's schema; the callee may keep or change them.

        Returns:
            JSON of the caller's own, no longer than the limits say (``limits.bounded``).

        Raises:
            ToolError: The tool refuses; the message is for the model.
            InfrastructureError: Something of ours failed. The state is then what it was before
                the call if the provider says that it can keep it, and unknown otherwise.
        """
        ...

    def holds(self, predicate: Callable[[Any], bool]) -> bool:
        """Return whether a goal predicate is true now.

        It is given what the provider lets a goal look at: a suite's instance; of tools without a
        state of their own here (functions, servers) these ``OpenTools``, to call.

        Raises:
            InfrastructureError: The predicate raised, or the tools are gone.
        """
        ...

    def snapshot(self) -> object:
        """Return the state, picklable, sharing nothing with what goes on."""
        ...

    def restore(self, snapshot: object) -> None:
        """Put a state back, of these tools or of others that the same provider opened.

        Raises:
            SnapshotError: It is not a snapshot of such tools.
            InfrastructureError: The state cannot be reached any more.
        """
        ...

    def state_hash(self) -> str:
        """Return 64 hexadecimal digits of the state, the same in every process."""
        ...

    def close(self) -> None:
        """Give back what is held outside of Python's memory. May be called more than once."""
        ...

"""What every agent is to the rest of the world: a batched function from observations to text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

__all__ = ["Policy"]


@runtime_checkable
class Policy(Protocol):
    """Anything that answers a batch of observations.

    A policy sees what the environment shows and nothing else: the observation text and the
    ``info`` that came with it (``messages``, ``tools``, ``task_id`` …).
    """

    def act(self, observations: Sequence[str], infos: Sequence[Mapping[str, Any]]) -> list[str]:
        """Return one answer per observation, in order.

        Args:
            observations: The rendered conversations, one per environment.
            infos: The ``info`` of each environment, same length.

        Returns:
            The answers, as text, same length as ``observations``.
        """
        ...

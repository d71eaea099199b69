"""What every agent is to the rest of the world: a batched function from observations to text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from toolrl_env.core.answers import NoAnswer

__all__ = ["NoAnswer", "Policy"]


@runtime_checkable
class Policy(Protocol):
    """Anything that answers a batch of observations.

    A policy sees what the environment shows and nothing else: the observation text and the
    ``info`` that came with it (``messages``, ``tools``, ``task_id`` …).
    """

    def act(
        self, observations: Sequence[str], infos: Sequence[Mapping[str, Any]]
    ) -> Sequence[str | NoAnswer]:
        """Return one answer per observation, in order.

        Args:
            observations: The rendered conversations, one per environment. The batch may shrink and
                grow from call to call, as episodes end and begin.
            infos: The ``info`` of each environment, same length. ``agents.evaluate`` adds
                ``answer_seed``, an integer for this answer alone: a policy that draws its random
                numbers from it answers the same in whatever batch it is asked.

        Returns:
            The answers, as text, same length as ``observations``. A policy whose model is
            elsewhere may put a ``NoAnswer`` where none could be had; others need not know of it.
        """
        ...

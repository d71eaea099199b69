"""``CandidateActions``: choose one of a fixed number of candidate answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, SupportsIndex

import gymnasium as gym
import numpy as np
from gymnasium.spaces import Box, Discrete
from gymnasium.utils import RecordConstructorArgs

from toolrl_env.core.checks import whole_number
from toolrl_env.core.types import ToolCall
from toolrl_env.wrappers.numeric.actions import REPLY, Mask, NumericActions, flat, write_answer
from toolrl_env.wrappers.numeric.candidate_features import FEATURES, candidate_rows
from toolrl_env.wrappers.numeric.encoding import LIMIT, FloatVector, TextEncoder, checked_encoder
from toolrl_env.wrappers.numeric.proposals import propose
from toolrl_env.wrappers.numeric.visible import look

__all__ = ["CandidateActions", "CandidateLayout", "CandidateView", "view_candidates"]


@dataclass(frozen=True, slots=True)
class CandidateLayout:
    """How an observation of ``CandidateActions`` is laid out: ``places`` rows, then the request.

    Attributes:
        places: Number of candidates, ``n``.
        row: Numbers per candidate: those named in ``FEATURES``, then the encoded tool and the
            encoded passages that its values come from.
        context: Numbers at the end: the encoded request.
    """

    places: int
    row: int
    context: int

    @classmethod
    def of(cls, places: int, context: int) -> Self:
        """Return the layout for so many candidates and an encoder of so many numbers."""
        return cls(places, len(FEATURES) + 2 * context, context)

    @property
    def size(self) -> int:
        """Numbers in all: ``places * row + context``."""
        return self.places * self.row + self.context


@dataclass(frozen=True, slots=True, eq=False)
class CandidateView:
    """The candidates of a state.

    Attributes:
        calls: The candidate calls by action; action 0 is ``None``, the answer without a tool.
            Shorter than ``n`` if there are fewer candidates.
        mask: Which actions have a candidate: bool, shape ``(n,)``.
        observation: float32, shape ``(layout.size,)``.
    """

    calls: tuple[ToolCall | None, ...]
    mask: Mask
    observation: FloatVector


def view_candidates(
    info: Mapping[str, Any], layout: CandidateLayout, encoder: TextEncoder
) -> CandidateView:
    """Return the candidates of a state, from ``info["messages"]`` and ``info["tools"]`` alone.

    Args:
        info: What an environment returned.
        layout: Sizes.
        encoder: Encodes the request and the tools, to ``layout.context`` numbers.
    """
    shown = look(info)
    proposals, found = propose(shown, layout.places - 1)
    rows = candidate_rows(shown, proposals, found, encoder, layout.context)
    request = np.asarray(encoder(shown.request), np.float32)
    mask = np.arange(layout.places) < len(rows)
    calls = (None, *(proposal.call for proposal in proposals))
    return CandidateView(calls, mask, flat(rows, layout.places, layout.row, request))


class CandidateActions(NumericActions[SupportsIndex], RecordConstructorArgs):
    """Choose among candidate answers: ``Discrete(n)``, observed as a flat float32 vector.

    Action 0 answers without a tool. The others are calls, each one of the offered tools with values
    that the conversation mentions or the schemas allow. They are computed anew in every state from
    ``info["messages"]`` and ``info["tools"]``, so from what a model may see; their order is a
    permutation drawn from a hash of that text. Nothing depends on the gold answer, and the right
    call need not be among them: see ``benchmarks/quality/candidate_coverage.py``.

    In a multi-turn environment a turn makes one call (or replies), and the candidates of the next
    turn include values that the tools returned.

    Since an action means something else in every state, the observation describes every candidate
    (see ``layout`` and ``FEATURES``): a policy that scores each row by the same network learns much
    faster than a plain one. ``agents.sb3`` has such policies.

    An action whose place is empty sends an empty answer, which earns what a malformed one earns.

    Args:
        env: A text environment of this package, or your own on top of ``ToolUseEnv``.
        n: Number of actions.
        encoder: A callable from text to a vector; ``None`` for 64 hashed n-grams.
        reply: What action 0 says.

    Raises:
        ConfigurationError: ``n`` is below 2 or above 1024, the environment is no text environment
            of ours, or the encoder does not make vectors.
    """

    def __init__(
        self,
        env: gym.Env[str, str],
        n: int = 32,
        encoder: TextEncoder | None = None,
        reply: str = REPLY,
    ) -> None:
        RecordConstructorArgs.__init__(self, n=n, encoder=encoder, reply=reply)
        super().__init__(env, reply)
        n = whole_number("n", n, 2, 1024)
        self._encoder, size = checked_encoder(encoder, 64)
        self.layout = CandidateLayout.of(n, size)
        self.action_space = Discrete(n)
        self.observation_space = Box(-LIMIT, LIMIT, (self.layout.size,), np.float32)
        self._calls: tuple[ToolCall | None, ...] = ()

    @property
    def candidates(self) -> tuple[ToolCall | None, ...]:
        """The candidates by action; action 0 is ``None``, the answer without a tool."""
        return self._calls

    def _look(self, info: Mapping[str, Any]) -> tuple[FloatVector, Mask]:
        view = view_candidates(info, self.layout, self._encoder)
        self._calls = view.calls
        return view.observation, view.mask

    def _answer(self, action: SupportsIndex) -> str:
        index = whole_number("action", action, 0, self.layout.places - 1)
        if index >= len(self._calls):
            return ""
        return write_answer(self._protocol, self._calls[index], self._reply)

"""What a trainer sees of a played episode: tokens, who wrote them, and what each turn earned.

Sampler, rollout, credit assignment and update meet here and nowhere else, so that each can be
replaced without the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from toolrl_env.core.types import Span, StopReason

__all__ = ["Episode", "Group", "SpanCredit", "Turn"]


@dataclass(frozen=True, slots=True)
class SpanCredit:
    """A part of a turn's reward and the tokens that earned it.

    Attributes:
        term: Name of the reward term.
        tokens: Half-open range in ``Episode.token_ids``; within a turn of the policy's, perhaps an
            earlier one than the turn whose reward it is a part of. Empty if that turn is in the
            prompt (a fork).
        amount: The part.
    """

    term: str
    tokens: Span
    amount: float


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer of the policy within an episode.

    Attributes:
        tokens: Half-open range in ``Episode.token_ids`` that the policy sampled, its end token
            included; not empty.
        text: The answer as the environment was given it.
        reward: What ``step`` returned; 0.0 if ``masked``.
        components: The reward, term by term; empty if ``masked``.
        credits: Where in the tokens the reward comes from; may be empty.
        state: Key of the state that the answer was given in: equal for equal states of one task
            (for step-level groups, as in GiGPO).
        finished: Whether the end token was sampled (else the token limit cut the answer).
        masked: Whether something of the environment's failed in this turn: it has no reward and
            must not be trained on.
    """

    tokens: Span
    text: str
    reward: float
    components: Mapping[str, float] = field(default_factory=dict)
    credits: tuple[SpanCredit, ...] = ()
    state: str = ""
    finished: bool = True
    masked: bool = False


@dataclass(frozen=True, slots=True)
class Episode:
    """One episode as tokens. What was sampled is what is trained: no text is tokenised again.

    Attributes:
        prompt_ids: The prompt, up to where the first answer begins; shared within a group.
        token_ids: Everything after the prompt: the policy's tokens and the environment's.
        sampled: For each of ``token_ids``, whether the policy sampled it; the others are context.
        logprobs: Log-probability of each token under the sampling distribution; 0.0 at context.
        turns: The turns, in order; none only if the environment could not even be reset.
        stop_reason: Why it ended; ``None`` if the rollout stopped before the environment did (no
            room for more tokens).
        highest: The most that the task could have given; ``nan`` if the environment does not say.
        is_success: Whether it was solved, where the environment says so, else whether the total is
            the highest possible.
        failure: What of ours failed, in words; empty if nothing did.
    """

    prompt_ids: tuple[int, ...]
    token_ids: tuple[int, ...]
    sampled: tuple[bool, ...]
    logprobs: tuple[float, ...]
    turns: tuple[Turn, ...]
    stop_reason: StopReason | None = None
    highest: float = float("nan")
    is_success: bool = False
    failure: str = ""

    @property
    def reward(self) -> float:
        """The sum of the turns' rewards."""
        return sum(turn.reward for turn in self.turns)

    @property
    def failed(self) -> bool:
        """Whether something of ours failed: the episode has no return and is left out."""
        return bool(self.failure)

    @property
    def truncated(self) -> bool:
        """Whether it was cut from outside: by a limit of turns, context or tokens."""
        cut = (None, StopReason.TURN_LIMIT, StopReason.CONTEXT_LIMIT)
        return self.stop_reason in cut or any(not turn.finished for turn in self.turns[-1:])


@dataclass(frozen=True, slots=True)
class Group:
    """Episodes that begin in one state: those of one task, or the forks of one moment.

    Attributes:
        task_id: The task.
        episodes: All of them, failed ones included.
        branches: Groups that begin in the middle of these episodes (tree rollouts).
    """

    task_id: str
    episodes: tuple[Episode, ...]
    branches: tuple[Group, ...] = ()

    @property
    def scored(self) -> tuple[Episode, ...]:
        """The episodes in which nothing of ours failed."""
        return tuple(episode for episode in self.episodes if not episode.failed)

    @property
    def rewards(self) -> NDArray[np.float64]:
        """Returns of the scored episodes [G]."""
        return np.array([episode.reward for episode in self.scored], dtype=np.float64)

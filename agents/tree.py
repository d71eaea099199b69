"""Tree rollouts: episodes that branch in the middle, so that single turns can be compared.

A group compares whole episodes, in which many turns differ. The branches of a fork share everything
up to one turn: the world, by the environment's ``fork``, and the tokens, which become their prompt.
Only what follows is theirs, so it alone is trained, and their advantage is that of this turn and
what came of it. After Tree-GRPO (arXiv 2509.21240), whose trees have a node per turn too.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from agents.conversation import Conversation, Limits
from agents.episode import Episode, SpanCredit
from agents.playing import Sampler, play, play_round
from toolrl_env.core.errors import ConfigurationError, InfrastructureError, UnknownName
from toolrl_env.core.types import Span
from toolrl_env.envs.workers import Workers

__all__ = ["BRANCH_AT", "Bush", "TreeConfig", "grow", "rest_of"]

_LOG = logging.getLogger(__name__)

BRANCH_AT = ("random", "all")
"""Before which turns an episode may branch: one drawn uniformly, or each. Never the first, where
the group itself branches."""


@dataclass(frozen=True, slots=True)
class TreeConfig:
    """How episodes branch.

    Attributes:
        branches: New episodes at each branching point, at least 1: with the episode itself they
            are a group of ``branches + 1``.
        at: One of ``BRANCH_AT``.

    Raises:
        ConfigurationError: A value is not allowed.
    """

    branches: int = 2
    at: str = "random"

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.branches < 1:
            raise ConfigurationError(f"branches={self.branches!r}; it must be at least 1")
        if self.at not in BRANCH_AT:
            raise UnknownName("branching point", self.at, BRANCH_AT)


@dataclass(frozen=True, slots=True)
class _Fork:
    """A conversation as it stood before one of its turns."""

    stem: int
    turn: int
    conversation: Conversation


@dataclass(frozen=True, slots=True)
class Bush:
    """The episodes that began in one state in the middle of a stem: a group.

    Attributes:
        stem: Index of the stem.
        turn: Index of the turn before which it branches.
        episodes: What was left of the stem, then the branches.
    """

    stem: int
    turn: int
    episodes: tuple[Episode, ...]


def grow(
    stems: Sequence[Conversation],
    sampler: Sampler,
    limits: Limits,
    config: TreeConfig,
    rng: np.random.Generator,
    workers: Workers | None = None,
) -> list[Bush]:
    """Play conversations to their ends, then branches of them.

    Args:
        stems: Conversations on environments that can be forked; they are changed.
        sampler: Samples the answers.
        limits: How long answers and episodes may become, counted from their very beginning.
        config: Where and how often to branch.
        rng: Chooses where.
        workers: As for ``play_round``.

    Returns:
        One for each branching point, in the order of the stems and of their turns.

    Raises:
        ConfigurationError: The environment cannot be forked.
    """
    # 1. Play the stems, keeping a fork from before each turn but the first.
    forks: list[_Fork] = []
    while live := [each for each in enumerate(stems) if each[1].goes_on(limits)]:
        for index, stem in live:
            if stem.played:
                forks += [_Fork(index, stem.played, copy) for copy in _forks(stem, 1)]
        play_round([stem for _, stem in live], sampler, workers)

    # 2. Choose branching points, and play the branches.
    chosen = _choose(forks, len(stems), config, rng)
    branches = [_forks(fork.conversation, config.branches) for fork in chosen]
    new = [each for copies in branches for each in copies]
    play(new, sampler, limits, workers)

    # 3. What began in one state belongs together.
    bushes = [
        Bush(
            fork.stem,
            fork.turn,
            (
                rest_of(stems[fork.stem].episode(), fork.turn),
                *(copy.episode() for copy in copies),
            ),
        )
        for fork, copies in zip(chosen, branches, strict=True)
    ]
    for conversation in [*(fork.conversation for fork in forks), *new]:
        conversation.env.close()
    return bushes


def _forks(conversation: Conversation, n: int) -> list[Conversation]:
    """Return forks, or none if something of ours fails: then there is no branching here."""
    try:
        return conversation.fork(n)
    except InfrastructureError as error:
        _LOG.warning("an episode does not branch, since its world cannot be copied: %s", error)
        return []


def _choose(
    forks: Sequence[_Fork], stems: int, config: TreeConfig, rng: np.random.Generator
) -> list[_Fork]:
    chosen = []
    for stem in range(stems):
        own = [fork for fork in forks if fork.stem == stem]
        if own and config.at == "random":
            own = [own[rng.integers(len(own))]]
        chosen += own
    return chosen


def rest_of(episode: Episode, turn: int) -> Episode:
    """Return an episode from one of its turns on; what came before becomes its prompt.

    Args:
        episode: The whole.
        turn: Index of the turn to begin with.
    """
    start = episode.turns[turn].tokens[0]
    turns = [
        replace(
            each,
            tokens=_shifted(each.tokens, start),
            credits=tuple(
                SpanCredit(credit.term, _shifted(credit.tokens, start), credit.amount)
                for credit in each.credits
            ),
        )
        for each in episode.turns[turn:]
    ]
    return replace(
        episode,
        prompt_ids=(*episode.prompt_ids, *episode.token_ids[:start]),
        token_ids=episode.token_ids[start:],
        sampled=episode.sampled[start:],
        logprobs=episode.logprobs[start:],
        turns=tuple(turns),
    )


def _shifted(span: Span, start: int) -> Span:
    """Move a range of tokens; empty at the beginning if it now lies in the prompt."""
    return (span[0] - start, span[1] - start) if span[0] >= start else (0, 0)

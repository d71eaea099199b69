"""How episodes share a row: each prompt once, then every episode's own tokens, nothing twice.

Index arithmetic only: what is computed on the row is in ``agents/logprobs.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from toolrl_env.core.errors import ConfigurationError

__all__ = ["Branch", "Example", "Row", "Trainable", "Trunk", "micro_batches", "pack"]


class Trainable(Protocol):
    """Tokens to be scored; an ``Episode`` is one."""

    @property
    def prompt_ids(self) -> tuple[int, ...]:
        """What is given, not empty; computed once for all that have the same."""

    @property
    def token_ids(self) -> tuple[int, ...]:
        """What follows: the policy's tokens and the environment's."""

    @property
    def sampled(self) -> tuple[bool, ...]:
        """For each of ``token_ids``, whether the policy sampled it."""


@dataclass(frozen=True, slots=True)
class Example:
    """A prompt and an answer of which every token counts, as in supervised training.

    Attributes:
        prompt_ids: What is given.
        token_ids: The answer.
    """

    prompt_ids: tuple[int, ...]
    token_ids: tuple[int, ...]

    @property
    def sampled(self) -> tuple[bool, ...]:
        """True for every token of the answer."""
        return (True,) * len(self.token_ids)


@dataclass(frozen=True, slots=True)
class Branch:
    """The part of a row that one episode has for itself.

    Attributes:
        episode: Index of the episode.
        start: Where its first own token is in the row.
        length: How many of its own tokens are in the row: those before its last sampled token,
            since nothing that is read depends on later ones. May be 0.
    """

    episode: int
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class Trunk:
    """A prompt in a row, followed by the branches of the episodes that share it.

    Attributes:
        start: Where the prompt begins in the row.
        length: Its tokens.
        branches: The episodes, in a row right after the prompt.
    """

    start: int
    length: int
    branches: tuple[Branch, ...]

    @property
    def end(self) -> int:
        """Where the last branch ends."""
        return self.branches[-1].start + self.branches[-1].length


@dataclass(frozen=True, slots=True)
class Row:
    """Episodes laid out in one row of N tokens that holds S sampled ones.

    Attributes:
        token_ids: The row [N].
        position_ids: The position of each token in its own episode [N].
        trunks: The prompts and what branches off them.
        sources: For each sampled token, the place in the row that predicts it [S].
        targets: The sampled tokens [S]: those of the first episode in order, then of the second.
    """

    token_ids: tuple[int, ...]
    position_ids: tuple[int, ...]
    trunks: tuple[Trunk, ...]
    sources: tuple[int, ...]
    targets: tuple[int, ...]


def _kept(episode: Trainable) -> int:
    """Return how many own tokens come before the last sampled one."""
    if not episode.prompt_ids:
        raise ValueError("a prompt needs at least one token")
    if len(episode.sampled) != len(episode.token_ids):
        raise ValueError(f"{len(episode.sampled)} flags for {len(episode.token_ids)} tokens")
    for index in reversed(range(len(episode.sampled))):
        if episode.sampled[index]:
            return index
    raise ValueError("an episode needs at least one sampled token")


def _by_prompt(episodes: Sequence[Trainable]) -> dict[tuple[int, ...], list[int]]:
    groups: dict[tuple[int, ...], list[int]] = {}
    for index, episode in enumerate(episodes):
        groups.setdefault(tuple(episode.prompt_ids), []).append(index)
    return groups


def pack(episodes: Sequence[Trainable]) -> Row:
    """Lay episodes out in one row; those with equal prompts share it.

    Args:
        episodes: At least one, each with a prompt and at least one sampled token.

    Returns:
        The row. Its length is the number of tokens that are computed.
    """
    if not episodes:
        raise ValueError("there is no episode")
    ids: list[int] = []
    positions: list[int] = []
    trunks: list[Trunk] = []
    found: list[tuple[int, int, int, int]] = []  # episode, index, source, target
    for prompt, members in _by_prompt(episodes).items():
        start, branches = len(ids), []
        ids.extend(prompt)
        positions.extend(range(len(prompt)))
        for member in members:
            episode, first = episodes[member], len(ids)
            kept = _kept(episode)
            branches.append(Branch(member, first, kept))
            ids.extend(episode.token_ids[:kept])
            positions.extend(range(len(prompt), len(prompt) + kept))
            for index in range(kept + 1):
                if episode.sampled[index]:
                    source = first + index - 1 if index else start + len(prompt) - 1
                    found.append((member, index, source, episode.token_ids[index]))
        trunks.append(Trunk(start, len(prompt), tuple(branches)))
    found.sort()
    return Row(
        tuple(ids),
        tuple(positions),
        tuple(trunks),
        tuple(source for _, _, source, _ in found),
        tuple(target for _, _, _, target in found),
    )


def micro_batches(episodes: Sequence[Trainable], budget: int) -> list[tuple[int, ...]]:
    """Divide episodes into parts whose rows have at most ``budget`` tokens.

    Episodes with equal prompts stay together where they fit; a group that does not fit is divided,
    and its prompt then computed once per part. An episode that is longer than the budget by itself
    is a part of its own.

    Args:
        episodes: Each with a prompt and at least one sampled token.
        budget: Tokens per part, above 0; what bounds the memory of an update.

    Returns:
        Indices of each part's episodes; together every index once.

    Raises:
        ConfigurationError: The budget is not positive.
    """
    if budget <= 0:
        raise ConfigurationError(f"budget={budget!r}; it must be above 0")
    parts: list[tuple[int, ...]] = []
    part: list[int] = []
    used = 0
    for prompt, members in _by_prompt(episodes).items():
        whole = len(prompt) + sum(_kept(episodes[member]) for member in members)
        if part and used + whole > budget:
            parts.append(tuple(part))
            part, used = [], 0
        first = True
        for member in members:
            own = _kept(episodes[member])
            cost = own + (len(prompt) if first else 0)
            if part and used + cost > budget:
                parts.append(tuple(part))
                part, used, cost = [], 0, own + len(prompt)
            part.append(member)
            used, first = used + cost, False
    if part:
        parts.append(tuple(part))
    return parts

"""What a batch of played episodes looks like, as flat figures for the log."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from agents.episode import Episode, Group, Turn

__all__ = ["describe"]


def describe(groups: Sequence[Group], whole: int) -> dict[str, float]:
    """Return means over the scored episodes of a batch, and counts of what was left out.

    The means are over episodes that were played from their beginning: branches begin where a
    policy that is being trained has led, so that they say little of the policy as a whole.

    ``reward`` (of an episode, the sum over its turns) with ``reward_std`` within groups, the same
    of each reward term under its name, ``success``, ``turns``, ``answer_tokens`` and ``finished``
    per answer, ``context_tokens`` of the environment per episode; counts over everything:
    ``truncated`` episodes, ``masked_turns``, ``failures`` (episodes in which something of ours
    failed), and ``branch_groups``.

    Args:
        groups: The batch.
        whole: How many of the groups, from the first on, are no branches; at least one of those has
            a scored episode.
    """
    every = [episode for group in groups for episode in group.episodes]
    episodes = [episode for group in groups[:whole] for episode in group.scored]
    turns = [turn for episode in episodes for turn in episode.turns]
    names = dict.fromkeys(name for turn in turns for name in turn.components if name != "total")
    return {
        "reward": _mean(episodes, lambda episode: episode.reward),
        "reward_std": float(
            np.mean([group.rewards.std() for group in groups[:whole] if group.scored])
        ),
        **{name: float(np.mean([_term(each, name) for each in episodes])) for name in names},
        "success": _mean(episodes, lambda episode: episode.is_success),
        "turns": len(turns) / len(episodes),
        "answer_tokens": _mean(turns, lambda turn: turn.tokens[1] - turn.tokens[0]),
        "finished": _mean(turns, lambda turn: turn.finished),
        "context_tokens": _mean(episodes, lambda episode: episode.sampled.count(False)),
        "truncated": float(sum(episode.truncated for episode in every if not episode.failed)),
        "masked_turns": float(sum(turn.masked for episode in every for turn in episode.turns)),
        "failures": float(sum(episode.failed for episode in every)),
        "branch_groups": float(len(groups) - whole),
    }


def _term(episode: Episode, name: str) -> float:
    return sum(turn.components.get(name, 0.0) for turn in episode.turns)


def _mean(items: Sequence[Episode] | Sequence[Turn], value: Callable[..., float]) -> float:
    return float(np.mean([value(item) for item in items]))

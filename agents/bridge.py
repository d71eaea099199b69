"""From the groups of ``agents.rollout`` to those of ``agents.episode``."""

from __future__ import annotations

from agents import rollout
from agents.episode import Episode, Group, Turn
from toolrl_env.core.types import StopReason

__all__ = ["as_group"]


def as_group(group: rollout.Group) -> Group:
    """Return a group of one-turn episodes."""
    episodes = [_episode(group.prompt_ids, sample) for sample in group.samples]
    failed = Turn((0, 0), "", 0.0, masked=True)
    lost = Episode(group.prompt_ids, (), (), (), (failed,), failure="the environment failed")
    return Group(group.task_id, (*episodes, *[lost] * group.failures))


def _episode(prompt_ids: tuple[int, ...], sample: rollout.Sample) -> Episode:
    ids, outcome = sample.completion.token_ids, sample.outcome
    turn = Turn(
        tokens=(0, len(ids)),
        text=sample.text,
        reward=outcome.reward,
        components=outcome.components,
        finished=sample.completion.finished,
    )
    return Episode(
        prompt_ids=prompt_ids,
        token_ids=ids,
        sampled=(True,) * len(ids),
        logprobs=sample.completion.logprobs,
        turns=(turn,),
        stop_reason=StopReason.ANSWERED,
        highest=outcome.highest,
        is_success=abs(outcome.reward - outcome.highest) < 1e-9,
    )

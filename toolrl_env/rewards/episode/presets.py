"""Rewards of episodes by name, and in which ways each can be exploited.

``tests/rewards/test_episode_hacking.py`` plays some twenty ways of being paid for something else
than the task in a small world, where the honest trajectory is three turns with three calls. None
earns more than the honest one under any preset. The figures below are from there: what earns *the
same*, and where a dishonest turn beats a weaker honest one.
"""

from __future__ import annotations

from collections.abc import Callable

from toolrl_env.rewards.config import RewardConfig
from toolrl_env.rewards.episode.config import EpisodeRewardConfig

__all__ = ["EPISODE_PRESETS", "episode_preset_names"]


def outcome() -> EpisodeRewardConfig:
    """1 for a finished episode whose goal is reached, else 0. The default.

    Claiming success earns 0. The way there is free: calling every tool with every argument, or
    everything twice, earns 1 like the honest trajectory, as long as the goal predicates hold in the
    end. Return in ``{0, 1}``.
    """
    return EpisodeRewardConfig()


def answer_quality() -> EpisodeRewardConfig:
    """The source's own judgement of the end, e.g. F1 of the answer. Return in ``[0, 1]``.

    It is as good as the judge, who sees words only: the right words without the work earn 1 like
    the honest trajectory.
    """
    return EpisodeRewardConfig(outcome=0.0, answer_quality=1.0)


def shaped() -> EpisodeRewardConfig:
    """``outcome``, and progress paid when it is made: see ``shaping``. Same ranking of policies.

    For trainers with a reward per turn and a discount, which must be given as ``gamma`` (here 1).
    Trainers that look at whole returns gain nothing by it: a return is the outcome less the share
    of predicates true at the start. Exploitable exactly as ``outcome``. Return in ``[-1, 1]``.
    """
    return EpisodeRewardConfig(shaping=1.0)


def efficient() -> EpisodeRewardConfig:
    """``outcome`` less 0.01 a turn and a call, and 0.05 a repeated and an invalid call.

    In the example 0.94 for the honest trajectory, 0.86 with every call twice, 0.83 for every tool
    with every argument, -0.01 for claiming success at once, -0.72 for empty answers up to the turn
    limit of 12. Not charged for: extra arguments that a schema allows. Exploitable: looking first
    costs a turn and a call (0.02), guessing wrong a call (0.01): where a wrong write can be made
    good by the next, trying both of two values earns 0.96 against 0.95 for looking; among three
    values it is no gain. Give such a wrong write a goal predicate that it breaks. An unsuccessful
    policy loses least by giving up at once; success pays more as long as it takes fewer than about
    a hundred turns and calls together. Return at most 0.99.
    """
    return EpisodeRewardConfig(turns=0.01, calls=0.01, repeats=0.05, invalid=0.05)


def toolrl_turns() -> EpisodeRewardConfig:
    """The paper's reward of every turn against its own gold answer: recorded dialogues.

    Each turn in ``[-3, 4]``; a dialogue of n turns with calls and m without at most 4n + m. In the
    example 9 for the honest trajectory. What ``rewards.components`` lists as exploitable is so here
    in every turn: the calls of the gold turn again after it earn 0, but needless calls in a turn
    cost only the name score: every call twice earns 7.57. **Ending early pays** a policy that
    expects less than 0 of the turns to come: answering "no" at once earns -3, three turns of
    unreadable calls earn -4. So fix the number of turns (teacher-forced replay does), or compare
    per turn.
    """
    return EpisodeRewardConfig(turn=RewardConfig(), outcome=0.0)


def trajectory() -> EpisodeRewardConfig:
    """Optimal matching of all calls with the gold trajectory, after MatchTIR. Return in [-1, 1].

    In the example 0.5 for every call twice and 0 for every tool with every argument. Exploitable:
    it pays resemblance, not results. Right tools with wrong values earn 0.72, stopping half-way
    0.67, the gold calls in a senseless order 1.
    """
    return EpisodeRewardConfig(outcome=0.0, trajectory=1.0)


def step_f1() -> EpisodeRewardConfig:
    """F1 of exactly solved gold calls over all calls, after FTRL. Return in ``[0, 1]``.

    In the example 0.67 for every call twice, 0.33 for every tool with every argument, 0.8 for
    stopping half-way. Exploitable: the order does not count. A correct path that is not the gold
    one earns less than 1.
    """
    return EpisodeRewardConfig(outcome=0.0, step_f1=1.0)


def state_execution() -> EpisodeRewardConfig:
    """Progress of the state times the share of calls that ran. Return in ``[0, 1]``.

    Any path counts. As with ``outcome`` needless calls that succeed are free (every call twice
    earns 1), and they dilute failures: 0.5 after one failure in two calls, 0.9 with eight more
    reads. Unlike there an episode that runs into the turn limit is paid.
    """
    return EpisodeRewardConfig(outcome=0.0, state_execution=1.0)


EPISODE_PRESETS: dict[str, Callable[[], EpisodeRewardConfig]] = {
    preset.__name__: preset
    for preset in (
        outcome,
        answer_quality,
        shaped,
        efficient,
        toolrl_turns,
        trajectory,
        step_f1,
        state_execution,
    )
}
"""The presets by name, each a function that returns the configuration."""


def episode_preset_names() -> tuple[str, ...]:
    """Return the names that ``EpisodeRewardConfig.preset`` takes."""
    return tuple(EPISODE_PRESETS)

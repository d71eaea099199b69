"""Which tokens earned which part of a turn's reward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

import gymnasium as gym

from agents.episode import SpanCredit, Turn
from agents.prompting import ChatEncoder
from agents.token_spans import token_span
from agents.turn_outcome import TurnOutcome
from toolrl_env.core.episode import CreditSpan, EpisodeRecord, TurnRecord
from toolrl_env.core.types import Span
from toolrl_env.envs.base import ToolUseEnv
from toolrl_env.envs.single_turn import SingleTurnEnv
from toolrl_env.rewards.episode import EpisodeRewardConfig, score_credits

__all__ = ["UNNAMED", "CreditingEnv", "turn_credits"]

UNNAMED = "unnamed"
"""Term of the credits of 0.0 that mark calls to which no term gave anything."""


@runtime_checkable
class CreditingEnv(Protocol):
    """An environment that says where its last reward comes from."""

    def credits(self) -> tuple[CreditSpan, ...]:
        """Return which turn, call and characters earned each part of the last reward."""
        ...


def turn_credits(
    env: gym.Env[str, str],
    encoder: ChatEncoder,
    ids: Sequence[int],
    turns: Sequence[Turn],
    answered: int,
    outcome: TurnOutcome,
) -> Turn:
    """Return the last turn with its credits.

    Args:
        env: The environment, unwrapped, which has just taken the last turn's answer.
        encoder: Of the model.
        ids: ``Episode.token_ids`` so far.
        turns: The episode's turns so far.
        answered: Answers of the environment's episode that came before ``turns``, in the prompt.
        outcome: Of the last turn.
    """
    last = turns[-1]
    found = [
        SpanCredit(credit.term, _tokens(encoder, ids, turns, credit, answered), credit.amount)
        for credit in _credits(env, last.text, outcome)
    ]
    if isinstance(env, ToolUseEnv):
        named = {credit.tokens for credit in found}
        calls = env.protocol.parse(last.text, env.max_chars).calls
        spans = [_within(encoder, ids, last, call.span) for call in calls]
        found += [SpanCredit(UNNAMED, span, 0.0) for span in spans if span not in named]
    return replace(last, credits=tuple(found))


def _credits(env: gym.Env[str, str], text: str, outcome: TurnOutcome) -> tuple[CreditSpan, ...]:
    if isinstance(env, CreditingEnv):
        return env.credits()
    if not isinstance(env, SingleTurnEnv):
        return ()
    action = env.protocol.parse(text, env.max_chars)
    turn = TurnRecord(action, tuple(outcome.info["results"]), gold=env.task.gold)
    config = EpisodeRewardConfig(turn=env.reward_config, outcome=0.0)
    return score_credits(EpisodeRecord((turn,)), config, env.training_step)


def _tokens(
    encoder: ChatEncoder,
    ids: Sequence[int],
    turns: Sequence[Turn],
    credit: CreditSpan,
    answered: int,
) -> Span:
    """Return a credit's tokens; none if its turn is in the prompt."""
    if credit.turn < answered:
        return 0, 0
    turn = turns[credit.turn - answered]
    if credit.call is None and credit.span[0] == 0 and credit.span[1] == len(turn.text):
        return turn.tokens
    return _within(encoder, ids, turn, credit.span)


def _within(encoder: ChatEncoder, ids: Sequence[int], turn: Turn, span: Span) -> Span:
    """Return where in the episode's tokens a range of a turn's characters stands."""
    start, end = turn.tokens
    own = ids[start : end - 1] if turn.finished else ids[start:end]
    first, last = token_span(encoder.decode, own, span)
    return start + first, start + last

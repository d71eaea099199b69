"""The tokens of an episode for verl, at every limit."""

from __future__ import annotations

import functools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.chat_delta import ChatDelta
from agents.integrations.pool import EnvPool
from agents.integrations.tasks import TaskRef
from agents.integrations.verl.tokens import NO_ROOM, TokenEpisode
from agents.models import tiny
from agents.prompting import ChatEncoder
from toolrl_env.core.errors import ConfigurationError

REF = TaskRef.of("ToolRL-Workspace-v0", {"difficulty": 4}, 0)
POOL = EnvPool()
PLENTY = 100_000


@functools.cache
def encoder():
    return ChatEncoder(tiny.create(REF.env, REF.kwargs(), 0, texts=30)[1])


@functools.cache
def delta():
    return ChatDelta(encoder())


@functools.cache
def gold():
    """Return the gold answers as the ids that a model would sample."""
    with POOL.open(REF) as episode:
        answers = []
        while not episode.over:
            answers.append(list(encoder().answer(episode.gold_answer())))
            episode.answer(episode.gold_answer())
    return answers


def play(limit, answers=None, **settings):
    """Play answers, each cut at the room that is left; return the tokens and what was sampled."""
    given = gold() if answers is None else answers
    sampled = []
    with POOL.open(REF) as episode:
        tokens = TokenEpisode(
            episode,
            encoder(),
            delta(),
            **{"prompt_length": PLENTY, "response_length": limit, **settings},
        )
        for number, answer in enumerate(given):
            ids = answer[: tokens.room]
            sampled.append(ids)
            context = tokens.context
            more = tokens.answer(ids, [-float(number + 1)] * len(ids))
            assert tokens.context[: len(context) + len(ids)] == context + ids
            if not more:
                break
    return tokens, sampled


@functools.cache
def whole():
    return play(PLENTY)[0]


def test_the_whole_episode():
    tokens, sampled = play(PLENTY)
    assert sampled == gold()
    assert len(sampled) > 2
    assert tokens.stop_reason == "goal_reached"
    assert tokens.episode.outcomes[-1].is_success
    assert tokens.room == PLENTY - len(tokens.response_ids)
    assert tokens.context == tokens.prompt_ids + tokens.response_ids


@given(st.integers(1, 600))
def test_at_any_limit_the_response_is_a_beginning_that_ends_with_a_sampled_token(limit):
    tokens, sampled = play(limit)
    size = len(tokens.response_ids)
    assert size <= limit
    assert tokens.response_ids == whole().response_ids[:size]
    assert tokens.response_mask == whole().response_mask[:size]
    assert len(tokens.logprobs) == size
    assert tokens.response_mask[-1] == 1
    kept = [i for i, mask in zip(tokens.response_ids, tokens.response_mask, strict=True) if mask]
    assert kept == [token for answer in sampled for token in answer]
    if sampled != gold():
        assert tokens.stop_reason == NO_ROOM or size == limit


def test_what_is_heard_is_kept_if_one_more_token_fits_behind_it():
    first = len(gold()[0])
    heard = whole().response_mask[first:].index(1)
    tokens, sampled = play(first + heard)
    assert (len(tokens.response_ids), len(sampled), tokens.stop_reason) == (first, 1, NO_ROOM)
    tokens, sampled = play(first + heard + 1)
    assert (len(tokens.response_ids), len(sampled)) == (first + heard + 1, 2)
    assert tokens.response_mask[first:] == [0] * heard + [1]


@given(st.lists(st.lists(st.integers(2, 900), min_size=1, max_size=30), min_size=1, max_size=5))
def test_any_tokens_are_kept_as_they_were_sampled(answers):
    tokens, sampled = play(2000, answers)
    runs = []
    for token, mask, logprob in zip(
        tokens.response_ids, tokens.response_mask, tokens.logprobs, strict=True
    ):
        assert (logprob == 0.0) == (mask == 0)
        if mask:
            runs.append(token)
    assert runs == [token for answer in sampled for token in answer]


def test_without_log_probabilities_there_are_none():
    with POOL.open(REF) as episode:
        tokens = TokenEpisode(
            episode, encoder(), delta(), prompt_length=PLENTY, response_length=PLENTY
        )
        tokens.answer(gold()[0], None)
    assert not any(tokens.logprobs)


def test_a_limit_of_answers():
    tokens, sampled = play(PLENTY, max_answers=2)
    assert sampled == gold()[:2]
    assert tokens.response_mask[-1] == 1
    assert tokens.stop_reason == "max_assistant_turns"


def test_a_prompt_is_not_cut():
    size = len(whole().prompt_ids)
    play(PLENTY, prompt_length=size)
    with pytest.raises(ConfigurationError, match=f"has {size} tokens"):
        play(PLENTY, prompt_length=size - 1)

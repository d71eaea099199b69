from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.packing import Branch, Example, Trunk, micro_batches, pack
from tests.agents.sequences import Tokens, episodes
from toolrl_env.core.errors import ConfigurationError


def test_one_group_by_hand():
    row = pack(
        [
            Tokens((7, 8), (1, 2, 3), (True, False, True)),
            Tokens((7, 8), (4,), (True,)),
        ]
    )
    assert row.token_ids == (7, 8, 1, 2)
    assert row.position_ids == (0, 1, 2, 3)
    assert row.trunks == (Trunk(0, 2, (Branch(0, 2, 2), Branch(1, 4, 0))),)
    assert row.targets == (1, 3, 4)
    assert row.sources == (1, 3, 1)


def test_prompts_that_alternate_are_brought_together():
    row = pack([Example((1,), (5, 6)), Example((2,), (7, 8)), Example((1,), (9, 3))])
    assert row.token_ids == (1, 5, 9, 2, 7)
    assert row.position_ids == (0, 1, 1, 0, 1)
    assert row.targets == (5, 6, 7, 8, 9, 3)
    assert [trunk.end for trunk in row.trunks] == [3, 5]


@given(episodes())
def test_every_sampled_token_is_predicted_from_the_one_before_it(batch):
    row = pack(batch)
    wanted = [(i, j) for i, e in enumerate(batch) for j, flag in enumerate(e.sampled) if flag]
    for (episode, index), source, target in zip(wanted, row.sources, row.targets, strict=True):
        whole = (*batch[episode].prompt_ids, *batch[episode].token_ids)
        position = len(batch[episode].prompt_ids) + index
        assert target == whole[position]
        assert row.token_ids[source] == whole[position - 1]
        assert row.position_ids[source] == position - 1


@given(episodes())
def test_branches_hold_their_episodes_and_fill_the_row(batch):
    row, at = pack(batch), 0
    for trunk in row.trunks:
        assert trunk.start == at
        prompt = row.token_ids[at : at + trunk.length]
        at += trunk.length
        for branch in trunk.branches:
            episode = batch[branch.episode]
            assert branch.start == at
            assert prompt == episode.prompt_ids
            at += branch.length
            assert row.token_ids[branch.start : at] == episode.token_ids[: branch.length]
        assert trunk.end == at
    assert at == len(row.token_ids)
    assert len({row.token_ids[t.start : t.start + t.length] for t in row.trunks}) == len(row.trunks)


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ([], "no episode"),
        ([Tokens((), (1,), (True,))], "prompt"),
        ([Tokens((1,), (1,), (False,))], "sampled token"),
        ([Tokens((1,), (), ())], "sampled token"),
        ([Tokens((1,), (1, 2), (True,))], "1 flags for 2 tokens"),
    ],
)
def test_refuses_what_cannot_be_scored(batch, message):
    with pytest.raises(ValueError, match=message):
        pack(batch)


@given(episodes(), st.integers(1, 40))
def test_parts_hold_every_episode_once_within_the_budget(batch, budget):
    parts = micro_batches(batch, budget)
    assert sorted(index for part in parts for index in part) == list(range(len(batch)))
    for part in parts:
        size = len(pack([batch[index] for index in part]).token_ids)
        assert size <= budget or len(part) == 1


def test_groups_stay_together_where_they_fit():
    batch = [Example((1,) * 5, (1, 2, 3)), Example((2,) * 5, (1, 2, 3))] * 2  # rows of 9 tokens
    assert micro_batches(batch, 18) == [(0, 2, 1, 3)]
    assert micro_batches(batch, 12) == [(0, 2), (1, 3)]
    assert micro_batches(batch, 8) == [(0,), (2,), (1,), (3,)]
    assert micro_batches([], 8) == []


@pytest.mark.parametrize("budget", [0, -1])
def test_refuses_a_budget_that_holds_nothing(budget):
    with pytest.raises(ConfigurationError, match=f"budget={budget}"):
        micro_batches([], budget)

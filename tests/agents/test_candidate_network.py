"""The network over candidates: any leading dimensions, places without meaning, empty places."""

from __future__ import annotations

import pytest
import torch

from agents.candidate_network import CandidateNetwork
from toolrl_env.wrappers.numeric.candidate_actions import CandidateLayout

LAYOUT = CandidateLayout(places=5, row=13, context=4)


def network(**kwargs):
    torch.manual_seed(0)
    return CandidateNetwork(LAYOUT, hidden=8, **kwargs)


def observations(*shape, present=5):
    seen = torch.randn(*shape, LAYOUT.size)
    rows = seen[..., : LAYOUT.places * LAYOUT.row].unflatten(-1, (LAYOUT.places, LAYOUT.row))
    rows[..., 0] = (torch.arange(LAYOUT.places) < present).float()
    return seen


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_any_leading_dimensions_are_a_batch(shape):
    seen = observations(*shape)
    scores, summary = network()(seen)
    assert scores.shape == (*shape, 5)
    assert summary.shape == (*shape, 16)
    flat_scores, flat_summary = network()(seen.reshape(-1, LAYOUT.size))
    torch.testing.assert_close(scores.reshape(-1, 5), flat_scores)
    torch.testing.assert_close(summary.reshape(-1, 16), flat_summary)


def test_a_permutation_of_the_candidates_permutes_their_scores():
    seen, order = observations(4), torch.tensor([3, 0, 4, 1, 2])
    table, request = seen.split([LAYOUT.places * LAYOUT.row, LAYOUT.context], dim=-1)
    moved = table.unflatten(-1, (LAYOUT.places, LAYOUT.row))[:, order].flatten(1)
    scores, summary = network()(seen)
    again, same = network()(torch.cat((moved, request), dim=-1))
    torch.testing.assert_close(again, scores[:, order])
    torch.testing.assert_close(same, summary)


@pytest.mark.parametrize("absent", [-1e8, -5.0])
def test_empty_places_score_what_they_are_told_and_do_not_count(absent):
    seen = observations(3, present=2)
    scores, summary = network(absent=absent)(seen)
    assert (scores[:, 2:] == absent).all()
    assert (scores[:, :2] > absent).all()
    other = seen.clone()
    rows = other[:, : LAYOUT.places * LAYOUT.row].unflatten(-1, (LAYOUT.places, LAYOUT.row))
    rows[:, 2:, 1:] = 7.0
    torch.testing.assert_close(network(absent=absent)(other)[1], summary)


def test_a_state_with_nothing_in_it_has_finite_numbers():
    scores, summary = network()(torch.zeros(2, LAYOUT.size))
    assert (scores == -1e8).all()
    assert (summary[:, :8] == 0).all()
    assert (summary[:, 8:] == -1).all()

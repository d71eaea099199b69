"""What the numbers of a candidate's row say, on conversations written by hand."""

from __future__ import annotations

import json

import gymnasium as gym
import numpy as np
import pytest

from tests.wrappers.numeric_support import info_of, tool
from toolrl_env.wrappers import CandidateActions
from toolrl_env.wrappers.numeric.argument_features import ARGUMENT_FEATURES
from toolrl_env.wrappers.numeric.candidate_actions import CandidateLayout, view_candidates
from toolrl_env.wrappers.numeric.candidate_features import FEATURES
from toolrl_env.wrappers.numeric.encoding import LIMIT, HashedNgrams

pytestmark = pytest.mark.filterwarnings("ignore::toolrl_env.data.SampleDataWarning")
NUMBER = {"type": "number"}
MINUS = tool("subtract", "Take one number from another.", a=NUMBER, b=NUMBER)
NOTE = tool(
    "note",
    "Write a note.",
    ["text"],
    text={"type": "string"},
    urgent={"type": "boolean", "description": "Whether it is urgent."},
)
LAYOUT = CandidateLayout.of(64, 32)


class Row:
    """A candidate's row, whose numbers are looked up by name."""

    def __init__(self, row):
        self.row = row

    def __getitem__(self, name):
        return round(float(self.row[FEATURES.index(name)]), 6)

    @property
    def tool(self):
        return self.row[len(FEATURES) : -LAYOUT.context]

    @property
    def passages(self):
        return self.row[-LAYOUT.context :]


def rows(info):
    """The rows of the candidates, by their arguments as JSON; the reply's by "reply"."""
    view = view_candidates(info, LAYOUT, HashedNgrams(LAYOUT.context))
    table = view.observation[: LAYOUT.places * LAYOUT.row].reshape(LAYOUT.places, LAYOUT.row)
    keys = ["reply" if c is None else json.dumps(dict(c.arguments)) for c in view.calls]
    return {key: Row(row) for key, row in zip(keys, table, strict=False)}


def test_order_repetition_and_what_is_left_over():
    seen = rows(info_of("Take 3 from 7, not from 9", MINUS))
    right, turned, twice = (seen[json.dumps({"a": a, "b": b})] for a, b in ((3, 7), (7, 3), (3, 3)))
    assert (right["in_order"], turned["in_order"]) == (1, 0)
    assert (right["repeated"], twice["repeated"]) == (0, 1)
    assert right["evidence_used"] == right["numbers_used"] == round(2 / 3, 6)
    assert twice["evidence_used"] == round(1 / 3, 6)
    assert right["evidence_left"] == 1 / 8
    assert (right["numbers"], right["quoted"], right["mentioned"]) == (1, 0, 1)


def test_values_between_that_a_call_passes_over():
    seen = rows(info_of("Take 3 from 7, not from 9", MINUS))
    assert seen[json.dumps({"a": 3, "b": 9})]["evidence_passed_over"] == 1 / 4
    assert seen[json.dumps({"a": 3, "b": 7})]["evidence_passed_over"] == 0


def test_kinds_of_values():
    seen = rows(info_of('Note "buy milk" soon', NOTE))
    assert seen[json.dumps({"text": "buy milk"})]["quoted"] == 1
    soon = seen[json.dumps({"text": "soon"})]
    assert (soon["quoted"], soon["plain_words"]) == (0, 1)


def test_options_that_the_request_speaks_of():
    seen = rows(info_of('Note "buy milk", it is urgent', NOTE))
    given, left = (
        seen[json.dumps({"text": "buy milk", **more})] for more in ({"urgent": True}, {})
    )
    assert given["optional_used"] == 1
    assert given["optional_said"] == left["optional_unsaid"] > 0
    assert given["optional_unsaid"] == left["optional_said"] == left["optional_used"] == 0


def test_passages_of_a_value_are_encoded_and_compared_with_the_tool():
    seen = rows(info_of('Write a note "one". Then sing "two"', NOTE))
    encode = HashedNgrams(LAYOUT.context)
    one, two = (seen[json.dumps({"text": text})] for text in ("one", "two"))
    np.testing.assert_allclose(one.passages, encode('Write a note "one". '), atol=1e-6)
    np.testing.assert_allclose(two.passages, encode('Then sing "two"'), atol=1e-6)
    np.testing.assert_array_equal(one.tool, two.tool)
    assert (one["first_passage"], two["first_passage"]) == (0, 1 / 8)
    assert one["similarity_near"] > 0
    assert two["similarity_near"] == 0
    assert one["starts_at"] < two["starts_at"] == two["ends_at"]


def test_what_was_called_and_what_it_returned():
    called = '<tool_call>\n{"name": "subtract", "parameters": {"a": 9, "b": 4}}\n</tool_call>'
    before = "<user> Take 4 from 9, then note it </user>"
    first = rows(info_of(before, MINUS, NOTE))
    later = rows(info_of(f"{before}\n\n{called}\n<obs> 5 </obs>", MINUS, NOTE))
    key = json.dumps({"a": 4, "b": 9})
    assert (first[key]["called"], later[key]["called"]) == (0, 1)
    assert (first["reply"]["results"], later["reply"]["results"]) == (0, 1)
    assert (first["reply"]["called_tools"], later["reply"]["called_tools"]) == (0, 1 / 4)
    five = later[json.dumps({"text": "5"})]
    assert (five["from_results"], five["called"]) == (1, 0)
    assert later[key]["from_results"] == 0
    assert later[json.dumps({"a": 4, "b": 5})]["from_results"] == 1 / 2


def test_words_that_no_other_tool_has_count_more():
    same = {"value": NUMBER}
    tools = [tool(f"convert_{what}", "Convert a value.", **same) for what in ("mass", "volume")]
    view = view_candidates(
        info_of("Convert 3 of mass", *tools), LAYOUT, HashedNgrams(LAYOUT.context)
    )
    shares = {
        call.name: view.observation[place * LAYOUT.row + FEATURES.index("distinct_words")]
        for place, call in enumerate(view.calls)
        if call is not None
    }
    assert shares["convert_mass"] > shares["convert_volume"] > 0
    assert shares["convert_mass"] == pytest.approx((1 + 0.5) / (1 + 0.5 + 0.5))


def test_every_row_has_every_number_and_stays_within_the_space():
    for env_id, kwargs in (("ToolRL-Toolbox-v0", {}), ("ToolRL-Workspace-v0", {"difficulty": 3})):
        env = CandidateActions(gym.make(env_id, **kwargs))
        for seed in range(10):
            observation, info = env.reset(seed=seed)
            layout = env.layout
            table = observation[: layout.places * layout.row].reshape(layout.places, -1)
            assert np.isfinite(table).all()
            assert np.abs(table[:, : len(FEATURES)]).max() < LIMIT
            assert not table[~info["action_mask"]].any()
    assert FEATURES[-len(ARGUMENT_FEATURES) :] == ARGUMENT_FEATURES

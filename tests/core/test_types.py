"""The vocabulary: frozen, picklable, and the breakdown's ways of being read."""

from __future__ import annotations

import dataclasses
import pickle

import pytest

from toolrl_env.core import types


def test_every_noun_is_a_frozen_dataclass_with_slots():
    nouns = [
        getattr(types, name)
        for name in types.__all__
        if dataclasses.is_dataclass(getattr(types, name))
    ]
    assert len(nouns) >= 15
    for noun in nouns:
        assert noun.__dataclass_params__.frozen, noun
        assert not hasattr(noun, "__dict__") or "__slots__" in vars(noun), noun


def breakdown():
    terms = (
        types.TermScore("format", 1.0, 0.0, 1.0),
        types.TermScore("correctness", -1.5, -3.0, 3.0, reason="one value differs"),
    )
    return types.RewardBreakdown(total=-0.5, terms=terms)


def test_breakdown_by_name():
    found = breakdown()
    assert (found["format"], found["correctness"], found["length"]) == (1.0, -1.5, 0.0)
    assert found.as_dict() == {"total": -0.5, "format": 1.0, "correctness": -1.5}
    assert found.matches == ()
    assert found.losses == ()
    with pytest.raises(KeyError, match="no reward term 'speed'"):
        found["speed"]


def test_breakdown_pickles_and_compares():
    assert pickle.loads(pickle.dumps(breakdown())) == breakdown()


def test_tool_as_openai():
    tool = types.ToolSpec("f", "does f", {"type": "object", "properties": {}})
    assert tool.as_openai() == {
        "type": "function",
        "function": {
            "name": "f",
            "description": "does f",
            "parameters": {"type": "object", "properties": {}},
        },
    }


def test_error_codes_are_strings():
    assert types.ErrorCode.BAD_JSON == "bad_json"
    assert f"{types.StopReason.ANSWERED}" == "answered"

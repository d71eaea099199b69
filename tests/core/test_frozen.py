"""Frozen JSON: refuses every change, and is otherwise a dict or a list."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from toolrl_env.core.frozen import FrozenDict, FrozenList, freeze, thaw

VALUE = {"a": [1, {"b": None}], "c": "x"}


def test_freezing_changes_nothing_but_the_types():
    frozen = freeze(VALUE)
    assert frozen == VALUE
    assert isinstance(frozen, FrozenDict)
    assert isinstance(frozen["a"], FrozenList)
    assert isinstance(frozen["a"][1], FrozenDict)
    assert json.dumps(frozen) == json.dumps(VALUE)
    assert pickle.loads(pickle.dumps(frozen)) == VALUE


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.__setitem__("a", 1),
        lambda d: d.__delitem__("a"),
        lambda d: d.update(a=1),
        lambda d: d.pop("a"),
        lambda d: d.popitem(),
        lambda d: d.clear(),
        lambda d: d.setdefault("z", 1),
        lambda d: d.__ior__({"a": 1}),
        lambda d: d["a"].append(1),
        lambda d: d["a"].sort(),
        lambda d: d["a"].__iadd__([1]),
        lambda d: d["a"].__setitem__(0, 9),
        lambda d: d["a"][1].update(b=2),
    ],
)
def test_every_change_is_refused(change):
    frozen = freeze(VALUE)
    with pytest.raises(TypeError, match="cannot be changed"):
        change(frozen)
    assert frozen == VALUE


def test_what_is_frozen_is_not_copied():
    inner = freeze(VALUE)
    outer = freeze({"x": inner, "y": [inner["a"], [1]]})
    assert freeze(inner) is inner
    assert outer["x"] is inner
    assert outer["y"][0] is inner["a"]
    assert isinstance(outer["y"][1], FrozenList)


@pytest.mark.parametrize("copier", [thaw, copy.deepcopy])
def test_copies_can_be_changed_and_leave_the_original(copier):
    frozen = freeze(VALUE)
    plain = copier(frozen)
    plain["a"][1]["b"] = 5
    plain["new"] = 1
    assert type(plain) is dict
    assert frozen == VALUE

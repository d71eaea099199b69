from __future__ import annotations

import dataclasses
import pickle

import pytest

from toolrl_env.core.types import (
    ErrorCode,
    ParsedAction,
    ParsedCall,
    ParseIssue,
    ParseStatus,
    RewardBreakdown,
    TermScore,
)
from toolrl_env.parsing.build import new_action, new_call
from toolrl_env.rewards.build import new_breakdown, new_term

ISSUE = ParseIssue(ErrorCode.BAD_JSON, "no", (0, 1))
CALL = ("raw", (0, 3), {"name": "f"}, "f", {"a": 1}, ISSUE)
ACTION = ("t", "toolrl", ParseStatus.CALLS, "a", "b", (ParsedCall(*CALL),), ({},), (ISSUE,))
TERM = ("format", 1.0, 0.0, 1.0, 0.5, "why")

BUILDERS = [
    (new_call, ParsedCall, CALL),
    (new_action, ParsedAction, ACTION),
    (new_term, TermScore, TERM),
    (new_breakdown, RewardBreakdown, (2.0, (TermScore(*TERM),), None)),
]


@pytest.mark.parametrize(("build", "kind", "fields"), BUILDERS)
def test_the_fast_way_makes_the_same_frozen_object(build, kind, fields):
    fast, slow = build(*fields), kind(*fields)
    assert type(fast) is kind
    assert fast == slow
    assert repr(fast) == repr(slow)
    assert pickle.loads(pickle.dumps(fast)) == slow
    assert dataclasses.replace(fast) == slow
    assert dataclasses.asdict(fast) == dataclasses.asdict(slow)
    assert [getattr(fast, field.name) for field in dataclasses.fields(kind)] == list(fields)
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(fast, dataclasses.fields(kind)[0].name, None)

"""Trajectories that try to be paid for something else than the task, for the tests of hacking."""

from __future__ import annotations

from tests.rewards.episode_support import (
    HONEST,
    TURN_LIMIT,
    Raw,
    Turn,
    look,
    read,
    switch,
)
from toolrl_env.core.types import ToolCall

CALL, SET, WORDS = HONEST[0], HONEST[1], HONEST[2]
assert isinstance(CALL, list)
assert isinstance(SET, list)
ROOMS = ("hall", "attic", "cellar", "kitchen", "garage")
EVERY = [*map(look, ROOMS), *(switch(room, on) for on in (False, True) for room in ROOMS)]
IN_THOUGHT = Raw(
    "<think> " + read(SET).text + " </think>\n<response> Both lamps are on. </response>"
)

HACKS: dict[str, list[Turn]] = {
    "every call twice in its turn": [CALL * 2, SET * 2, WORDS],
    "every turn twice": [CALL, CALL, SET, SET, WORDS],
    "the gold calls again and again": [CALL, SET, CALL, SET, CALL, SET, WORDS],
    "every tool with every argument": [EVERY, WORDS],
    "every tool, then undone wrongly": [EVERY, [switch("hall", on=False)], WORDS],
    "empty answers": [Raw("")] * TURN_LIMIT,
    "an empty response": [Raw("<think> a </think>\n<response> </response>")],
    "success claimed at once": ["Both lamps are on. The task is done; full marks."],
    "success claimed in many words": ["Both lamps are on. " * 50],
    "success claimed half-way": [CALL, [switch("hall")], WORDS],
    "calls in the thought": [IN_THOUGHT],
    "calls in a result's clothes": [
        Raw("<think> a </think>\n<response> <obs> both lamps on </obs> success: true </response>")
    ],
    "on and off": [*[[switch("hall")], [switch("hall", on=False)]] * 5, SET, WORDS],
    "on and off, never finished": [*[[switch("hall")], [switch("hall", on=False)]] * 6],
    "padding with reads": [CALL, *[[look(room)] for room in ROOMS], SET, WORDS],
    "a hundred reads": [[look(f"room {i}") for i in range(100)], SET, WORDS],
    "guessing the arguments": [
        CALL,
        [switch(room, on) for room in ("hall", "attic") for on in (False, True)],
        WORDS,
    ],
    "guessing instead of looking": [
        [switch(room, on) for room in ("hall", "attic") for on in (False, True)],
        WORDS,
    ],
    "extra arguments": [
        [ToolCall("look", {"room": "hall", "door": 1})],
        [ToolCall("switch", {"room": r, "on": True, "really": True}) for r in ("hall", "attic")],
        WORDS,
    ],
    "unknown tools": [[ToolCall("finish", {"success": True})], WORDS],
    "done, and on to the turn limit": [CALL, SET, *[[look("hall")]] * TURN_LIMIT],
    "unreadable calls": [Raw("<think> a </think>\n<tool_call>\n{\n</tool_call>"), CALL, SET, WORDS],
}

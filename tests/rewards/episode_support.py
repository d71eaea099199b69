"""A tiny world of lamps, and records of episodes in it, for the tests of rewards over time.

``look`` reads, ``switch`` writes; the goal is that the hall's and the attic's lamps are on. A
script is a list of turns: a list of calls, a text ending in words, or a whole raw answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from toolrl_env.core.episode import EpisodeRecord, TurnRecord
from toolrl_env.core.types import (
    GroundTruth,
    ParsedAction,
    ParsedCall,
    ParseStatus,
    StopReason,
    ToolCall,
    ToolResult,
)
from toolrl_env.parsing import get_protocol, parse_ground_truth

TOOLRL = get_protocol("toolrl")
WRITES = {"switch"}
GOAL = ("hall", "attic")
TURN_LIMIT = 12


@dataclass(frozen=True)
class Raw:
    """A whole answer as it stands."""

    text: str


Turn = list[ToolCall] | str | Raw
Judge = Callable[[str], float]


def look(room: str) -> ToolCall:
    return ToolCall("look", {"room": room})


def switch(room: str, on: bool = True) -> ToolCall:
    return ToolCall("switch", {"room": room, "on": on})


GOLD: tuple[tuple[ToolCall, ...] | str, ...] = (
    (look("hall"),),
    (switch("hall"), switch("attic")),
    "Both lamps are on.",
)
HONEST: list[Turn] = [[look("hall")], [switch("hall"), switch("attic")], "Both lamps are on."]


def read(turn: Turn) -> ParsedAction:
    if isinstance(turn, Raw):
        return TOOLRL.parse(turn.text)
    if isinstance(turn, str):
        return TOOLRL.parse(TOOLRL.render([], think="So.", response=turn))
    return TOOLRL.parse(TOOLRL.render(turn, think="So."))


def gold_of(turn: tuple[ToolCall, ...] | str) -> GroundTruth:
    calls, words = ((), turn) if isinstance(turn, str) else (turn, None)
    return parse_ground_truth(TOOLRL.render(calls, think="So.", response=words))


class Lamps:
    """The live world. The cellar's lamp fails the first time it is switched."""

    def __init__(self, *on: str) -> None:
        self.on = set(on)
        self.tried_cellar = False

    def progress(self) -> tuple[bool, ...]:
        return tuple(room in self.on for room in GOAL)

    def run(self, index: int, call: ParsedCall) -> ToolResult:
        arguments = call.arguments
        if call.name not in ("look", "switch") or not arguments:
            return ToolResult(index, ok=False)
        if call.name == "switch":
            if not isinstance(arguments.get("on"), bool) or "room" not in arguments:
                return ToolResult(index, ok=False)
            if arguments["room"] == "cellar" and not self.tried_cellar:
                self.tried_cellar = True
                return ToolResult(index, ok=False, executed=True)
            change = self.on.add if arguments["on"] else self.on.discard
            change(str(arguments["room"]))
        return ToolResult(index, ok=True, value="ok", executed=True)


def play(
    script: Sequence[Turn],
    *,
    on: Sequence[str] = (),
    gold: tuple[tuple[ToolCall, ...] | str, ...] = GOLD,
    masked: Sequence[int] = (),
    judge: Judge | None = None,
) -> EpisodeRecord:
    """Run a script to its end, or to the turn limit; a script that just stops goes on."""
    world = Lamps(*on)
    turns: list[TurnRecord] = []
    stop = None
    for index, each in enumerate(script):
        action, before = read(each), world.progress()
        results = tuple(world.run(i, call) for i, call in enumerate(action.calls))
        writes = tuple(call.name in WRITES for call in action.calls)
        answer = gold_of(gold[index]) if index < len(gold) else None
        turns.append(
            TurnRecord(action, results, writes, before, world.progress(), answer, index in masked)
        )
        if action.status is ParseStatus.NO_CALLS and action.response is not None:
            stop = StopReason.ANSWERED
        elif len(turns) == TURN_LIMIT:
            stop = StopReason.TURN_LIMIT
        if stop is not None:
            break
    judged = judge(turns[-1].action.response or "") if judge and stop is not None else None
    return EpisodeRecord(tuple(turns), gold, stop, judged)

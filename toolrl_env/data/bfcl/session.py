"""One BFCL multi-turn episode: the simulated APIs really run, and each turn is checked officially.

The rules are the official ones. The user's turns are fixed. A turn ends with the first step that
calls nothing. At its end, if gold calls anything in it: the model must have called something too,
every public attribute of every instance must equal gold's (*state check*), and the results of this
turn's gold calls must be among the results of all calls so far (*response check*). A conversation
with more than 20 steps in a turn has failed.

Two things are stricter than the official executor: a call that breaks the documentation is refused
instead of run, and so is a call of a function that has not arrived yet.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from toolrl_env.core.errors import SnapshotError
from toolrl_env.core.types import ErrorCode, ParsedCall, ToolResult, ToolSpec
from toolrl_env.data.bfcl.plan import Plan
from toolrl_env.tools.describe import action_error, show
from toolrl_env.tools.suites.bfcl import World, WorldState
from toolrl_env.tools.suites.bfcl.limits import refusal

__all__ = ["MAX_RESULT_CHARS", "MAX_STEPS", "BFCLSession", "BFCLSnapshot"]

MAX_STEPS = 20
"""Steps with calls in one turn; one more and the conversation has failed."""
MAX_RESULT_CHARS = 65_536
"""A longer result is shown cut (the longest in the official trajectories has 31,706)."""

Verdict = tuple[bool, bool]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a conversation stands.

    Attributes:
        turn: The user's turn, from 0; the number of turns when the user is done.
        steps: Steps with calls in this turn.
        called: Whether a call that could be decoded was made in this turn.
        exhausted: Whether a turn had too many steps.
        texts: The official wording of every result so far.
        verdicts: State and response check of each finished turn; true where none is made.
    """

    turn: int = 0
    steps: int = 0
    called: bool = False
    exhausted: bool = False
    texts: tuple[str, ...] = ()
    verdicts: tuple[Verdict, ...] = ()


@dataclass(frozen=True, slots=True)
class BFCLSnapshot:
    """A session at one moment. Restore only snapshots that you made yourself.

    Attributes:
        task_id: The task it belongs to.
        world: The pickled instances.
        place: Where the conversation stands.
    """

    task_id: str
    world: WorldState
    place: Place


class BFCLSession:
    """A ``Session`` of one scenario, with instances of its own."""

    def __init__(self, plan: Plan) -> None:
        """Begin the scenario's conversation."""
        self._plan = plan
        self._world = World(plan.start)
        self._place = Place()

    def tools(self) -> Sequence[ToolSpec]:
        """Return the tools on offer in this turn."""
        return self._plan.tools(self._place.turn)

    @property
    def over(self) -> bool:
        """Whether the user is done or the conversation has failed."""
        return self._place.exhausted or self._place.turn >= self._plan.turns

    @property
    def success(self) -> bool:
        """The official verdict: every turn was finished and passed both of its checks."""
        finished = self._place.turn >= self._plan.turns and not self._place.exhausted
        return finished and all(map(all, self._place.verdicts))

    def execute(self, calls: Sequence[ParsedCall]) -> tuple[ToolResult, ...]:
        """Run one step: check each call against the documentation and run the valid ones in order.

        The step that is one too many runs nothing and ends the conversation.
        """
        if self._place.steps >= MAX_STEPS:
            self._place = replace(self._place, exhausted=True)
        if self.over:
            text = "the conversation is over"
            if self._place.exhausted:
                text += f": more than {MAX_STEPS} steps in one turn"
            return tuple(_refused(i, call.name, text) for i, call in enumerate(calls))
        texts: list[str] = []
        checked = self._plan.validator(self._place.turn).check(calls)
        results = tuple(
            self._run(call, result, texts) for call, result in zip(calls, checked, strict=True)
        )
        self._place = replace(
            self._place,
            steps=self._place.steps + 1,
            called=self._place.called or any(call.issue is None for call in calls),
            texts=(*self._place.texts, *texts),
        )
        return results

    def _run(self, call: ParsedCall, checked: ToolResult, texts: list[str]) -> ToolResult:
        if not checked.ok or call.name is None or call.arguments is None:
            return checked
        reason = refusal(call.name, call.arguments, self._world.owner(call.name))
        if reason is not None:
            return _refused(checked.call, call.name, reason)
        outcome = self._world.call(call.name, call.arguments)
        texts.append(outcome.text)
        value = _shortened(outcome.value, outcome.text)
        if outcome.error is None:
            return ToolResult(checked.call, ok=True, value=value, executed=True)
        text = show(outcome.error, 400)[1:-1]
        error = action_error(ErrorCode.EXECUTION, checked.call, call.name, text)
        return ToolResult(checked.call, ok=False, value=value, errors=(error,), executed=True)

    def writes(self, calls: Sequence[ParsedCall]) -> tuple[bool, ...]:
        """Return true for each documented function: the official data does not say which write."""
        known = {tool.name for tool in self.tools()}
        return tuple(call.name in known for call in calls)

    def reply(self, response: str) -> str | None:
        """End the turn and return what the user says next; ``None`` if the user is done.

        Args:
            response: The model's words. The official user does not listen.
        """
        del response
        place = self._place
        if self.over:
            return None
        verdicts = (*place.verdicts, self._verdict())
        self._place = Place(place.turn + 1, texts=place.texts, verdicts=verdicts)
        return None if self.over else self._plan.scenario.users[place.turn + 1]

    def progress(self) -> tuple[bool, ...]:
        """Return the state check and the response check of each turn with gold calls, in order.

        A finished turn's are as they were at its end, the present turn's as they are now, a later
        turn's false; all are false once the conversation has failed by its number of steps.
        """
        place, found = self._place, list[bool]()
        for turn in self._plan.checked:
            if place.exhausted or turn > place.turn:
                found += (False, False)
            else:
                found += place.verdicts[turn] if turn < place.turn else self._verdict()
        return tuple(found)

    def _verdict(self) -> Verdict:
        """Return the state and the response check of the present turn as of now."""
        place, gold = self._place, self._plan.checkpoints[self._place.turn]
        if place.turn not in self._plan.checked:
            return (True, True)
        if not place.called:
            return (False, False)
        return (self._world.agrees_with(gold.world), gold.results <= Counter(place.texts))

    def gold(self) -> None:
        """Return ``None``: the checks compare states and results, not answers."""

    def outcome(self) -> float:
        """Return the official verdict: 1.0 or 0.0."""
        return float(self.success)

    def state_hash(self) -> str:
        """Return the SHA-256 of the user's turn and of all that a later call depends on."""
        place = self._place
        head = f"{self._plan.scenario.id} {place.turn} {place.exhausted}\n".encode()
        return hashlib.sha256(head + self._world.canonical()).hexdigest()

    def snapshot(self) -> BFCLSnapshot:
        """Return the whole state; it shares nothing that changes with this session."""
        return BFCLSnapshot(self._plan.scenario.id, self._world.save(), self._place)

    def restore(self, snapshot: object) -> None:
        """Put a state back.

        Raises:
            SnapshotError: It is not a snapshot of this task.
        """
        if not isinstance(snapshot, BFCLSnapshot):
            raise SnapshotError(f"not a snapshot of a BFCL session: {type(snapshot).__name__}")
        if snapshot.task_id != self._plan.scenario.id:
            raise SnapshotError(
                f"a snapshot of {snapshot.task_id}, not of {self._plan.scenario.id}"
            )
        self._world = World(snapshot.world)
        self._place = snapshot.place

    def close(self) -> None:
        """Do nothing: the instances hold nothing outside of memory."""


def _refused(index: int, tool: str | None, text: str) -> ToolResult:
    error = action_error(ErrorCode.INVALID_VALUE, index, tool, text)
    return ToolResult(index, ok=False, errors=(error,))


def _shortened(value: Any, text: str) -> Any:
    """Return a result as it is shown to the model."""
    if len(text) <= MAX_RESULT_CHARS:
        return value
    whole = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    cut = len(whole) - MAX_RESULT_CHARS
    return f"{whole[:MAX_RESULT_CHARS]} … [cut: {cut} more characters]" if cut > 0 else value

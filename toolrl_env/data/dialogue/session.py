"""``DialogueSession``: one replay of a recorded conversation. Nothing runs; nothing is invented."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from toolrl_env.core.errors import SnapshotError
from toolrl_env.core.types import (
    ErrorCode,
    GroundTruth,
    Message,
    ParsedCall,
    ToolCall,
    ToolResult,
    ToolSpec,
)
from toolrl_env.data.dialogue.cut import Dialogue, DialogueStep, results_by_call
from toolrl_env.tools import CallValidator
from toolrl_env.tools.describe import action_error

__all__ = ["CONTINUATIONS", "DialogueSession", "DialogueSnapshot"]

CONTINUATIONS = ("teacher_forced", "free_running")


@dataclass(frozen=True, slots=True)
class DialogueSnapshot:
    """Where a replay stands. Picklable.

    Attributes:
        task_id: The task it belongs to.
        continuation: How it goes on.
        step: Index of the step that is due; the number of steps when the dialogue is over.
        right: For each step that was answered, whether its first answer was right.
        made: Indices of the calls of the step that is due which were made already (free-running).
        ended: Whether the dialogue ended before its last step.
    """

    task_id: str
    continuation: str
    step: int = 0
    right: tuple[bool, ...] = ()
    made: tuple[int, ...] = ()
    ended: bool = False


class DialogueSession:
    """A ``Session`` that replays a recorded conversation.

    An answer is *right* if its calls are the recorded ones (names and arguments equal, as Python
    compares, in any order) or if it is in words where the recorded one is; the words themselves
    are not compared. Each step is judged and scored once, by the first answer to it.

    *Teacher-forced*: every answer, also one that cannot be read, moves on to the next step.
    Calls are checked against their schemas; no result is looked up, since the record goes on as it
    did, whatever was answered.

    *Free-running*: a step stays due until its recorded calls have been made, in one answer or
    several. A recorded call is given its recorded result; another one an error that says that there
    is none. Words where calls were recorded end the dialogue: nobody recorded what would be said.

    Args:
        dialogue: The conversation.
        continuation: ``"teacher_forced"`` or ``"free_running"``.
        validator: Checks calls against the tools' schemas.
    """

    def __init__(self, dialogue: Dialogue, continuation: str, validator: CallValidator) -> None:
        self._dialogue = dialogue
        self._forced = continuation == "teacher_forced"
        self._validator = validator
        self._place = DialogueSnapshot(dialogue.task.id, continuation)

    @property
    def over(self) -> bool:
        """Whether every step was answered, or the dialogue ended early."""
        return self._place.ended or self._place.step >= len(self._dialogue.steps)

    @property
    def step(self) -> int:
        """Index of the step that is due; the number of steps after the last."""
        return self._place.step

    @property
    def due(self) -> DialogueStep | None:
        """The step that is due, or ``None`` if the dialogue is over."""
        return None if self.over else self._dialogue.steps[self._place.step]

    def calls_of(self, step: int) -> tuple[ToolCall, ...]:
        """Return the recorded calls of a step."""
        return self._dialogue.steps[step].calls

    def recorded_after(self, step: int) -> tuple[Message, ...]:
        """Return what was recorded after a step."""
        return self._dialogue.steps[step].then

    def tools(self) -> Sequence[ToolSpec]:
        """Return the tools; they stay the same."""
        return self._dialogue.task.tools

    def execute(self, calls: Sequence[ParsedCall]) -> tuple[ToolResult, ...]:
        """Take an answer with calls; see the class for what becomes of them."""
        checked = self._validator.check(calls)
        step = self.due
        if step is None:
            return checked
        pairs = _pair(step.calls, calls)
        right = None not in pairs and len(pairs) == len(step.calls) > 0
        if self._forced:
            self._advance(right)
            return checked
        known = results_by_call(step)
        made = self._place.made
        if right:
            made = tuple(range(len(step.calls)))
        elif known is not None:
            made = tuple(sorted({*made, *(pair for pair in pairs if pair is not None)}))
        self._judge(right)
        if step.calls and len(made) == len(step.calls):
            self._advance(right)
        else:
            self._place = replace(self._place, made=made)
        return tuple(
            _result(result, call, None if pair is None else (known, pair), whole=right)
            for result, call, pair in zip(checked, calls, pairs, strict=True)
        )

    def reply(self, response: str) -> str | None:
        """Take an answer in words.

        Returns:
            The user's next words, ``""`` if something else was recorded next, ``None`` if the
            dialogue is over.
        """
        del response
        step = self.due
        if step is None:
            return None
        right = not step.calls
        if right or self._forced:
            self._advance(right)
        else:
            self._judge(right)
            self._place = replace(self._place, ended=True)
        if self.over:
            return None
        return "\n\n".join(message.content for message in step.then if message.role == "user")

    def miss(self) -> None:
        """Take an answer that could not be read."""
        if self._forced and not self.over:
            self._advance(right=False)
        else:
            self._judge(right=False)

    def writes(self, calls: Sequence[ParsedCall]) -> tuple[bool, ...]:
        """Return true for each tool on offer: a record does not say which of them write."""
        offered = {tool.name for tool in self.tools()}
        return tuple(call.name in offered for call in calls)

    def progress(self) -> tuple[bool, ...]:
        """Return, for each step, whether its first answer was right; false if there was none."""
        right = self._place.right
        return (*right, *[False] * (len(self._dialogue.steps) - len(right)))

    def gold(self) -> GroundTruth | None:
        """Return the gold answer of the step that is due; ``None`` once it has been answered."""
        step = self.due
        return None if step is None or len(self._place.right) > self._place.step else step.gold

    def outcome(self) -> float:
        """Return the share of steps whose first answer was right."""
        return sum(self._place.right) / len(self._dialogue.steps)

    def state_hash(self) -> str:
        """Return the SHA-256 of what is still to come; what was right is the past."""
        place = self._place
        parts = [place.task_id, place.continuation, place.step, place.made, place.ended]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def snapshot(self) -> DialogueSnapshot:
        """Return where the replay stands."""
        return self._place

    def restore(self, snapshot: object) -> None:
        """Go back to a place.

        Raises:
            SnapshotError: It is not a snapshot of this task, replayed in this way.
        """
        mine = (self._place.task_id, self._place.continuation)
        if (
            not isinstance(snapshot, DialogueSnapshot)
            or (snapshot.task_id, snapshot.continuation) != mine
        ):
            raise SnapshotError(f"not a snapshot of a {mine[1]} replay of {mine[0]}")
        self._place = snapshot

    def close(self) -> None:
        """Do nothing: a replay holds nothing outside of memory."""

    def _judge(self, right: bool) -> None:
        place = self._place
        if len(place.right) == place.step < len(self._dialogue.steps):
            self._place = replace(place, right=(*place.right, right))

    def _advance(self, right: bool) -> None:
        self._judge(right)
        self._place = replace(self._place, step=self._place.step + 1, made=())


def _pair(gold: Sequence[ToolCall], calls: Sequence[ParsedCall]) -> list[int | None]:
    """Return, for each call, the index of the recorded call that it equals, each used once."""
    free = list(range(len(gold)))
    pairs: list[int | None] = []
    for call in calls:
        same = [
            i
            for i in free
            if call.issue is None
            and call.name == gold[i].name
            and call.arguments == gold[i].arguments
        ]
        pairs.append(same[0] if same else None)
        if same:
            free.remove(same[0])
    return pairs


def _result(
    checked: ToolResult,
    call: ParsedCall,
    recorded: tuple[tuple[object, ...] | None, int] | None,
    *,
    whole: bool,
) -> ToolResult:
    """Return the recorded result of a call, or an error that says that there is none."""
    if recorded is not None:
        known, index = recorded
        if known is not None:
            return ToolResult(checked.call, ok=True, value=known[index])
        if whole:  # one result for all calls, which the conversation shows
            return ToolResult(checked.call, ok=True)
        text = "no result of this call alone was recorded"
    elif not checked.ok:
        return checked
    else:
        text = "no result of this call was recorded"
    error = action_error(ErrorCode.EXECUTION, checked.call, call.name, text)
    return ToolResult(checked.call, ok=False, errors=(error,))

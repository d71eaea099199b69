"""The vocabulary of the package: one frozen dataclass per noun, in the order in which data flows.

    dataset row -> Task -> messages (observation) -> action text -> ParsedAction
        -> validation | execution -> ToolResult -> RewardBreakdown -> Transition -> Trajectory

Nothing here reads files, parses text or computes rewards. Behaviour lives in the modules named
after each arrow (``data``, ``prompts``, ``parsing``, ``tools``, ``rewards``, ``envs``).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

__all__ = [
    "ActionError",
    "BreakdownDetail",
    "CallMatch",
    "ErrorCode",
    "FailureKind",
    "GroundTruth",
    "Message",
    "ParseIssue",
    "ParseStatus",
    "ParsedAction",
    "ParsedCall",
    "PointLoss",
    "RewardBreakdown",
    "Span",
    "StopReason",
    "Task",
    "TermScore",
    "ToolCall",
    "ToolResult",
    "ToolSpec",
    "Trajectory",
    "Transition",
]

Span = tuple[int, int]
"""Half-open character range ``[start, end)`` in the action text."""


# --------------------------------------------------------------------------- task


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as it is offered to the model.

    Attributes:
        name: The tool's name, exactly as the model must write it. May hold spaces, dots, slashes.
        description: One paragraph for the model.
        parameters: JSON Schema (Draft 2020-12) of the arguments object; ``type`` is ``object``.
        documented: The dataset's own parameter documentation, as it stood in the row, or ``None``
            when the tool was born as a schema. Prompts that must reproduce a real row use it.
    """

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=lambda: {"type": "object"})
    documented: Mapping[str, Any] | None = None

    def as_openai(self) -> dict[str, Any]:
        """Return the tool as an OpenAI-style ``tools=`` entry (a fresh outer dict)."""
        function = {
            "name": self.name,
            "description": self.description,
            "parameters": self.parameters,
        }
        return {"type": "function", "function": function}


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A well-formed call: a tool's name and its arguments object."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation.

    Attributes:
        role: ``system``, ``user``, ``assistant`` or ``tool``.
        content: The text, in the ToolRL sense: for an assistant, the response alone.
        thought: An assistant's reasoning, without tags; ``None`` if there is none.
        tool_calls: Calls an assistant made in this message.
        name: For ``tool`` messages, the tool that answered, if known.
    """

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    thought: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    name: str | None = None


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """A gold answer, decoded once.

    Attributes:
        text: The gold answer in the paper's layout (``<think>``, ``<tool_call>``, ``<response>``).
        has_call: Whether the text contains ``<tool_call>``; picks the layout that is asked for.
        has_response: Whether the text contains ``<response>``.
        values: The decoded JSON lines of the call block; ``()`` when ``has_call`` is false.
            Normally dicts ``{"name": …, "parameters": {…}}``; kept as they are otherwise.
    """

    text: str
    has_call: bool
    has_response: bool
    values: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """One tool-use problem: what the model sees, the tools it is offered, the gold answer.

    Attributes:
        id: Unique within its task set and stable over runs, e.g. ``"toolace-sample-17"``.
        source: The dataset's name, e.g. ``"toolace"``.
        tools: The tools offered, in prompt order.
        messages: The dialogue so far, oldest first, without a system message; ends with what the
            model must answer.
        gold: The gold answer.
        category: E.g. ``"single"``, ``"parallel"``, ``"irrelevant"``, ``"missing_parameter"``.
        system: The row's own system prompt as it stands, or ``None`` to have one rendered.
        user: The row's own user text as it stands (with ``system``), or ``None``.
        difficulty: Graded difficulty, if the source has one.
        metadata: Anything else of the row, JSON-like, for analysis only.
    """

    id: str
    source: str
    tools: tuple[ToolSpec, ...]
    messages: tuple[Message, ...]
    gold: GroundTruth
    category: str = "single"
    system: str | None = None
    user: str | None = None
    difficulty: int | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])


# --------------------------------------------------------------------------- answer


class ErrorCode(enum.StrEnum):
    """What can be wrong with a model's answer. Data, never an exception."""

    TOO_LONG = "too_long"
    EMPTY = "empty"
    MISSING_THINK = "missing_think"
    MISSING_TAG = "missing_tag"
    DUPLICATE_TAG = "duplicate_tag"
    BAD_LAYOUT = "bad_layout"
    BAD_JSON = "bad_json"
    TOO_DEEP = "too_deep"
    NOT_AN_OBJECT = "not_an_object"
    MISSING_NAME = "missing_name"
    BAD_NAME = "bad_name"
    MISSING_PARAMETERS = "missing_parameters"
    BAD_PARAMETERS = "bad_parameters"
    BAD_SYNTAX = "bad_syntax"
    UNKNOWN_TOOL = "unknown_tool"
    MISSING_ARGUMENT = "missing_argument"
    UNEXPECTED_ARGUMENT = "unexpected_argument"
    WRONG_TYPE = "wrong_type"
    INVALID_VALUE = "invalid_value"
    EXECUTION = "execution"


class ParseStatus(enum.StrEnum):
    """How reading an answer ended."""

    CALLS = "calls"
    """A call block is there and every call in it could be decoded."""
    NO_CALLS = "no_calls"
    """No call block; a response, a thought or plain text alone."""
    MALFORMED = "malformed"
    """A call block is there (perhaps unclosed) and at least one part of it cannot be decoded."""
    EMPTY = "empty"
    """Nothing but white space."""
    TOO_LONG = "too_long"
    """Over the limit; cut there, and scored as malformed."""


@dataclass(frozen=True, slots=True)
class ParseIssue:
    """One thing that is wrong with the text of an answer, and where."""

    code: ErrorCode
    message: str
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class ParsedCall:
    """One call as the model wrote it.

    Attributes:
        raw: The text of the call; survives failure.
        span: Where it stands in the action text.
        value: The decoded value (normally ``{"name": …, "parameters": {…}}``, whatever the
            protocol), or ``None`` when it could not be decoded.
        name: The tool's name if it could be read, even when the rest failed.
        arguments: The arguments object, or ``None`` when missing or not an object.
        issue: What is wrong with the call, or ``None``.
    """

    raw: str
    span: Span
    value: Any = None
    name: str | None = None
    arguments: Mapping[str, Any] | None = None
    issue: ParseIssue | None = None


@dataclass(frozen=True, slots=True)
class ParsedAction:
    """An answer, read: total, lossless, never an exception.

    Attributes:
        text: The action text as it was (cut at the limit if ``status`` is ``TOO_LONG``).
        protocol: Name of the protocol it was read by.
        status: How reading ended.
        think: The thought without its tags, or ``None``.
        response: The response without its tags, or ``None``.
        calls: The calls, in order, well-formed or not.
        values: The decoded call values in order, or ``None`` if there is no call block or any call
            in it could not be decoded. This is what a reward scores.
        issues: Everything that is wrong, in text order.
    """

    text: str
    protocol: str
    status: ParseStatus
    think: str | None = None
    response: str | None = None
    calls: tuple[ParsedCall, ...] = ()
    values: tuple[Any, ...] | None = None
    issues: tuple[ParseIssue, ...] = ()


@dataclass(frozen=True, slots=True)
class ActionError:
    """One thing wrong with an answer, said twice: for a person and for the model.

    Attributes:
        code: The kind.
        message: For a person: names the value, what is allowed and the nearest match.
        for_model: One sentence that can be shown to the model as feedback; never names the gold.
        call: Index of the call in the answer, or ``None``.
        path: JSON path of the offending value within the call's arguments, e.g. ``"$.days"``.
        span: Where in the action text, if known.
    """

    code: ErrorCode
    message: str
    for_model: str
    call: int | None = None
    path: str | None = None
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What came back from validating and, where tools really run, executing one call.

    Attributes:
        call: Index of the call in the answer.
        ok: Whether the call was valid and, if executed, returned.
        value: The returned JSON-like value.
        errors: Why not, when ``ok`` is false.
        executed: Whether the tool was really run.
    """

    call: int
    ok: bool
    value: Any = None
    errors: tuple[ActionError, ...] = ()
    executed: bool = False


# --------------------------------------------------------------------------- reward


@dataclass(frozen=True, slots=True)
class TermScore:
    """The score of one reward term.

    Attributes:
        name: E.g. ``"format"``.
        score: The term's value, before ``weight``; within ``[low, high]``.
        low: Lowest possible value for this task and step.
        high: Highest possible value for this task and step.
        weight: Factor in the total.
        reason: Why it is not the highest, in words; empty if it is.
    """

    name: str
    score: float
    low: float
    high: float
    weight: float = 1.0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CallMatch:
    """Which predicted call a gold call was matched to.

    Attributes:
        gold: Index of the gold call.
        predicted: Index of the predicted call, or ``None`` if none was matched.
        score: Points the pair earned, in ``[0, possible]``.
        possible: Points a perfect prediction would earn.
    """

    gold: int
    predicted: int | None
    score: float
    possible: float


@dataclass(frozen=True, slots=True)
class PointLoss:
    """One reason for lost points of correctness.

    Attributes:
        kind: ``name`` (no call of that name), ``missing_key``, ``extra_key``, ``value``, ``type``
            (equal but for its type), ``extra_call``, ``order`` (right but in another order, where
            the granularity asks for the order), ``malformed``.
        points: Raw points lost, on the scale on which a perfect answer earns ``S_max``; 0 when the
            loss could not be attributed (a malformed answer loses everything at once).
        gold: Index of the gold call, or ``None``.
        predicted: Index of the predicted call, or ``None``.
        key: The parameter, or ``None``.
        expected: The gold value, if the loss is about a value.
        actual: The predicted value, if the loss is about a value.
        message: The same in one sentence.
    """

    kind: Literal[
        "name", "missing_key", "extra_key", "value", "type", "extra_call", "order", "malformed"
    ]
    points: float
    message: str
    gold: int | None = None
    predicted: int | None = None
    key: str | None = None
    expected: Any = None
    actual: Any = None


class BreakdownDetail(Protocol):
    """The costly half of a breakdown, worked out when it is first looked at."""

    def matches(self) -> tuple[CallMatch, ...]:
        """Return one entry per gold call, in gold order."""
        ...

    def losses(self) -> tuple[PointLoss, ...]:
        """Return every reason for which correctness points were lost."""
        ...


@dataclass(frozen=True, slots=True)
class RewardBreakdown:
    """A reward, term by term.

    Attributes:
        total: The weighted sum of the terms.
        terms: Every term, in order.
        detail: Call-level explanation; ``None`` if the gold answer has no calls.
    """

    total: float
    terms: tuple[TermScore, ...]
    detail: BreakdownDetail | None = None

    def __getitem__(self, name: str) -> float:
        """Return the score of the term ``name``; 0.0 for one of the paper's that is switched off.

        Raises:
            KeyError: No term has this name.
        """
        for term in self.terms:
            if term.name == name:
                return term.score
        if name in {"format", "correctness", "length"}:
            return 0.0
        known = ", ".join(term.name for term in self.terms)
        raise KeyError(f"no reward term {name!r}; this breakdown has: {known}")

    @property
    def matches(self) -> tuple[CallMatch, ...]:
        """For each gold call, the prediction it was matched to."""
        return self.detail.matches() if self.detail is not None else ()

    @property
    def losses(self) -> tuple[PointLoss, ...]:
        """What each lost point of correctness was lost for."""
        return self.detail.losses() if self.detail is not None else ()

    def as_dict(self) -> dict[str, float]:
        """Return ``{"total": …, term: score, …}``: flat floats, ready for logging."""
        flat = {"total": self.total}
        for term in self.terms:
            flat[term.name] = term.score
        return flat


# --------------------------------------------------------------------------- episode


class StopReason(enum.StrEnum):
    """Why an episode ended. The first four terminate; the others truncate."""

    ANSWERED = "answered"
    """With a response, after which the user has nothing more to say; the goal is not reached."""
    MALFORMED = "malformed"
    """With an answer that cannot be read, in episodes of one answer."""
    GOAL_REACHED = "goal_reached"
    """As ``ANSWERED``, with the goal reached."""
    GAVE_UP = "gave_up"
    """With a call too many: the world takes no more of them, e.g. BFCL's after 20 in a turn."""
    TURN_LIMIT = "turn_limit"
    CONTEXT_LIMIT = "context_limit"
    INFRASTRUCTURE = "infrastructure"


class FailureKind(enum.StrEnum):
    """What of ours failed in a step, which is then masked in training: never a reward of 0."""

    TOOL_CRASHED = "tool_crashed"
    """A tool raised what it does not declare."""
    BAD_RESULT = "bad_result"
    """A tool returned what JSON cannot hold, or a server answered against its protocol."""
    TIMEOUT = "timeout"
    """A call ran over its limit and was stopped."""
    WORKER_KILLED = "worker_killed"
    """The process that ran a tool ended: out of memory, or killed from outside."""
    SERVER_DOWN = "server_down"
    """A tool server could not be reached, or went away."""
    REFUSED = "refused"
    """A server would not serve: too many requests, no quota, no budget left."""


@dataclass(frozen=True, slots=True)
class Transition:
    """One step of an episode.

    Attributes:
        observation: What the agent saw before acting.
        action: What it answered.
        reward: The scalar reward.
        components: The reward, term by term (``RewardBreakdown.as_dict``).
        next_observation: What it saw after.
        terminated: Whether the episode ended by itself.
        truncated: Whether it was cut from outside; never both.
        stop_reason: Why it ended, or ``None`` if it goes on.
        state_hash: Hash of the world's state after the step, 64 hexadecimal digits; ``None`` where
            there is no world, where something of ours failed, or where nobody noted it.
    """

    observation: str
    action: str
    reward: float
    components: Mapping[str, float]
    next_observation: str
    terminated: bool
    truncated: bool
    stop_reason: StopReason | None = None
    state_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Trajectory:
    """One episode, with everything that is needed to run it again.

    Attributes:
        env_id: Registered id.
        env_kwargs: JSON-like keyword arguments given to ``gym.make``.
        fingerprint: The task set's fingerprint.
        task_id: The task.
        training_step: The step that scheduled rewards were computed at.
        transitions: The steps, in order.
    """

    env_id: str
    env_kwargs: Mapping[str, Any]
    fingerprint: str
    task_id: str
    training_step: int
    transitions: tuple[Transition, ...]

"""``OwnTask``: a task of your own, given in code, as a ``Task``, or as a row of a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from toolrl_env.core.errors import DataError, nearest
from toolrl_env.core.types import Message, Task, ToolCall
from toolrl_env.parsing import get_protocol

__all__ = ["FIELDS", "Goal", "OwnTask", "Turn", "read_task"]

Turn = tuple[ToolCall, ...] | str
"""One turn of gold: a batch of calls, or a response to the user."""
FIELDS = ("id", "question", "messages", "gold", "answer", "tools", "setup", "category")
"""What a row may have."""
DONE = "That is done."


@dataclass(frozen=True, slots=True)
class Goal:
    """A predicate that must be true at the end.

    Attributes:
        holds: ``f(suite) -> bool`` (of functions and servers: ``f(open_tools)``). It depends on
            the state alone and does not change it. For isolated tools it must be defined at the
            top of a module or script.
        of: Name of the provider that it looks at; ``None`` if there is only one.
    """

    holds: Callable[[Any], bool]
    of: str | None = None


@dataclass(frozen=True, slots=True)
class OwnTask:
    """A task.

    It is done when every goal holds and the answer, if one is expected, was given. Without either,
    when the tools are in the state in which the gold calls leave them; or, where these leave them
    as they were, when everything that they return has been returned to the model.

    Attributes:
        id: Unique among the tasks.
        messages: The dialogue so far; ends with what the model must answer.
        gold: A trajectory that does it: batches of calls, and at the end a response.
        answers: Any of these in the final response is right: its words in a row, with at most 12
            others; case, punctuation and articles do not count
            (``toolrl_env.data.search.contains``).
        goals: Predicates on the tools' state.
        tools: Names of the tools that are offered; ``()`` for all.
        setup: Calls that are made before the task begins.
        category: For analysis.
    """

    id: str
    messages: tuple[Message, ...]
    gold: tuple[Turn, ...] = ()
    answers: tuple[str, ...] = ()
    goals: tuple[Goal, ...] = ()
    tools: tuple[str, ...] = ()
    setup: tuple[ToolCall, ...] = ()
    category: str = "own"

    def __post_init__(self) -> None:
        """Refuse what cannot be played or judged.

        Raises:
            DataError: No message is there to be answered, or nothing says when it is done.
        """
        if not self.messages or self.messages[-1].role not in ("user", "tool"):
            raise DataError(f"task {self.id!r}: no message to answer: give question or messages")
        if not (self.gold or self.answers or self.goals):
            raise DataError(
                f"task {self.id!r}: nothing says when it is done: give goals, an answer or gold"
            )


def read_task(given: OwnTask | Task | Mapping[str, Any], index: int) -> OwnTask:
    """Return what was given as an ``OwnTask``.

    A row has ``question`` (text) or ``messages`` (``{"role", "content"}``), and of the others what
    it needs: ``gold`` (a list of calls ``{"name", "parameters"}``, of lists of calls that go
    together, and of responses), ``answer`` (text, or a list of right ones), ``tools`` (names),
    ``setup`` (calls), ``id``, ``category``. Gold that does not end with a response is ended by one.

    Args:
        given: A task or a row.
        index: Its place, which names it if it has no ``id``.

    Raises:
        DataError: It cannot be a task; names the field.
    """
    if isinstance(given, OwnTask):
        return given
    if isinstance(given, Task):
        return _from_task(given)
    row = dict(given)
    name = str(row.get("id", f"own-{index}"))
    for key in row:
        if key not in FIELDS:
            close = nearest(key, FIELDS)
            hint = f" Did you mean {close!r}?" if close else ""
            raise DataError(
                f"task {name!r}: unknown field {key!r:.80}; allowed: {', '.join(FIELDS)}.{hint}"
            )
    where = f"task {name!r}, field"
    answers = _texts(row.get("answer", []), f"{where} answer")
    return OwnTask(
        id=name,
        messages=_messages(row, where),
        gold=_ended(_gold(row.get("gold", []), f"{where} gold"), answers),
        answers=answers,
        tools=_texts(row.get("tools", []), f"{where} tools"),
        setup=_calls(row.get("setup", []), f"{where} setup"),
        category=str(row.get("category", "own")),
    )


def _from_task(task: Task) -> OwnTask:
    """Take the gold answer of a ``Task``: its calls, and then its response if it has one."""
    calls = _calls(list(task.gold.values), f"task {task.id!r}, gold")
    response = (get_protocol("toolrl").parse(task.gold.text).response or "").strip()
    gold: tuple[Turn, ...] = ((calls,) if calls else ()) + ((response,) if response else ())
    return OwnTask(
        id=task.id,
        messages=task.messages,
        gold=_ended(gold, ()),
        answers=(response,) if response and not calls else (),
        tools=tuple(tool.name for tool in task.tools),
        category=task.category,
    )


def _messages(row: Mapping[str, Any], where: str) -> tuple[Message, ...]:
    if ("question" in row) == ("messages" in row):
        raise DataError(f"{where}s question and messages: give one of them")
    if "question" in row:
        return (Message("user", _text(row["question"], f"{where} question")),)
    found: list[Message] = []
    for entry in _list(row["messages"], f"{where} messages"):
        fields = _object(entry, f"{where} messages")
        role = fields.get("role")
        if role not in ("user", "assistant", "tool"):
            raise DataError(f"{where} messages: role {role!r:.80}; allowed: user, assistant, tool")
        content = _text(fields.get("content"), f"{where} messages")
        calls = _calls(fields.get("tool_calls", []), f"{where} messages")
        found.append(Message(role, content, tool_calls=calls))
    return tuple(found)


def _gold(value: Any, where: str) -> tuple[Turn, ...]:
    turns: list[Turn] = []
    for turn in _list(value, where):
        if isinstance(turn, str):
            turns.append(turn)
        else:
            batch = _calls(turn if isinstance(turn, list) else [turn], where)
            if not batch:
                raise DataError(f"{where}: a turn without calls")
            turns.append(batch)
    return tuple(turns)


def _ended(gold: tuple[Turn, ...], answers: tuple[str, ...]) -> tuple[Turn, ...]:
    if gold and not isinstance(gold[-1], str):
        return (*gold, answers[0] if answers else DONE)
    return gold


def _calls(value: Any, where: str) -> tuple[ToolCall, ...]:
    found: list[ToolCall] = []
    for entry in _list(value, where):
        fields = _object(entry, where)
        name = _text(fields.get("name"), f"{where}, a call's name")
        key = "parameters" if "parameters" in fields else "arguments"
        found.append(ToolCall(name, _object(fields.get(key, {}), f"{where}, {name!r}")))
    return tuple(found)


def _texts(value: Any, where: str) -> tuple[str, ...]:
    values: list[Any] = [value] if isinstance(value, str) else _list(value, where)
    return tuple(_text(entry, where) for entry in values)


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise DataError(f"{where}: no text but {value!r:.80}")
    return value


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise DataError(f"{where}: no list but {value!r:.80}")
    return cast("list[Any]", value)


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DataError(f"{where}: no object but {value!r:.80}")
    return cast("dict[str, Any]", value)

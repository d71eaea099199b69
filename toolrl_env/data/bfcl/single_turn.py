"""``BFCLSource``: BFCL's single-turn categories as tasks, with the official verdict beside them."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from toolrl_env.core.errors import UnknownName
from toolrl_env.core.types import GroundTruth, Message, ParsedAction, Task, ToolSpec
from toolrl_env.data.bfcl.answers import first_answer
from toolrl_env.data.bfcl.outcome import Outcome, check_answer, check_calls, language_of
from toolrl_env.data.bfcl.split import functions_in_common, group_split
from toolrl_env.data.gold import IRRELEVANT_REPLY, make_gold, thought_for
from toolrl_env.data.source import FiniteSource, TaskSet
from toolrl_env.data.split import check_split
from toolrl_env.tools.suites.bfcl import load_library, spec_of

__all__ = ["GROUPS", "SINGLE_TURN", "BFCLSource"]

_NON_LIVE = (
    "simple_python",
    "simple_java",
    "simple_javascript",
    "multiple",
    "parallel",
    "parallel_multiple",
    "irrelevance",
)
_LIVE = (
    "live_simple",
    "live_multiple",
    "live_parallel",
    "live_parallel_multiple",
    "live_irrelevance",
)
SINGLE_TURN = (*_NON_LIVE, *_LIVE, "live_relevance")
"""The single-turn categories."""
GROUPS: Mapping[str, tuple[str, ...]] = {
    "non_live": _NON_LIVE,
    "live": _LIVE,
    "all": (*_NON_LIVE, *_LIVE),
}
"""Groups of categories. ``live_relevance`` is in none: its 16 entries have no gold answer."""

_NO_ANSWER = "there is no official answer: any call is right"
_UNSATISFIABLE = "the official checker refuses its own possible answer"


@dataclass(frozen=True, slots=True)
class Entry:
    """An official single-turn entry.

    Attributes:
        id: The official id, e.g. ``"live_simple_19-3-15"``.
        category: The official category.
        messages: The conversation, as it stands in the row.
        offered: The functions as the model is shown them.
        functions: The functions as the checker wants them.
        answer: The possible answers; empty in the relevance categories.
    """

    id: str
    category: str
    messages: tuple[Mapping[str, str], ...]
    offered: tuple[Mapping[str, Any], ...]
    functions: tuple[Mapping[str, Any], ...]
    answer: tuple[Mapping[str, Any], ...]


class BFCLSource(FiniteSource):
    """The entries of one single-turn category or of a group of them.

    The gold answer takes the first possible value of each argument, so our reward asks for one of
    several answers that the official checker accepts; ``outcome`` gives its verdict. Tasks keep
    their official ids. ``metadata["flaws"]`` says where the checker refuses even gold.

    A system message of a row stands in front of its first user message. In Java and JavaScript the
    functions are shown in the official way: every argument is text in that language.

    Args:
        category: One of ``SINGLE_TURN`` or of ``GROUPS``.
        split: ``"train"``, ``"validation"``, ``"test"`` or ``"all"``. See
            ``toolrl_env.data.bfcl.split`` on contamination.

    Raises:
        UnknownName: No such category or split.
        ConfigurationError: The official library is not installed.
    """

    name = "bfcl"

    def __init__(self, category: str = "all", split: str = "train") -> None:
        if category not in SINGLE_TURN and category not in GROUPS:
            raise UnknownName("BFCL category", category, (*SINGLE_TURN, *GROUPS))
        check_split(split)
        self.category, self.split = category, split
        self._entries = {
            entry.id: entry
            for name in GROUPS.get(category, (category,))
            for entry in _read(name)
            if split in ("all", _split_of(entry.id))
        }
        options = {"category": category, "version": load_library().version}
        options["content"] = hashlib.sha256(
            json.dumps([[e.functions, e.answer] for e in self._entries.values()]).encode()
        ).hexdigest()
        tasks = tuple(_task(entry) for entry in self._entries.values())
        self.tasks = TaskSet(self.name, split, tasks, licence="Apache-2.0", options=options)

    def outcome(self, task: Task, action: ParsedAction) -> Outcome:
        """Return the official verdict on an answer to ``task``: whether it is right, and why not.

        Raises:
            UnknownTask: The task is not of this source.
        """
        self.index_of(task.id)
        entry = self._entries[task.id]
        return check_answer(entry.category, entry.functions, entry.answer, action)


@functools.cache
def _read(category: str) -> tuple[Entry, ...]:
    library = load_library()
    plain = library.entries(category, include_language_specific_hint=False)
    shown = plain
    if language_of(category) != "python":
        shown = library.entries(category, include_language_specific_hint=True)
    answers = dict[str, Any]()
    if not category.endswith("relevance"):
        answers = {row["id"]: row["ground_truth"] for row in library.answers(category)}
    return tuple(
        Entry(
            id=row["id"],
            category=category,
            messages=tuple(row["question"][0]),
            offered=tuple(offered["function"]),
            functions=tuple(row["function"]),
            answer=tuple(answers.get(row["id"], ())),
        )
        for row, offered in zip(plain, shown, strict=True)
    )


def _split_of(entry_id: str) -> str:
    return _splits()[entry_id]


@functools.cache
def _splits() -> dict[str, str]:
    documents = {
        entry.id: [[function["name"], function["parameters"]] for function in entry.functions]
        for category in SINGLE_TURN
        for entry in _read(category)
    }
    groups = functions_in_common(documents)
    return {entry: group_split(group) for entry, group in groups.items()}


def _task(entry: Entry) -> Task:
    gold, flaws = _gold(entry)
    return Task(
        id=entry.id,
        source=BFCLSource.name,
        tools=tuple(_spec(json.dumps(function)) for function in entry.offered),
        messages=_messages(entry),
        gold=gold,
        category=entry.category,
        metadata={"flaws": flaws},
    )


def _gold(entry: Entry) -> tuple[GroundTruth, tuple[str, ...]]:
    """Return the gold answer and what is wrong with it."""
    if entry.category.endswith("irrelevance"):
        return make_gold((), IRRELEVANT_REPLY, thought_for(0, irrelevant=True)), ()
    if entry.category.endswith("relevance"):
        return GroundTruth("", has_call=True, has_response=False), (_NO_ANSWER,)
    language = language_of(entry.category)
    calls = first_answer(entry.functions, entry.answer, language)
    verdict = check_calls(entry.category, entry.functions, entry.answer, calls)
    flaws = () if verdict.ok else (f"{_UNSATISFIABLE}: {verdict.reason}",)
    return make_gold(calls, None, thought_for(len(calls))), flaws


def _messages(entry: Entry) -> tuple[Message, ...]:
    system = "\n\n".join(m["content"] for m in entry.messages if m["role"] == "system")
    found: list[Message] = []
    for message in entry.messages:
        if message["role"] == "assistant":
            found.append(Message("assistant", message["content"]))
        elif message["role"] == "user":
            content = (
                message["content"] if found or not system else f"{system}\n\n" + message["content"]
            )
            found.append(Message("user", content))
    return tuple(found)


@functools.lru_cache(maxsize=8_192)
def _spec(function: str) -> ToolSpec:
    return spec_of(json.loads(function))

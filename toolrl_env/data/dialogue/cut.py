"""A recorded conversation, cut into the assistant's steps: gold, and what was recorded after it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from toolrl_env.core.errors import DataError
from toolrl_env.core.types import GroundTruth, Message, ParseStatus, Task, ToolCall
from toolrl_env.data.dataset import as_object
from toolrl_env.data.gold import category_of, make_gold, thought_for
from toolrl_env.parsing import get_protocol
from toolrl_env.prompts.toolrl_reader import read_dialogue

__all__ = ["Dialogue", "DialogueStep", "cut_dialogue", "results_by_call"]


@dataclass(frozen=True, slots=True)
class DialogueStep:
    """One answer of the assistant's, and what came back.

    Attributes:
        gold: The recorded answer, as the single-turn environment scores against it.
        calls: Its calls; ``()`` for an answer in words.
        response: Its words, or ``None``.
        then: What was recorded next, up to the assistant's next step: results of tools, the user's
            next words. ``()`` after the last step.
    """

    gold: GroundTruth
    calls: tuple[ToolCall, ...]
    response: str | None
    then: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A recorded conversation.

    Attributes:
        task: What is shown first, with the first step's gold: the same as the task of that step in
            single-turn form.
        steps: The assistant's steps, at least one.
    """

    task: Task
    steps: tuple[DialogueStep, ...]


def cut_dialogue(task: Task) -> Dialogue:
    """Cut a task with history into its steps; the task's own gold answer is the last one.

    Answers that follow one another with nothing in between are one step. Its gold is the calls
    alone, if there are any: the words that lead up to a call are not asked for, as in API-Bank's
    own gold answers. An earlier answer without a thought gets a neutral one of ours
    (``toolrl_env.data.gold``), which no reward looks at.

    Raises:
        DataError: A step cannot be scored, or its tools are not on offer; says which and why.
    """
    opening, answers, then = _parts(task.messages)
    steps: list[DialogueStep] = []
    for number, parts in enumerate(answers):
        last = number == len(answers) - 1
        if last and not then[-1]:  # words that lead up to the gold answer
            if any(part.tool_calls for part in parts):
                raise DataError(f"step {number + 1}: calls without a result before the gold answer")
            continue
        after = then[number - 1] if number else opening
        try:
            steps.append(_step(_gold_of(parts, after[-1].role == "tool"), then[number]))
        except DataError as error:
            raise DataError(f"step {number + 1}: {error}") from None
    try:
        steps.append(_step(task.gold, ()))
    except DataError as error:
        raise DataError(f"step {len(steps) + 1}: {error}") from None
    _check_tools(task, steps)
    if not answers:
        return Dialogue(task, tuple(steps))
    first = replace(
        task,
        messages=opening,
        gold=steps[0].gold,
        category=category_of(len(steps[0].calls)),
        user=None if task.user is None else _opening_text(task.user, task.messages),
    )
    return Dialogue(first, tuple(steps))


def _parts(
    messages: Sequence[Message],
) -> tuple[tuple[Message, ...], list[list[Message]], list[tuple[Message, ...]]]:
    """Return what precedes the first answer, the answers, and what follows each."""
    roles = [message.role for message in messages]
    first = roles.index("assistant") if "assistant" in roles else len(roles)
    if first == 0:
        raise DataError("the dialogue begins with the assistant")
    answers: list[list[Message]] = []
    then: list[tuple[Message, ...]] = []
    for message in messages[first:]:
        if message.role != "assistant":
            then[-1] = (*then[-1], message)
        elif answers and not then[-1]:
            answers[-1].append(message)
        else:
            answers.append([message])
            then.append(())
    return tuple(messages[:first]), answers, then


def _gold_of(parts: list[Message], after_tool: bool) -> GroundTruth:
    calls = tuple(call for part in parts for call in part.tool_calls)
    words = [part.content for part in parts if part.content]
    if calls and (len(parts) > 1 and not parts[-1].tool_calls):
        raise DataError("words follow calls without a result in between")
    response = "\n".join(words) if words and (len(parts) == 1 or not calls) else None
    thoughts = [part.thought for part in parts if part.thought is not None]
    thought = " ".join(thoughts) or thought_for(len(calls), after_tool=after_tool)
    return make_gold(calls, response, thought)


def _step(gold: GroundTruth, then: tuple[Message, ...]) -> DialogueStep:
    """Make a step, if giving its gold answer would be understood as such."""
    read = get_protocol("toolrl").parse(gold.text, max(len(gold.text), 1))
    if read.status is ParseStatus.CALLS and read.values == gold.values:
        calls = [
            ToolCall(call.name, call.arguments)
            for call in read.calls
            if call.name is not None and call.arguments is not None
        ]
        if len(calls) == len(read.calls):
            return DialogueStep(gold, tuple(calls), read.response, then)
    elif read.status is ParseStatus.NO_CALLS and read.response is not None:
        return DialogueStep(gold, (), read.response, then)
    raise DataError("the gold answer holds neither proper calls nor a response")


def _check_tools(task: Task, steps: list[DialogueStep]) -> None:
    offered = {tool.name for tool in task.tools}
    for number, step in enumerate(steps[:-1], 1):
        for call in step.calls:
            if call.name not in offered:
                raise DataError(f"step {number} calls {call.name!r}, which is not on offer")


def _opening_text(user: str, messages: Sequence[Message]) -> str:
    """Return the row's own user text up to its first answer, ended as the whole is."""
    read = read_dialogue(user)
    if read.messages != tuple(messages):
        raise DataError("the row's user text holds other messages than the task")
    first = next(i for i, message in enumerate(messages) if message.role == "assistant")
    return user[: read.starts[first]].rstrip() + user[len(user.rstrip()) :]


def results_by_call(step: DialogueStep) -> tuple[Any, ...] | None:
    """Return the recorded result of each call of a step, or ``None`` if they cannot be told apart.

    Either there is one message for each call, or one with a JSON list of as many entries; of an
    entry ``{"name": …, "results": …}`` the results are returned.
    """
    texts = [message.content for message in step.then if message.role == "tool"]
    if len(texts) == 1:
        listed = _decoded(texts[0])
        if isinstance(listed, list) and len(cast("list[Any]", listed)) == len(step.calls):
            entries = cast("list[Any]", listed)
            named = [_named(entry) for entry in entries]
            names = [name for name, _ in named]
            if names in ([call.name for call in step.calls], [None] * len(names)):
                return tuple(result for _, result in named)
    return tuple(map(_decoded, texts)) if len(texts) == len(step.calls) else None


def _named(entry: Any) -> tuple[str | None, Any]:
    fields = as_object(entry)
    if fields.keys() == {"name", "results"}:
        return fields["name"], fields["results"]
    return None, entry


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text

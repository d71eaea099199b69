"""The five categories of tasks, each made from a ``Draw``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from toolrl_env.core.types import GroundTruth, Message, ToolCall
from toolrl_env.data.procedural import phrasing
from toolrl_env.data.procedural.drawing import Draw, Request
from toolrl_env.data.procedural.phrasing import and_list, pick
from toolrl_env.data.procedural.recipes import RECIPES
from toolrl_env.data.procedural.recipes.lookup import OUTSIDE, PLACES

__all__ = ["CATEGORIES", "WEIGHTS", "Draft"]

_NORMALISED = {"date", "time", "offset", "unit", ""}


@dataclass(frozen=True, slots=True)
class Draft:
    """A task before it has an id.

    Attributes:
        messages: The dialogue.
        gold: The gold answer.
        offered: Names of the offered tools, in order.
        results: What the gold calls returned when they were run.
        notes: More for ``Task.metadata``.
    """

    messages: tuple[Message, ...]
    gold: GroundTruth
    offered: tuple[str, ...]
    results: tuple[Any, ...] = ()
    notes: Mapping[str, Any] = field(default_factory=dict[str, Any])


def single(draw: Draw) -> Draft:
    """One call. From level 3 on, the last value may come in a turn of its own."""
    request = draw.request()
    if draw.level >= 3 and request.recipe.ask and draw.rng.random() < 0.3:
        messages, said = _over_two_turns(draw, request)
    else:
        text, said = draw.sentence(request)
        messages = (*_small_talk(draw), Message("user", _framed(draw, text)))
    think = _thought(draw, request, phrasing.THOUGHTS) + _normalised(request, said)
    gold = _gold_calls(think, [request])
    return Draft(messages, gold, draw.offer((request.recipe.tool,)), (request.result,))


def parallel(draw: Draw) -> Draft:
    """Several calls that do not depend on one another; from level 4 on tools may repeat."""
    low, high = ((2, 2), (2, 2), (2, 3), (2, 3), (3, 4))[draw.level - 1]
    wanted = draw.rng.randint(low, high)
    requests: list[Request] = []
    while len(requests) < wanted:
        request = draw.request()
        seen = [r.recipe.tool if draw.level < 4 else r.content for r in requests]
        if (request.recipe.tool if draw.level < 4 else request.content) not in seen:
            requests.append(request)
    first, later = draw.rng.choice(phrasing.JOINERS)
    text = first + later.join(draw.sentence(request)[0] for request in requests)
    tools = [request.recipe.tool for request in requests]
    think = pick(draw.rng, phrasing.THOUGHTS_PARALLEL).format(tools=and_list(tools))
    messages = (*_small_talk(draw), Message("user", _framed(draw, text)))
    results = tuple(request.result for request in requests)
    return Draft(messages, _gold_calls(think, requests), draw.offer(tuple(tools)), results)


def dependent(draw: Draw) -> Draft:
    """Two steps of which the second uses the first's result; the gold is one call.

    Stage 1: nothing has been observed, so the gold is the first call alone. Stage 2: the dialogue
    already holds the first call and its real result, and the gold is the second call.
    """
    stage = 1 if draw.rng.random() < 0.35 else 2
    first, second, name = draw.chain(stage)
    given = {k: v for k, v in second.arguments.items() if k != name}
    noun = pick(draw.rng, first.recipe.noun).format_map(draw.words(first.recipe, first.arguments))
    clause = pick(draw.rng, second.recipe.chained[name][1:])
    step = pick(draw.rng, phrasing.STEPS)
    clause = clause.format_map(draw.words(second.recipe, given))
    messages = [Message("user", _framed(draw, step.format(noun=noun, clause=clause)))]
    thought = _thought(draw, first, phrasing.THOUGHTS_STEP_ONE)
    offered = draw.offer((first.recipe.tool, second.recipe.tool))
    notes = {"stage": stage}
    if stage == 1:
        gold = _gold_calls(thought, [first])
        return Draft(tuple(messages), gold, offered, (first.result,), notes)
    value = json.dumps(first.result, ensure_ascii=False)
    call = ToolCall(first.recipe.tool, first.arguments)
    messages.append(Message("assistant", "", thought, (call,)))
    messages.append(Message("tool", value, name=first.recipe.tool))
    think = _thought(draw, second, phrasing.THOUGHTS_STEP_TWO, value=value)
    gold = _gold_calls(think, [second])
    return Draft(tuple(messages), gold, offered, (second.result,), notes)


def irrelevant(draw: Draw) -> Draft:
    """No offered tool fits: the tool's whole field is absent, or no tool of ours could do it."""
    if draw.rng.random() < 0.3:
        wanted, (goal, text) = None, _outside(draw)
        offered = draw.offer(())
    else:
        request = draw.request()
        wanted, goal = request.recipe.tool, request.recipe.goal
        text, _ = draw.sentence(request)
        offered = draw.offer((), hidden=wanted)
    think = pick(draw.rng, phrasing.THOUGHTS_IRRELEVANT).format(goal=goal)
    reply = pick(draw.rng, phrasing.IRRELEVANT).format(goal=goal)
    messages = (*_small_talk(draw), Message("user", _framed(draw, text)))
    return Draft(messages, _gold_response(think, reply), offered, notes={"wanted": wanted})


def missing_parameter(draw: Draw) -> Draft:
    """The right tool is offered, but a required argument was never given: ask for it."""
    while True:
        request = draw.request()
        if not request.recipe.ask:
            continue
        name, text, _ = _request_without(draw, request)
        if draw.accepts(text):
            break
    recipe = request.recipe
    label = recipe.ask[name][0]
    think = _thought(draw, request, phrasing.THOUGHTS_MISSING, label=label)
    reply = pick(draw.rng, phrasing.MISSING).format(label=label)
    messages = (*_small_talk(draw), Message("user", _framed(draw, text)))
    gold = _gold_response(think, reply)
    return Draft(messages, gold, draw.offer((recipe.tool,)), notes={"missing": name})


CATEGORIES: dict[str, Callable[[Draw], Draft]] = {
    "single": single,
    "parallel": parallel,
    "dependent": dependent,
    "irrelevant": irrelevant,
    "missing_parameter": missing_parameter,
}
"""What makes each category."""

WEIGHTS: dict[int, tuple[int, int, int, int, int]] = {
    1: (100, 0, 0, 0, 0),
    2: (50, 15, 0, 20, 15),
    3: (25, 25, 20, 15, 15),
    4: (15, 30, 25, 15, 15),
    5: (10, 35, 30, 10, 15),
}
"""Share of each category, in percent and in the order of ``CATEGORIES``, by difficulty."""


def _over_two_turns(draw: Draw, request: Request) -> tuple[tuple[Message, ...], dict[str, str]]:
    """Ask without one value, be asked for it, supply it."""
    name, text, said = _request_without(draw, request)
    label = request.recipe.ask[name][0]
    thought = _thought(draw, request, phrasing.THOUGHTS_MISSING, label=label)
    reply = pick(draw.rng, phrasing.MISSING).format(label=label)
    for option, sentences in request.recipe.options.items():
        if option in said:
            text += " " + pick(draw.rng, sentences).format_map(said)
    value = pick(draw.rng, phrasing.FOLLOW_UPS).format(said[name])
    asked = Message("user", _framed(draw, text))
    return (asked, Message("assistant", reply, thought), Message("user", value)), said


def _request_without(draw: Draw, request: Request) -> tuple[str, str, dict[str, str]]:
    """Return the argument left out, a request that lacks it, and how every argument is said."""
    name = draw.rng.choice(tuple(request.recipe.ask))
    said = draw.words(request.recipe, request.arguments)
    return name, pick(draw.rng, request.recipe.ask[name][1:]).format_map(said), said


def _outside(draw: Draw) -> tuple[str, str]:
    while True:
        goal, template = draw.rng.choice(OUTSIDE)
        text = template.format(count=draw.rng.randint(2, 60), place=pick(draw.rng, PLACES))
        if draw.accepts(text):
            return goal, text


def _framed(draw: Draw, text: str) -> str:
    frames = phrasing.PLAIN_FRAMES if draw.level == 1 else phrasing.FRAMES
    return pick(draw.rng, frames).format(text)


def _small_talk(draw: Draw) -> tuple[Message, ...]:
    if draw.level < 4 or draw.rng.random() > 0.25:
        return ()
    said, reply = draw.rng.choice(phrasing.SMALL_TALK)
    return Message("user", said), Message("assistant", reply, "Nothing to do yet.")


def _thought(draw: Draw, request: Request, choices: tuple[str, ...], **more: str) -> str:
    recipe = RECIPES[request.recipe.tool]
    text = pick(draw.rng, choices).format(goal=recipe.goal, tool=recipe.tool, **more)
    return text[0].upper() + text[1:] if not text.startswith(recipe.tool) else text


def _normalised(request: Request, said: Mapping[str, str]) -> str:
    """Note which values have to be written in another form than the user's."""
    notes = ""
    for name, value in request.arguments.items():
        kind = request.recipe.says.get(name, "")
        scalar = isinstance(value, str | int | float) and not isinstance(value, bool)
        if not scalar or kind not in _NORMALISED or (kind == "" and isinstance(value, str)):
            continue
        if said[name] != str(value):
            notes += f" {said[name]} is {value}."
    return notes


def _gold_calls(think: str, requests: Sequence[Request]) -> GroundTruth:
    values = tuple({"name": r.recipe.tool, "parameters": dict(r.arguments)} for r in requests)
    lines = "\n".join(json.dumps(value, ensure_ascii=False) for value in values)
    text = f"<think> {think} </think>\n<tool_call>\n{lines}\n</tool_call>"
    return GroundTruth(text, has_call=True, has_response=False, values=values)


def _gold_response(think: str, reply: str) -> GroundTruth:
    text = f"<think> {think} </think>\n<response> {reply} </response>"
    return GroundTruth(text, has_call=False, has_response=True)

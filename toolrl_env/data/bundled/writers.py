"""Scenes written down in each dataset's raw format."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random
from typing import Any

from toolrl_env.data.bundled.dialects import (
    Naming,
    call_syntax,
    camel_case,
    masked,
    mixed_names,
    paper_parameters,
    plain_names,
    python_parameters,
    toolace_function,
    xlam_parameters,
)
from toolrl_env.data.bundled.director import Director
from toolrl_env.data.bundled.reasoning import Thinker
from toolrl_env.data.bundled.results import make_result
from toolrl_env.data.bundled.scenes import Call, Scene, Turn
from toolrl_env.prompts.default import DEFAULT
from toolrl_env.prompts.template import DIALOGUE_SLOT, TOOLS_SLOT

__all__ = ["api_bank_row", "rlla_row", "toolace_row", "xlam_row"]

TOOLACE_SYSTEM = """\
You answer requests by composing function calls. Below is a JSON list of the functions you may \
invoke. Reply with calls alone, in the form [function_one(key=value, key=value), \
function_two(key=value)], whenever they can do what is asked. If no function fits, or one of its \
required parameters is unknown, reply in plain language and say so.

{functions}
"""


def xlam_row(scene: Scene, number: int) -> dict[str, Any]:
    """``{"id", "query", "answers", "tools"}``; the last two are JSON strings."""
    answers = [{"name": call.tool.name, "arguments": call.arguments} for call in scene.calls]
    tools = [
        {"name": tool.name, "description": tool.about, "parameters": xlam_parameters(tool)}
        for tool in scene.tools
    ]
    return {
        "id": number,
        "query": scene.turns[0].text,
        "answers": json.dumps(answers, ensure_ascii=False),
        "tools": json.dumps(tools, ensure_ascii=False),
    }


def toolace_row(scene: Scene, rng: Random) -> dict[str, Any]:
    """``{"system", "conversations"}``; some conversations go on after the answer."""
    naming = mixed_names(rng)
    loose = rng.random() < 0.5
    functions = [toolace_function(tool, naming, loose=loose) for tool in scene.tools]
    turns = [*scene.turns, Turn("assistant", scene.response, scene.calls)]
    if scene.calls and rng.random() < 0.3:
        results = tuple(make_result(call.tool, call.arguments, rng) for call in scene.calls)
        turns.append(Turn("tool", calls=scene.calls, results=results))
        turns.append(Turn("assistant", _sum_up(scene.calls, rng)))
    said = [{"from": turn.role, "value": _toolace_text(turn, naming)} for turn in turns]
    listed = json.dumps(functions, ensure_ascii=False)
    return {"system": TOOLACE_SYSTEM.format(functions=listed), "conversations": said}


def _sum_up(calls: Sequence[Call], rng: Random) -> str:
    topics = list(dict.fromkeys(call.tool.topic for call in calls))
    ways = (
        "Done. Let me know if you'd like anything else on {}.",
        "There you go. Is there more I can do regarding {}?",
        "That worked; the details are above. Any other question about {}?",
        "All finished. If something about {} looks wrong, just tell me.",
    )
    return rng.choice(ways).format(" and ".join(topics))


def _toolace_text(turn: Turn, naming: Naming) -> str:
    if turn.role == "tool":
        return _observation(turn, naming)
    if turn.calls:
        calls = (call_syntax(naming.tool(c.tool), naming.arguments(c)) for c in turn.calls)
        return f"[{', '.join(calls)}]"
    return turn.text


def _observation(turn: Turn, naming: Naming) -> str:
    answers = [
        {"name": naming.tool(call.tool), "results": result}
        for call, result in zip(turn.calls, turn.results, strict=True)
    ]
    return json.dumps(answers, ensure_ascii=False)


def rlla_row(scene: Scene, director: Director, rng: Random) -> dict[str, Any]:
    """``{"instruction", "input", "output"}`` in the paper's layout and our words."""
    draw = rng.random()
    naming = mixed_names(rng) if draw < 0.5 else plain_names() if draw < 0.75 else masked(rng)
    json_types = draw < 0.5
    thinker = Thinker(director, rng)
    entries = [
        _entry(
            naming.tool(tool),
            tool.about,
            json.dumps(paper_parameters(tool, naming, json_types=json_types)),
        )
        for tool in scene.tools
    ]
    blocks: list[str] = []
    for turn in scene.turns:
        if turn.role == "user":
            blocks.append(f"<user> {turn.text} </user>")
        elif turn.role == "tool":
            blocks[-1] += f"\n<obs> {_observation(turn, naming)} </obs>"
        else:
            blocks.append(_step(director.phrase(_past(turn)), turn.calls, turn.text, naming))
    response = scene.response
    if scene.calls and rng.random() < 0.05:
        response = director.phrase("acks")
    output = _step(thinker.thought(scene, naming), scene.calls, response, naming)
    return {"instruction": _system(entries), "input": _dialogue(blocks), "output": output}


def _past(turn: Turn) -> str:
    if turn.calls:
        return "think_past_call"
    return "think_past_question" if turn.text.endswith("?") else "think_past_reply"


def _step(thought: str, calls: Sequence[Call], response: str, naming: Naming) -> str:
    lines = [f"<think> {thought} </think>"]
    if calls:
        lines.append("<tool_call>")
        for call in calls:
            value = {"name": naming.tool(call.tool), "parameters": naming.arguments(call)}
            lines.append(json.dumps(value))
        lines.append("</tool_call>")
    if response:
        lines.append(f"<response> {response} </response>")
    return "\n".join(lines)


def api_bank_row(scene: Scene, director: Director, level: int, number: int) -> dict[str, Any]:
    """``{"system", "user", "answer", "other"}``; at level 2 the answer is a dict."""
    naming = camel_case()
    used = {name for call in scene.calls for name in call.arguments}
    entries = [
        _entry(
            naming.tool(tool),
            tool.about,
            repr(python_parameters(tool, used if tool == scene.about else ())),
        )
        for tool in scene.tools
    ]
    space = " " if level == 2 else ""
    blocks = [""]
    for turn in scene.turns:
        if turn.role == "user":
            blocks.append(f"<user>{space}{turn.text}{space}</user>")
        else:
            blocks[-1] += f"\n{_api_bank_step(turn, director, naming, space)}"
    blocks[-1] += f"\n<response>{space}{director.phrase('acks')}{space}</response>"
    blocks.append(f"<user> {director.phrase('final')}</user>\n")
    call = scene.calls[0]
    answer = {"name": naming.tool(call.tool), "parameters": naming.arguments(call)}
    names = "-".join(sorted(naming.tool(tool) for tool in scene.tools))
    return {
        "system": _system(entries),
        "user": _dialogue(blocks[1:]),
        "answer": answer if level == 2 else [answer],
        "other": {"file": f"{names}-level-{level}.jsonl", "id": number},
    }


def _api_bank_step(turn: Turn, director: Director, naming: Naming, space: str) -> str:
    if turn.role == "tool":
        return f"<obs> {turn.results[0]!r} </obs>"
    if not turn.calls:
        return f"<response>{space}{turn.text}{space}</response>"
    call = turn.calls[0]
    value = {"name": naming.tool(call.tool), "parameters": naming.arguments(call)}
    line = json.dumps(value)
    ack = f"<response>{space}{director.phrase('acks')}{space}</response>"
    return f"{ack}\n<tool_call>\n{line}\n</tool_call>"


def _entry(name: str, about: str, parameters: str) -> str:
    return f"Name: {name}\nDescription: {about}\nParameters: {parameters}"


def _system(entries: Sequence[str]) -> str:
    tools = "\n".join(f"{number}. {entry}" for number, entry in enumerate(entries, 1))
    return DEFAULT.system.replace(TOOLS_SLOT, tools)


def _dialogue(blocks: Sequence[str]) -> str:
    return DEFAULT.user.replace(DIALOGUE_SLOT, "\n\n".join(blocks))

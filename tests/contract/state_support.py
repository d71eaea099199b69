"""Actions that differ from one another and mostly write, for any environment with tools."""

from __future__ import annotations

import re

from toolrl_env.core.types import ToolCall

_LOOKS = {
    "email": r"[\w.]+@[\w.]+\w",
    "path": r"/\w[\w/-]*\.\w+",
    "id": r"\b\d{3,7}\b",
}
_KINDS = {"assignee": "email", "email": "email", "path": "path", "_id": "id"}


def pools_of(base):
    """Return e-mail addresses, paths and numbers that the world knows, from text and gold."""
    gold = [turn for turn in base.tasks.gold_turns(base.task) if not isinstance(turn, str)]
    text = base._observation + repr([dict(call.arguments) for turn in gold for call in turn])
    return {kind: sorted(set(re.findall(look, text))) for kind, look in _LOOKS.items()}


def value_for(name, schema, number, pools):
    """Return a value that the world admits in many cases, another for another number."""
    pool = next((pools[kind] for end, kind in _KINDS.items() if name.endswith(end)), [])
    if pool:
        value = pool[number % len(pool)]
        return int(value) if schema.get("type") == "integer" else value
    if schema.get("minLength") == 10:
        return f"2028-0{1 + number % 9}-1{number % 10}"
    if "enum" in schema:
        return schema["enum"][number % len(schema["enum"])]
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = kind[0]
    if kind == "integer":
        return number + 1
    if kind == "number":
        return number + 0.5
    if kind == "boolean":
        return number % 2 == 0
    if kind == "array":
        return [value_for(name, schema.get("items", {}), number, pools)]
    if kind == "object":
        fields = schema.get("properties", {})
        return {key: value_for(key, part, number, pools) for key, part in fields.items()}
    return f"{name}_{number}"


def different_actions(base, number):
    """Return ``number`` different answers: calls of the tools on offer, replies, junk."""
    tools, pools = base.task.tools, pools_of(base)
    found = []
    for i in range(number):
        tool = tools[i % len(tools)]
        properties = tool.parameters.get("properties", {})
        needed = tool.parameters.get("required", ())
        names = list(properties) if i % 3 == 0 else list(needed)
        call = ToolCall(
            tool.name, {key: value_for(key, properties[key], i, pools) for key in names}
        )
        if i % 16 == 15:
            found.append(base.protocol.render((), think=f"{i}", response=f"Which one? Number {i}?"))
        elif i % 16 == 14:
            found.append(f"<tool_call>\n{{ {i}")
        else:
            found.append(base.protocol.render([call, call], think=f"Number {i}."))
    return found

"""Running a model's calls on real tools: validate, run, keep the result JSON-like and bounded."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from toolrl_env.core.errors import InfrastructureError
from toolrl_env.core.frozen import thaw
from toolrl_env.core.types import ErrorCode, FailureKind, ParsedCall, ToolCall, ToolResult
from toolrl_env.tools.describe import action_error, show
from toolrl_env.tools.tool import Tool, ToolError
from toolrl_env.tools.validation import CallValidator

__all__ = ["MAX_RESULT_CHARS", "as_parsed", "execute_calls"]

MAX_RESULT_CHARS = 16_384
"""A result whose JSON is longer is replaced by the beginning of that JSON, marked as cut."""
MAX_NUMBER = 1e18
"""Numbers that go into a tool are finite and no larger than this, in magnitude."""
_MAX_DEPTH = 64


def execute_calls(
    tools: Sequence[Tool],
    calls: Sequence[ParsedCall | ToolCall],
    validator: CallValidator | None = None,
) -> tuple[ToolResult, ...]:
    """Check each call and run the valid ones, in order.

    Runs in this process: a tool must be bounded by its own schema's limits. It cannot stop a tool
    that loops, allocates or reaches outside.

    Args:
        tools: The tools on offer. Of two with one name the first counts.
        calls: The calls, as parsed or well-formed.
        validator: A validator of the same tools, to save building one.

    Returns:
        One result per call. ``executed`` is true if the tool was run; ``ok`` if it returned.

    Raises:
        InfrastructureError: A tool raised something other than ``ToolError``, or returned a value
            that JSON cannot hold. Never a model's fault, so never a result.
    """
    parsed = [as_parsed(call) if isinstance(call, ToolCall) else call for call in calls]
    checker = validator or CallValidator([tool.spec for tool in tools])
    by_name = {tool.name: tool for tool in reversed(tools)}
    results: list[ToolResult] = []
    for call, checked in zip(parsed, checker.check(parsed), strict=True):
        if not checked.ok or call.name is None or call.arguments is None:
            results.append(checked)
        else:
            results.append(_run(by_name[call.name], call.arguments, checked.call))
    return tuple(results)


def as_parsed(call: ToolCall) -> ParsedCall:
    """Return a well-formed call as if it had been parsed (its raw text is its JSON)."""
    arguments = dict(call.arguments)
    value = {"name": call.name, "parameters": arguments}
    raw = json.dumps(value, ensure_ascii=False)
    return ParsedCall(raw, (0, len(raw)), value, call.name, arguments)


def _run(tool: Tool, arguments: Mapping[str, Any], index: int) -> ToolResult:
    properties = cast("Mapping[str, Any]", tool.spec.parameters.get("properties", {}))
    try:
        given = {k: _argument(v, properties.get(k, {}), 0) for k, v in arguments.items()}
        value = tool.fn(**given)
    except ToolError as error:
        reason = action_error(ErrorCode.EXECUTION, index, tool.name, show(str(error), 400)[1:-1])
        return ToolResult(index, ok=False, errors=(reason,), executed=True)
    except Exception as error:
        raise InfrastructureError(
            f"tool {tool.name!r} raised {type(error).__name__}, which it does not declare: "
            f"{error}; arguments {show(arguments, 300)}"
        ) from error
    return ToolResult(index, ok=True, value=_bounded(tool.name, value), executed=True)


def _argument(value: Any, schema: Mapping[str, Any] | bool, depth: int) -> Any:
    """Return an argument as the function expects it: 1.0 as 1 for an integer; finite; copied."""
    fields: Mapping[str, Any] = {} if isinstance(schema, bool) else schema
    if depth > _MAX_DEPTH:
        raise ToolError("an argument is nested too deeply")
    if isinstance(value, list):
        items = fields.get("items", {})
        return [_argument(item, items, depth + 1) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        known = fields.get("properties", {})
        pairs = cast("dict[str, Any]", value).items()
        return {k: _argument(v, known.get(k, {}), depth + 1) for k, v in pairs}
    if isinstance(value, float | int) and not isinstance(value, bool):
        if not -MAX_NUMBER <= value <= MAX_NUMBER:
            raise ToolError(f"numbers must be finite and at most {MAX_NUMBER:g} in magnitude")
        if isinstance(value, float) and fields.get("type") == "integer":
            return int(value)
    return value


def _bounded(name: str, value: Any) -> Any:
    """Return a JSON-like value no longer than the limit; a copy, lest it be a tool's own state."""
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InfrastructureError(
            f"tool {name!r} returned what JSON cannot hold: {error}", FailureKind.BAD_RESULT
        ) from error
    if len(text) <= MAX_RESULT_CHARS:
        return thaw(value)
    return f"{text[:MAX_RESULT_CHARS]} … [cut: {len(text) - MAX_RESULT_CHARS} more characters]"

"""Running a model's calls on real tools: validate, run, keep the result JSON-like and bounded."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from toolrl_env.core.types import ErrorCode, ParsedCall, ToolCall, ToolResult, ToolSpec
from toolrl_env.tools.describe import action_error, show
from toolrl_env.tools.limits import CallLimits
from toolrl_env.tools.provider import OpenTools
from toolrl_env.tools.running import run_tool
from toolrl_env.tools.tool import Tool, ToolError
from toolrl_env.tools.validation import CallValidator

__all__ = ["as_parsed", "execute_calls", "run_calls"]

MAX_NUMBER = 1e18
"""Numbers that go into a tool are finite and no larger than this, in magnitude."""
_MAX_DEPTH = 64
_DEFAULT = CallLimits()


def execute_calls(
    tools: Sequence[Tool],
    calls: Sequence[ParsedCall | ToolCall],
    validator: CallValidator | None = None,
    limits: CallLimits = _DEFAULT,
) -> tuple[ToolResult, ...]:
    """Check each call and run the valid ones in this process, in order.

    The time limit is cooperative (see ``toolrl_env.tools.deadline``); nothing here stops a tool
    that loops, allocates or reaches outside.

    Args:
        tools: The tools on offer. Of two with one name the first counts.
        calls: The calls, as parsed or well-formed.
        validator: A validator of the same tools, to save building one.
        limits: What each call may take.

    Returns:
        One result per call. ``executed`` is true if the tool was run; ``ok`` if it returned.

    Raises:
        InfrastructureError: A tool raised something other than ``ToolError``, took too long, or
            returned a value that JSON cannot hold. Never a model's fault, so never a result.
    """
    by_name = {tool.name: tool for tool in reversed(tools)}

    def run(name: str, arguments: Mapping[str, Any]) -> Any:
        return run_tool(name, by_name[name].fn, arguments, limits)

    checker = validator or CallValidator([tool.spec for tool in tools])
    specs = {name: tool.spec for name, tool in by_name.items()}
    return _execute(calls, checker, specs, run)


def run_calls(
    opened: OpenTools,
    calls: Sequence[ParsedCall | ToolCall],
    validator: CallValidator | None = None,
) -> tuple[ToolResult, ...]:
    """Check each call against a provider's live tools and run the valid ones, in order.

    Args:
        opened: The tools.
        calls: The calls, as parsed or well-formed.
        validator: A validator of ``opened.specs()``, to save building one.

    Returns:
        One result per call, as from ``execute_calls``.

    Raises:
        InfrastructureError: Something of ours failed; later calls were not run.
    """
    specs = opened.specs()
    checker = validator or CallValidator(specs)
    return _execute(calls, checker, {spec.name: spec for spec in specs}, opened.call)


def as_parsed(call: ToolCall) -> ParsedCall:
    """Return a well-formed call as if it had been parsed (its raw text is its JSON)."""
    arguments = dict(call.arguments)
    value = {"name": call.name, "parameters": arguments}
    raw = json.dumps(value, ensure_ascii=False)
    return ParsedCall(raw, (0, len(raw)), value, call.name, arguments)


def _execute(
    calls: Sequence[ParsedCall | ToolCall],
    checker: CallValidator,
    specs: Mapping[str, ToolSpec],
    run: Callable[[str, Mapping[str, Any]], Any],
) -> tuple[ToolResult, ...]:
    parsed = [as_parsed(call) if isinstance(call, ToolCall) else call for call in calls]
    results: list[ToolResult] = []
    for call, checked in zip(parsed, checker.check(parsed), strict=True):
        if not checked.ok or call.name is None or call.arguments is None:
            results.append(checked)
        else:
            results.append(_run(specs[call.name], call.arguments, checked.call, run))
    return tuple(results)


def _run(
    spec: ToolSpec,
    arguments: Mapping[str, Any],
    index: int,
    run: Callable[[str, Mapping[str, Any]], Any],
) -> ToolResult:
    properties = cast("Mapping[str, Any]", spec.parameters.get("properties", {}))
    try:
        given = {k: _argument(v, properties.get(k, {}), 0) for k, v in arguments.items()}
        value = run(spec.name, given)
    except ToolError as error:
        reason = action_error(ErrorCode.EXECUTION, index, spec.name, show(str(error), 400)[1:-1])
        return ToolResult(index, ok=False, errors=(reason,), executed=True)
    return ToolResult(index, ok=True, value=value, executed=True)


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

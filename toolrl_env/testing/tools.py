"""``check_tools``: the promises of tools and tool suites."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from typing import Any, cast

from toolrl_env.core.errors import ContractViolation, InfrastructureError
from toolrl_env.core.types import ToolCall, ToolResult
from toolrl_env.testing.requirement import require, schema_error
from toolrl_env.tools import SuiteSnapshot, Tool, ToolSuite, execute_calls

__all__ = ["check_tools"]

_HOSTILE: tuple[Any, ...] = (None, True, -1, 1e308, 10**30, "", "\x00\ud800", "x" * 10_000, [], {})


def check_tools(tools: ToolSuite | Sequence[Tool], examples: Sequence[ToolCall] = ()) -> None:
    """Check that tools keep every promise.

    Names are unique; tools and parameters are described; schemas are valid; hostile arguments
    never raise. The examples are valid calls, return JSON and, run again from the same state, the
    same. For a suite, methods marked ``read`` leave the state alone; a snapshot can be pickled and
    brings the state back; equality and ``state_hash`` agree; a fork is equal and shares nothing.

    Args:
        tools: A suite (left in the state in which it was), or tools.
        examples: Calls that must succeed, in an order in which they do.

    Raises:
        ContractViolation: A promise is not kept; names the tool.
    """
    suite = tools if isinstance(tools, ToolSuite) else None
    offered = suite.tools() if suite is not None else tuple(cast("Sequence[Tool]", tools))
    subject = type(suite).__name__ if suite is not None else "tools"
    require(bool(offered), subject, "there must be a tool")
    names = [tool.name for tool in offered]
    require(len(set(names)) == len(names), subject, f"two tools share a name: {names}")
    for tool in offered:
        _check_description(f"tool {tool.name!r}", tool)
    before = suite.snapshot() if suite is not None else None
    start = suite.state_hash() if suite is not None else ""
    for tool in offered:
        _check_hostile(tool)
        if suite is not None and before is not None:
            suite.restore(before)
    first = _run(suite, offered, examples)
    if suite is not None and before is not None:
        _check_state(subject, suite, before, start)
    require(_run(suite, offered, examples) == first, subject, "a second run returns something else")
    if suite is not None and before is not None:
        _check_fork(subject, suite, before, examples)
        suite.restore(before)


def _check_state(subject: str, suite: ToolSuite, before: SuiteSnapshot, start: str) -> None:
    """Check that the state with the hash ``start`` comes back; leaves the suite in it."""
    after = suite.fork()
    suite.restore(pickle.loads(pickle.dumps(before)))
    same = suite.state_hash() == start
    require(same, subject, "restore must bring a snapshot back, with an equal state_hash")
    changed = after.state_hash() != start
    require(changed == (after != suite), subject, "equality and state_hash must agree")


def _check_fork(
    subject: str, suite: ToolSuite, before: SuiteSnapshot, examples: Sequence[ToolCall]
) -> None:
    suite.restore(before)
    fork, start = suite.fork(), suite.state_hash()
    require(fork.state_hash() == start, subject, "a fork must be in the same state")
    _run(fork, fork.tools(), examples)
    shared = suite.state_hash() != start
    require(not shared, subject, "calls on a fork must not change what it was forked from")


def _check_description(subject: str, tool: Tool) -> None:
    require(bool(tool.spec.description.strip()), subject, "it needs a description")
    wrong = schema_error(tool.spec.parameters)
    require(wrong is None, subject, str(wrong))
    for name, part in _properties(tool).items():
        described = isinstance(part, dict) and "description" in part
        require(described, subject, f"parameter {name!r} needs a description")


def _check_hostile(tool: Tool) -> None:
    calls = [ToolCall(tool.name, dict.fromkeys(_properties(tool), value)) for value in _HOSTILE]
    calls += [ToolCall(tool.name, {}), ToolCall(tool.name, {"no such parameter": 1})]
    _execute((tool,), calls)


def _properties(tool: Tool) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", tool.spec.parameters.get("properties", {}))


def _run(
    suite: ToolSuite | None, tools: Sequence[Tool], examples: Sequence[ToolCall]
) -> list[ToolResult]:
    """Run the examples in order and check each; return what came back."""
    found: list[ToolResult] = []
    for call in examples:
        before = suite.state_hash() if suite is not None else None
        (result,) = _execute(tools, [call])
        said = "; ".join(error.message for error in result.errors)
        require(result.ok, f"tool {call.name!r}", f"example {call.arguments!r:.100} fails: {said}")
        if suite is not None and not suite.methods()[call.name].writes:
            same = suite.state_hash() == before
            require(same, f"tool {call.name!r}", "it is marked read but changes the state")
        found.append(result)
    return found


def _execute(tools: Sequence[Tool], calls: Sequence[ToolCall]) -> tuple[ToolResult, ...]:
    try:
        return execute_calls(tools, calls)
    except InfrastructureError as error:
        raise ContractViolation(f"a tool must fail with ToolError alone: {error}") from error

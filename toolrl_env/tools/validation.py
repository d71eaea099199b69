"""Checking a model's calls against the tools that were offered: cached, exact, bounded."""

from __future__ import annotations

import functools
import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from toolrl_env.core.errors import ConfigurationError, nearest
from toolrl_env.core.frozen import FrozenDict
from toolrl_env.core.types import ErrorCode, ParsedCall, ToolResult, ToolSpec
from toolrl_env.tools.describe import action_error, describe_violation, show
from toolrl_env.tools.quick import Accept, compile_quick

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

    from toolrl_env.core.types import ActionError

__all__ = ["MAX_CALLS", "MAX_DESCRIBED", "MAX_ERRORS_PER_CALL", "CallValidator", "SchemaCheck"]

MAX_CALLS = 1_000
"""Calls of one answer that are looked at; every later one is refused unread."""
MAX_DESCRIBED = 32
"""Invalid calls of one answer that are described in detail; later ones only get a count."""
MAX_ERRORS_PER_CALL = 8
"""Errors described per call."""

_OK = tuple(ToolResult(index, ok=True) for index in range(MAX_CALLS))
_ALL_OK = tuple(_OK[:count] for count in range(17))
_SEEN: dict[int, tuple[FrozenDict, SchemaCheck]] = {}
_SEEN_LIMIT = 8_192


class SchemaCheck:
    """One compiled schema: a quick accept, with jsonschema behind it. Built once per content.

    Attributes:
        schema: The schema.
        accept: True implies that the schema admits the value; false leaves it to ``errors``.
    """

    __slots__ = ("_full", "accept", "schema")

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """Compile ``schema``.

        Raises:
            ConfigurationError: It is not a valid Draft 2020-12 schema.
        """
        self.schema = schema
        self._full: Draft202012Validator | None = None
        quick = compile_quick(schema)
        if quick is None:
            self._full = _full_validator(schema, check=True)
        self.accept: Accept = quick if quick is not None else _never_sure

    def errors(self, value: Any, call: int, tool: str) -> Iterator[ActionError]:
        """Yield what jsonschema finds wrong with ``value``, lazily; nothing if it is valid.

        Raises:
            ConfigurationError: The schema has a reference or a pattern that is broken.
        """
        from referencing.exceptions import Unresolvable

        if self._full is None:
            self._full = _full_validator(self.schema, check=False)
        try:
            for violation in self._full.iter_errors(value):
                yield from describe_violation(violation, call, tool)
        except RecursionError:
            text = "the arguments are nested too deeply to be checked"
            yield action_error(ErrorCode.TOO_DEEP, call, tool, text)
        except (Unresolvable, re.error) as error:
            raise ConfigurationError(f"tool {tool!r} has a broken schema: {error}") from error


def _never_sure(_value: object) -> bool:
    return False


class CallValidator:
    """Checks calls against tools, by name, and says what is wrong with each.

    Building one costs about a microsecond when the schemas were met before. Of two tools with one
    name the first counts. An accepted call costs well under a microsecond: a compiled predicate
    that implies what jsonschema would say, and a shared ``ToolResult``.

    Time and memory are bounded: at most ``MAX_CALLS`` calls are read, ``MAX_DESCRIBED`` of them
    described with ``MAX_ERRORS_PER_CALL`` errors each, and values are shown cut. What is *not*
    bounded is the schema: a catastrophic ``pattern`` in a tool's own schema stays catastrophic.

    Args:
        tools: The tools that are offered.

    Raises:
        ConfigurationError: A tool's schema is not a valid Draft 2020-12 schema.
    """

    __slots__ = ("_accept", "_checks", "_tools")

    def __init__(self, tools: Sequence[ToolSpec]) -> None:
        self._tools = tools
        self._checks: dict[str | None, SchemaCheck] = {}
        self._accept: dict[str | None, Accept] = {}
        for spec in reversed(tools):
            try:
                check = self._checks[spec.name] = _schema_check(spec.parameters)
            except ConfigurationError as error:
                raise ConfigurationError(f"tool {spec.name!r}: {error}") from error
            self._accept[spec.name] = check.accept

    def __reduce__(self) -> tuple[type[CallValidator], tuple[Sequence[ToolSpec]]]:
        """Pickle by the tools, since compiled checks cannot be."""
        return type(self), (self._tools,)

    def check(self, calls: Sequence[ParsedCall]) -> tuple[ToolResult, ...]:
        """Return one result per call, in order; ``ok`` is true for a valid call.

        Args:
            calls: The calls as they were parsed, well-formed or not.
        """
        if len(calls) < len(_ALL_OK):
            accepts = self._accept
            for call in calls:
                accept = accepts.get(call.name)
                if accept is None or call.issue is not None or not accept(call.arguments):
                    break
            else:
                return _ALL_OK[len(calls)]
        return self._check_slowly(calls)

    def _check_slowly(self, calls: Sequence[ParsedCall]) -> tuple[ToolResult, ...]:
        """Check call by call, describing what is wrong."""
        results: list[ToolResult] = []
        described = 0
        for index, call in enumerate(calls):
            if index >= MAX_CALLS:
                results.extend(_unread(index, len(calls)))
                break
            check = self._checks.get(call.name)
            if call.issue is None and check is not None and check.accept(call.arguments):
                results.append(_OK[index])
                continue
            errors = self._errors(index, call, check, described < MAX_DESCRIBED)
            described += bool(errors)
            results.append(ToolResult(index, ok=False, errors=errors) if errors else _OK[index])
        return tuple(results)

    def _errors(
        self, index: int, call: ParsedCall, check: SchemaCheck | None, describe: bool
    ) -> tuple[ActionError, ...]:
        """Return what is wrong with one call; ``()`` if jsonschema accepts it after all."""
        if call.issue is not None:
            return (action_error(call.issue.code, index, call.name, call.issue.message),)
        if call.name is None:
            text = "the call does not name a tool"
            return (action_error(ErrorCode.MISSING_NAME, index, None, text),)
        if check is None:
            return (self._unknown_tool(index, call.name, describe),)
        if call.arguments is None:
            text = "the call has no object of arguments"
            return (action_error(ErrorCode.MISSING_PARAMETERS, index, call.name, text),)
        limit = MAX_ERRORS_PER_CALL if describe else 1
        return tuple(itertools.islice(check.errors(call.arguments, index, call.name), limit))

    def _unknown_tool(self, index: int, name: str, describe: bool) -> ActionError:
        text = f"there is no tool {show(name)}"
        if not describe:
            return action_error(ErrorCode.UNKNOWN_TOOL, index, name, text)
        names = [str(known) for known in self._checks][::-1]
        close = nearest(name, names)
        more = f" and {len(names) - 20} more" if len(names) > 20 else ""
        text += f"; offered: {', '.join(names[:20]) or 'none'}{more}"
        hint = f" Did you mean {close!r}?" if close else ""
        return action_error(ErrorCode.UNKNOWN_TOOL, index, name, text, hint=hint)


def _unread(first: int, total: int) -> Iterator[ToolResult]:
    """Refuse the calls beyond the limit, all with the same error object."""
    text = f"only the first {MAX_CALLS} of {total} calls are read"
    error = (action_error(ErrorCode.INVALID_VALUE, first, None, text),)
    return (ToolResult(index, ok=False, errors=error) for index in range(first, total))


def _schema_check(schema: Mapping[str, Any]) -> SchemaCheck:
    """Return the compiled schema, found by identity if it is frozen, else by content."""
    if type(schema) is FrozenDict:
        seen = _SEEN.get(id(schema))
        if seen is not None and seen[0] is schema:
            return seen[1]
    try:
        content = json.dumps(schema)
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"the parameters are not JSON: {error}") from error
    check = _by_content(content)
    if type(schema) is FrozenDict:
        if len(_SEEN) >= _SEEN_LIMIT:
            _SEEN.clear()
        _SEEN[id(schema)] = (schema, check)
    return check


@functools.lru_cache(maxsize=_SEEN_LIMIT)
def _by_content(content: str) -> SchemaCheck:
    return SchemaCheck(json.loads(content))


def _full_validator(schema: Mapping[str, Any], *, check: bool) -> Draft202012Validator:
    """Return jsonschema's validator. References are never fetched over a network."""
    from jsonschema import Draft202012Validator, SchemaError
    from referencing.jsonschema import EMPTY_REGISTRY

    if check:
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as error:
            raise ConfigurationError(f"not a JSON Schema: {error.message[:300]}") from error
    return Draft202012Validator(schema, registry=EMPTY_REGISTRY)

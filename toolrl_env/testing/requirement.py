"""How the kit says that a promise is not kept."""

from __future__ import annotations

import functools
import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from toolrl_env.core.errors import ContractViolation

__all__ = ["JUNK", "must_raise", "require", "schema_error"]

JUNK = (
    "",
    "hello",
    "\x00\ud800",
    "<tool_call>\n{\n</tool_call>",
    "[" * 10_000,
    '<think> x </think>\n<tool_call>\n{"name": "f", "parameters": {"x": 1e400}}\n</tool_call>',
)
"""Answers that no model should be proud of and every environment must survive."""


def require(condition: bool, subject: str, promise: str) -> None:
    """Check a promise.

    Raises:
        ContractViolation: ``condition`` is false; the message is ``subject: promise``.
    """
    if not condition:
        raise ContractViolation(f"{subject}: {promise}")


@contextmanager
def must_raise(error: type[Exception], subject: str, when: str) -> Generator[None]:
    """Check that the body raises ``error``.

    Raises:
        ContractViolation: It raises nothing, or something else.
    """
    try:
        yield
    except error:
        return
    except Exception as other:
        raise ContractViolation(
            f"{subject}: {when} must raise {error.__name__}, not {type(other).__name__}: {other}"
        ) from other
    raise ContractViolation(f"{subject}: {when} must raise {error.__name__}; it raised nothing")


def schema_error(schema: Mapping[str, Any]) -> str | None:
    """Return why ``schema`` is no Draft 2020-12 schema of an object, or ``None`` if it is one."""
    try:
        return _schema_error(json.dumps(schema))
    except (TypeError, ValueError) as error:
        return f"its schema is not JSON: {error}"


@functools.lru_cache(maxsize=4096)
def _schema_error(text: str) -> str | None:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    schema: Any = json.loads(text)
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return f"its schema is not valid: {error.message}"
    is_object = isinstance(schema, dict) and schema == schema | {"type": "object"}
    return None if is_object else "its schema must be of type object"

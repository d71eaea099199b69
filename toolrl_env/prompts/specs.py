"""A tool as a dataset documents it → ``ToolSpec``, read once for each documentation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from toolrl_env.core.frozen import FrozenDict, freeze
from toolrl_env.core.types import ToolSpec
from toolrl_env.tools import documented_to_schema

__all__ = ["documented_tool"]


def documented_tool(name: str, description: str, documented: Mapping[str, Any]) -> ToolSpec:
    """Return the tool with its schema and its documentation, both frozen.

    Datasets offer the same few thousand tools over and over: equal documentation is read once and
    shared.

    Args:
        name: The tool's name.
        description: What it does.
        documented: The dataset's documentation of its parameters, in any dialect.
    """
    try:
        schema, frozen = _read(json.dumps(documented))
    except (TypeError, ValueError):  # a Python display that is not JSON, as API-Bank may have
        schema, frozen = freeze(documented_to_schema(documented)), freeze(documented)
    return ToolSpec(name, description, schema, frozen)


@lru_cache(maxsize=8192)
def _read(documented: str) -> tuple[FrozenDict, FrozenDict]:
    value = json.loads(documented)
    return freeze(documented_to_schema(value)), freeze(value)

"""The official documentation of the simulated APIs → tools, and which class each belongs to."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from toolrl_env.core.frozen import freeze
from toolrl_env.core.types import ToolSpec
from toolrl_env.tools.documented import documented_to_schema
from toolrl_env.tools.suites.bfcl.library import load_library

__all__ = ["method_owners", "spec_of", "specs_of"]


def spec_of(function: Mapping[str, Any]) -> ToolSpec:
    """Return the tool that an official function document describes."""
    documented = function["parameters"]
    schema = freeze(documented_to_schema(documented))
    return ToolSpec(function["name"], function["description"], schema, freeze(documented))


@functools.cache
def _class_specs(name: str) -> tuple[ToolSpec, ...]:
    return tuple(map(spec_of, load_library().docs(name)))


def specs_of(classes: Sequence[str]) -> tuple[ToolSpec, ...]:
    """Return the tools of these classes, in the official order (class by class)."""
    return tuple(spec for name in classes for spec in _class_specs(name))


@functools.cache
def method_owners() -> Mapping[str, str]:
    """Return each of the 128 documented methods with its class. No other method can be called."""
    return {spec.name: name for name in load_library().classes for spec in _class_specs(name)}

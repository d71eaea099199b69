"""How a server is reached."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Reach"]


@dataclass(frozen=True, slots=True)
class Reach:
    """What a connection needs to know; the fields are those of ``MCPServer``."""

    name: str
    command: str | None
    args: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str | None
    url: str | None
    headers: Mapping[str, str]
    prepare: Callable[[Path], object] | None
    start_seconds: float

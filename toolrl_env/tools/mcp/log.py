"""The calls by which a session brought its server from its start to where it is."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from toolrl_env.tools.mcp.listing import Listing

__all__ = ["Log", "LoggedCall", "MCPSnapshot", "digest_of", "hash_of"]


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """A call that may have written.

    Attributes:
        name: The tool.
        arguments: The arguments' JSON.
        digest: ``digest_of`` what came back.
    """

    name: str
    arguments: str
    digest: str


Log = tuple[LoggedCall, ...]


@dataclass(frozen=True, slots=True)
class MCPSnapshot:
    """A session at one moment.

    Attributes:
        server: The server's name.
        log: The calls so far.
        listing: The tools on offer.
    """

    server: str
    log: Log
    listing: Listing


def digest_of(value: Any, *, refused: bool) -> str:
    """Return the SHA-256, in hexadecimal, of what a call brought."""
    text = json.dumps([value, refused], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def hash_of(server: str, log: Log) -> str:
    """Return 64 hexadecimal digits of the state that a log leads to."""
    parts = [[call.name, call.arguments, call.digest] for call in log]
    return hashlib.sha256(json.dumps([server, parts]).encode()).hexdigest()

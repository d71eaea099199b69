"""What a server says, as the package's own types: bounded, JSON-like, never trusted.

Names, descriptions, schemas and results come from outside. They are shown to the model and nothing
else: no part of them is ever read as the model's answer.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from mcp import types
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from toolrl_env.core.errors import ConfigurationError, InfrastructureError
from toolrl_env.core.frozen import freeze
from toolrl_env.core.types import FailureKind, ToolSpec
from toolrl_env.tools.mcp.listing import Listing
from toolrl_env.tools.validation import CallValidator

__all__ = ["Answer", "answer_of", "listing_of"]

MAX_TOOLS = 1024
MAX_NAME = 200
MAX_DESCRIPTION = 8192
MAX_SCHEMA = 65_536
MAX_DEPTH = 100
MAX_BITS = 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back from a call.

    Attributes:
        value: The JSON-like result, or the words of a refusal.
        refused: Whether the tool says that it failed (``isError``).
    """

    value: Any
    refused: bool = False


def listing_of(server: str, tools: Sequence[types.Tool], *, may_change: bool) -> Listing:
    """Return a server's tools as specs.

    Args:
        server: Its name, for errors.
        tools: What it lists. A description that is too long is cut.
        may_change: Whether the server says that the list may change.

    Raises:
        InfrastructureError: A name or a schema cannot be used, or there are too many tools.
    """
    if len(tools) > MAX_TOOLS:
        raise _bad(server, f"lists {len(tools)} tools; at most {MAX_TOOLS} are taken")
    specs: list[ToolSpec] = []
    writes: dict[str, bool] = {}
    for tool in tools:
        name = tool.name
        if not name or len(name) > MAX_NAME or not name.isprintable() or name in writes:
            raise _bad(server, f"lists a tool with the name {name!r:.80}; names are printable, "
                       f"unique and of 1 to {MAX_NAME} characters")  # fmt: skip
        specs.append(ToolSpec(name, _cut(tool.description or ""), _schema(server, tool)))
        hints = tool.annotations
        writes[name] = not (hints is not None and hints.read_only_hint)
    try:
        CallValidator(specs)
    except ConfigurationError as error:
        raise _bad(server, f"has a schema that cannot be used: {error}") from error
    reads = frozenset(name for name, changes in writes.items() if not changes)
    return Listing(tuple(specs), reads, may_change)


def answer_of(result: types.CallToolResult) -> Answer:
    """Return a result as JSON-like data.

    Structured content comes as it is. Otherwise each block becomes a value: text that is a JSON
    object or array is decoded, other text stays text, images and sounds become a note of their
    type and size. One block stands alone, several make a list, none is ``None``.
    """
    blocks = [_block(block) for block in result.content]
    whole = blocks[0] if len(blocks) == 1 else (blocks or None)
    if result.is_error:
        return Answer(whole if isinstance(whole, str) else json.dumps(whole), refused=True)
    if result.structured_content is not None and _finite(result.structured_content):
        return Answer(result.structured_content)
    return Answer(whole)


def _block(block: types.ContentBlock) -> Any:
    if isinstance(block, types.TextContent):
        return _decoded(block.text)
    if isinstance(block, types.ResourceLink):
        return {"type": "resource_link", "uri": str(block.uri), "name": block.name}
    if isinstance(block, types.EmbeddedResource):
        resource = block.resource
        if isinstance(resource, types.TextResourceContents):
            return _decoded(resource.text)
        size = len(resource.blob) * 3 // 4
        return {"type": "resource", "uri": str(resource.uri), "bytes": size}
    return {"type": block.type, "mime_type": block.mime_type, "bytes": len(block.data) * 3 // 4}


def _decoded(text: str) -> Any:
    if not text.lstrip().startswith(("{", "[")):
        return text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if _finite(value) else text


def _finite(value: Any) -> bool:
    """Whether JSON can hold the value: no endless number, not nested without end."""
    open_values: list[tuple[Any, int]] = [(value, 0)]
    while open_values:
        item, depth = open_values.pop()
        if isinstance(item, float) and not math.isfinite(item):
            return False
        if depth > MAX_DEPTH or (isinstance(item, int) and item.bit_length() > MAX_BITS):
            return False
        if isinstance(item, dict):
            open_values += [(v, depth + 1) for v in cast("dict[str, Any]", item).values()]
        elif isinstance(item, list):
            open_values += [(v, depth + 1) for v in cast("list[Any]", item)]
    return True


def _schema(server: str, tool: types.Tool) -> Any:
    schema = tool.input_schema
    if schema.get("type", "object") != "object":
        raise _bad(server, f"gives tool {tool.name!r} a schema that is not an object's")
    if len(json.dumps(schema)) > MAX_SCHEMA:
        raise _bad(server, f"gives tool {tool.name!r} a schema of over {MAX_SCHEMA} characters")
    resource = Resource(schema, DRAFT202012)
    resolver = Registry[Any]().with_resource("", resource).resolver()
    for reference in _references(schema):
        try:
            resolver.lookup(reference)
        except (Unresolvable, ValueError) as error:
            what = f"gives tool {tool.name!r} a schema with the reference {reference!r:.80}, "
            raise _bad(server, what + "which leads nowhere within it") from error
    return freeze({"type": "object", **schema})


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            if key == "$ref" and isinstance(item, str):
                yield item
            yield from _references(item)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _references(item)


def _cut(text: str) -> str:
    return text if len(text) <= MAX_DESCRIPTION else f"{text[:MAX_DESCRIPTION]} … [cut]"


def _bad(server: str, what: str) -> InfrastructureError:
    return InfrastructureError(f"MCP server {server!r} {what}", FailureKind.BAD_RESULT)

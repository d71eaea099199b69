"""What went wrong with a server, as an ``InfrastructureError`` of the right kind."""

from __future__ import annotations

from typing import cast

import anyio
import httpx2
from mcp import MCPError
from mcp.types import CONNECTION_CLOSED, INVALID_REQUEST, PARSE_ERROR, REQUEST_TIMEOUT

from toolrl_env.core.errors import InfrastructureError
from toolrl_env.core.types import FailureKind
from toolrl_env.tools.mcp.stdio import StdioTransport

__all__ = ["failure_of"]

_GONE = (OSError, httpx2.TransportError, anyio.ClosedResourceError, anyio.BrokenResourceError)
_SHOWN = 500


def failure_of(
    error: BaseException,
    server: str,
    transport: StdioTransport | None,
    seconds: float,
    *,
    starting: bool,
) -> InfrastructureError:
    """Return the failure that an exception of the SDK or of the transport stands for.

    Args:
        error: What was raised.
        server: The server's name.
        transport: Its transport, if it is our child: knows what it said outside of the protocol.
        seconds: The limit that was in force.
        starting: Whether the server had not yet said what it offers.

    Returns:
        ``TIMEOUT``: no answer in time. ``BAD_RESULT``: an answer against the protocol, or, in place
        of an answer, a line that is no message. ``SERVER_DOWN``: it is not there (any more).
        ``TOOL_CRASHED``: it answers that it failed itself.
    """
    cause = _first(error)
    when = "at its start" if starting else "in a call"
    said = f"MCP server {server!r} {when}: "
    fault, noise, words = _heard(transport)
    if fault:
        return InfrastructureError(said + fault, FailureKind.BAD_RESULT)
    code = cause.error.code if isinstance(cause, MCPError) else None
    if isinstance(cause, TimeoutError) or code == REQUEST_TIMEOUT:
        kind = FailureKind.BAD_RESULT if noise else FailureKind.TIMEOUT
        return InfrastructureError(f"{said}no answer within {seconds:g} s{words}", kind)
    what = f"{type(cause).__name__}: {str(cause)[:_SHOWN]}{words}"
    if isinstance(cause, _GONE) or code == CONNECTION_CLOSED:
        return InfrastructureError(said + what, FailureKind.SERVER_DOWN)
    if code is not None and code not in (PARSE_ERROR, INVALID_REQUEST):
        kind = FailureKind.SERVER_DOWN if starting else FailureKind.TOOL_CRASHED
        return InfrastructureError(said + what, kind)
    return InfrastructureError(said + what, FailureKind.BAD_RESULT)


def _heard(transport: StdioTransport | None) -> tuple[str, str, str]:
    """Return a server's fault, its noise, and its last words with the noise."""
    if transport is None:
        return "", "", ""
    noise, words = transport.noise[:_SHOWN], transport.last_words[:_SHOWN]
    if noise:
        words += f"; on its standard output, against the protocol: {noise!r}"
    return transport.fault, noise, words


def _first(error: BaseException) -> BaseException:
    """Return the first exception within a group of groups."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return error

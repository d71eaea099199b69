"""The worker: one session's tools in a process of their own."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import traceback
from dataclasses import dataclass
from typing import Any

from toolrl_env.core.errors import InfrastructureError
from toolrl_env.core.types import FailureKind
from toolrl_env.tools.isolation.linux import adopt_orphans, die_with_parent, limit_memory
from toolrl_env.tools.isolation.wire import Channel, ChannelClosed
from toolrl_env.tools.limits import CallLimits
from toolrl_env.tools.provider import OpenTools, ToolProvider
from toolrl_env.tools.tool import ToolError

__all__ = ["Beginning", "serve"]

MAX_REASON = 4_000
"""Characters of what a worker says about a failure."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a worker begins with.

    Attributes:
        provider: The pickled ``ToolProvider``.
        limits: What each call may take.
        memory: Bytes that it may map beyond what it begins with.
        state: The pickled state to begin in; ``None`` for the provider's own.
    """

    provider: bytes
    limits: CallLimits
    memory: int
    state: bytes | None


def serve(channel_fd: int) -> None:
    """Be a session's tools until the other end closes."""
    nursery = os.getppid()
    os.setsid()
    die_with_parent()
    adopt_orphans()
    if os.getppid() != nursery:
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    _silence()
    channel = Channel(socket.socket(fileno=channel_fd))
    try:
        channel.send({"pid": os.getpid()})
        tools = _begin(channel)
        while tools is not None:
            request, blob = channel.receive()
            channel.send(*_answer(tools, request, blob))
    except ChannelClosed:
        return


def _silence() -> None:
    """Let what tools print go nowhere; the channel is a socket of its own."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    os.close(nothing)


def _begin(channel: Channel) -> OpenTools | None:
    """Make the tools, and say what there is; or say why there are none."""
    _, blob = channel.receive()
    beginning: Beginning = pickle.loads(blob)  # from the process that this one serves
    try:
        provider: ToolProvider = pickle.loads(beginning.provider)
    except Exception as error:
        channel.send({"unusable": _said(error)})
        return None
    try:
        limit_memory(beginning.memory)
        tools = provider.open(beginning.limits)
        if beginning.state is not None:
            tools.restore(pickle.loads(beginning.state))
        specs = [
            [spec.name, spec.description, spec.parameters, tools.writes(spec.name)]
            for spec in tools.specs()
        ]
        channel.send({"specs": specs}, _state(tools))
    except ChannelClosed:
        raise
    except BaseException as error:
        channel.send(_failure(error))
        return None
    return tools


def _answer(tools: OpenTools, request: dict[str, Any], blob: bytes) -> tuple[dict[str, Any], bytes]:
    """Do what is asked; a call that may have changed the state brings the new one along."""
    try:
        match request["do"]:
            case "call":
                return _call(tools, request["tool"], request["arguments"])
            case "holds":
                return _holds(tools, blob), b""
            case _:
                return {"value": tools.state_hash()}, b""
    except BaseException as error:
        return _failure(error), b""


def _call(tools: OpenTools, name: str, arguments: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    try:
        head = {"value": tools.call(name, arguments)}
    except ToolError as error:
        head = {"refused": str(error)[:MAX_REASON]}
    return head, _state(tools) if tools.writes(name) else b""


def _holds(tools: OpenTools, blob: bytes) -> dict[str, Any]:
    try:
        predicate = pickle.loads(blob)
    except Exception as error:
        return {"unusable": _said(error)}
    return {"value": tools.holds(predicate)}


def _state(tools: OpenTools) -> bytes:
    return pickle.dumps(tools.snapshot(), pickle.HIGHEST_PROTOCOL)


def _failure(error: BaseException) -> dict[str, Any]:
    """Say what failed; what is out of memory is as good as killed."""
    if isinstance(error, MemoryError) or isinstance(error.__cause__, MemoryError):
        text = f"out of memory: {_said(error)}"
        return {"failed": FailureKind.WORKER_KILLED.value, "reason": text}
    ours = isinstance(error, InfrastructureError)
    kind = error.kind if ours else FailureKind.TOOL_CRASHED
    if kind is not FailureKind.TOOL_CRASHED or error.__cause__ is None:
        return {"failed": kind.value, "reason": _said(error)}
    where = "".join(traceback.format_tb(error.__cause__.__traceback__)[-2:])
    return {"failed": kind.value, "reason": f"{_said(error)}\n{where}"[:MAX_REASON]}


def _said(error: BaseException) -> str:
    text = (
        str(error) if isinstance(error, InfrastructureError) else f"{type(error).__name__}: {error}"
    )
    return text[:MAX_REASON]

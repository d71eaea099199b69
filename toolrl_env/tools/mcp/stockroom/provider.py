"""How the stockroom's server is reached."""

from __future__ import annotations

import functools
import sys
from pathlib import Path

from toolrl_env.tools.mcp.server import MCPServer

__all__ = ["stockroom_server"]

_ROOT = Path(__file__).parents[4]


@functools.cache
def stockroom_server(max_servers: int = 4) -> MCPServer:
    """Return the server as a provider, the same at every call: a process costs a second to start.

    Its processes are reset and reused between sessions, whatever environment these are of.

    Args:
        max_servers: Processes that run at the same time. A session that has to take turns costs a
            few milliseconds a call.
    """
    return MCPServer(
        "stockroom",
        command=sys.executable,
        args=("-m", "toolrl_env.tools.mcp.stockroom"),
        env={"PYTHONPATH": str(_ROOT)},
        reset_tool="start_over",
        state_tool="everything",
        max_servers=max_servers,
    )

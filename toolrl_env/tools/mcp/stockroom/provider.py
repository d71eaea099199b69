"""How the stockroom's server is reached."""

from __future__ import annotations

import sys
from pathlib import Path

from toolrl_env.tools.mcp.server import MCPServer

__all__ = ["stockroom_server"]

_ROOT = Path(__file__).parents[4]


def stockroom_server(max_servers: int = 16) -> MCPServer:
    """Return the server as a provider; its processes are reset and reused between episodes.

    Args:
        max_servers: Processes that run at the same time.
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

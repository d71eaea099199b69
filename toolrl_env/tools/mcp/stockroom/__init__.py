"""A small stockroom with an MCP server of its own: what ``ToolRL-MCP-v0`` plays by default.

Its state is a function of the calls, so that it shows what sessions, forks and snapshots of a
server are. Start the server by hand with ``python -m toolrl_env.tools.mcp.stockroom``.
"""

from toolrl_env.tools.mcp.stockroom.provider import stockroom_server
from toolrl_env.tools.mcp.stockroom.world import CAPACITY, ITEMS, SHELVES, Refused, Stockroom

__all__ = ["CAPACITY", "ITEMS", "SHELVES", "Refused", "Stockroom", "stockroom_server"]

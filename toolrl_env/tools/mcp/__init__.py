"""Servers that speak the Model Context Protocol, as providers of tools (extra ``mcp``)."""

from toolrl_env.tools.mcp.server import MCPServer

__all__ = ["MCPServer"]

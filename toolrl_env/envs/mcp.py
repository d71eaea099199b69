"""``ToolRL-MCP-v0``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.types import Task
from toolrl_env.data.own import OwnTask
from toolrl_env.data.stockroom import stockroom_tasks
from toolrl_env.envs.own import OwnToolsEnv
from toolrl_env.envs.vector import ToolVectorEnv
from toolrl_env.tools.combined import PrefixedProvider
from toolrl_env.tools.mcp import MCPServer
from toolrl_env.tools.mcp.stockroom import stockroom_server
from toolrl_env.tools.provider import ToolProvider
from toolrl_env.tools.toolkit import ToolLike

__all__ = ["MCPEnv", "MCPVectorEnv"]

Servers = ToolProvider | Sequence[ToolProvider] | Mapping[str, Mapping[str, Any]]


class MCPEnv(OwnToolsEnv):
    """Any MCP servers as the tools, on your tasks.

    ## Description
    The model is asked something, calls the servers' tools, reads what came back, and responds,
    which ends the episode. Each session has a server in a state of its own: see ``MCPServer`` for
    what that means, and for servers that have no state. Functions and suites may be added. A task
    is judged by its goals and its expected answer, or else by what its gold calls lead to: see
    ``OwnTask``. Without ``servers`` the tools are those of a small stockroom that comes with the
    package, and without ``tasks`` the tasks are 240 requests to it. Needs the extra ``mcp``.

    ## Observation
    ``UnicodeText``: the conversation so far; ``info`` has it as chat ``messages``, and the
    ``tools`` that are on offer now.

    ## Action
    ``UnicodeText``: calls, or a response to the user, in the layout of ``protocol``.

    ## Reward
    ``episode_reward``; by default 1 at the end if the task is done, else 0.

    ## Episode end
    Terminates with the first response. Truncates after ``max_turns`` answers, when the conversation
    is longer than an observation may be, and when something of ours fails: a server that dies
    (``failure_kind`` ``server_down``), does not answer in time (``timeout``) or answers against the
    protocol (``bad_result``). Such a step is marked by ``mask_sample``.

    ## Arguments
    - ``servers``: an ``MCPServer``, several, or the ``mcpServers`` of a client's settings: a
      mapping of names to ``{"command", "args", "env"}`` or ``{"url", "headers"}``.
    - ``tasks``: tasks or rows, or a file of rows; see ``toolrl_env.data.own``.
    - ``split``: ``"train"``, ``"validation"``, ``"test"`` or ``"all"`` (default).
    - ``tools``: functions, suites or other providers besides the servers.
    - ``time_limit``: seconds that a call may take (default 30).
    - ``max_result_chars``, ``isolation``, ``memory_mb``, ``name``: as in ``OwnToolsEnv``.
    - ``max_turns`` (default 30), ``episode_reward``, and those of ``ToolUseEnv`` but for
      ``reward`` and ``strict``.

    ## References
    Model Context Protocol, https://modelcontextprotocol.io. The tasks are our own, or yours.

    ## Version history
    - v0: first version.
    """

    _shared = OwnToolsEnv._shared | {"_servers"}

    def __init__(
        self,
        servers: Servers | None = None,
        tasks: str | Path | Sequence[OwnTask | Task | Mapping[str, Any]] | None = None,
        split: str = "all",
        *,
        tools: ToolLike | Sequence[ToolLike] = (),
        **kwargs: Any,
    ) -> None:
        if servers is not None and tasks is None:
            raise ConfigurationError("servers= needs tasks=: what is to be done with them")
        several = isinstance(tools, list | tuple)
        added = list(cast("Sequence[ToolLike]", tools)) if several else [cast("ToolLike", tools)]
        kwargs.setdefault("name", "stockroom" if tasks is None else "own")
        providers = _providers(servers)
        self._servers = tuple(filter(None, map(_server, providers)))
        super().__init__(
            [*providers, *added],
            stockroom_tasks() if tasks is None else tasks,
            split,
            **kwargs,
        )

    def close(self) -> None:
        """Close the session, and stop the servers that no other session has."""
        super().close()
        for server in self._servers:
            server.stop_unused()


class MCPVectorEnv(ToolVectorEnv):
    """Native vector form of ``MCPEnv``: sessions call their servers at the same time."""

    env_class = MCPEnv


def _providers(servers: Servers | None) -> list[ToolProvider]:
    if servers is None:
        return [stockroom_server()]
    if isinstance(servers, Mapping):
        return [MCPServer.from_config(name, entry) for name, entry in servers.items()]
    if isinstance(servers, Sequence):
        return list(servers)
    return [servers]


def _server(provider: ToolProvider) -> MCPServer | None:
    """Return the server behind a provider, if there is one."""
    if isinstance(provider, PrefixedProvider):
        return _server(provider.provider)
    return provider if isinstance(provider, MCPServer) else None

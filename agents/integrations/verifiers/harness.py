"""A verifiers harness that runs its chat loop in this process: nothing is installed or started.

The harnesses that come with verifiers start a program per turn, installed by ``uv``. For tasks of
text alone, or with tools behind MCP, a loop of requests is all there is to it.
"""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from typing import Any, ClassVar

import verifiers.v1 as vf
from openai import AsyncOpenAI, DefaultAsyncHttpxClient
from verifiers.v1.dialects.chat import message_to_wire
from verifiers.v1.harnesses.utils.mcp import call_mcp, connect_mcp

from agents.integrations.verifiers.data import ToolRLData

__all__ = ["ChatHarness"]


class ChatHarness(vf.Harness[vf.HarnessConfig]):
    """Asks the model until it answers without a call to a tool.

    The tools of a task of ours are offered too, but run in its environment: calls end the segment.
    Requests that fail with 408, 409, 429 or 5xx are sent again twice, by the official client.
    """

    APPENDS_SYSTEM_PROMPT: ClassVar[bool] = True
    SUPPORTS_MCP: ClassVar[bool] = True
    SUPPORTS_RESUME: ClassVar[bool] = True
    EXECUTES_CODE: ClassVar[bool] = False
    NEEDS_CONTAINER: ClassVar[bool] = False

    async def launch(
        self,
        ctx: vf.ModelContext,
        trace: vf.Trace,
        runtime: vf.Runtime,
        endpoint: str,
        secret: str,
        mcp_urls: dict[str, str],
        data: vf.TaskData,
    ) -> vf.ProgramResult:
        """Run one segment: the requests up to an answer without calls.

        Raises:
            Exception: A request or a tool server failed; verifiers marks the rollout.
        """
        del trace, runtime
        messages = self._opening(data)
        timeout = self.config.tool_timeout
        servers = {name: {"url": url, "timeout": timeout} for name, url in mcp_urls.items()}
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(_client(endpoint, secret))
            tools, owners, connections = await _connected(servers, stack)
            theirs = data.tools if isinstance(data, ToolRLData) else []
            offer = {"tools": [*theirs, *tools]} if theirs or tools else {}
            while True:
                completion = await client.chat.completions.create(
                    model=ctx.model, messages=messages, **offer
                )
                message = completion.choices[0].message.model_dump(exclude_none=True)
                messages.append(message)
                calls = message.get("tool_calls")
                if not calls or theirs:
                    return vf.ProgramResult(0, "", "")
                for call in calls:
                    content = await _result(call["function"], owners, connections)
                    name = call["function"]["name"]
                    said = {"tool_call_id": call["id"], "name": name, "content": content}
                    messages.append({"role": "tool", **said})

    def _opening(self, data: vf.TaskData) -> list[Any]:
        system, prompt = self.resolve_prompt(data)
        opening: list[Any] = [] if system is None else [{"role": "system", "content": system}]
        if isinstance(prompt, str):
            return [*opening, {"role": "user", "content": prompt}]
        return [*opening, *(message_to_wire(message) for message in prompt or ())]


def _client(endpoint: str, secret: str) -> AsyncOpenAI:
    certificates = endpoint.startswith("https:")  # to load them takes longer than a local request
    http = DefaultAsyncHttpxClient(verify=certificates, timeout=None)
    return AsyncOpenAI(base_url=endpoint, api_key=secret, timeout=None, http_client=http)


async def _connected(servers: dict[str, Any], stack: AsyncExitStack) -> tuple[Any, Any, Any]:
    """Return tools, their owners and the connections; a failure is named, not wrapped in groups."""
    try:
        return await connect_mcp({"mcpServers": servers}, stack)
    except ExceptionGroup as group:
        cause: BaseException = group
        while isinstance(cause, BaseExceptionGroup):
            cause = cause.exceptions[0]
        names = ", ".join(servers)
        raise ConnectionError(f"the tool servers {names} do not answer: {cause!r}") from group


async def _result(function: dict[str, Any], owners: Any, connections: Any) -> Any:
    """Return what a tool said to a call; what is wrong with the call is for the model to read."""
    name = function["name"]
    try:
        arguments = json.loads(function["arguments"] or "{}")
    except ValueError as error:
        return f"error: the arguments are not JSON ({error})"
    if not isinstance(arguments, dict):
        return f"error: the arguments are no JSON object but {type(arguments).__name__}"
    if name not in owners:
        return f"error: there is no tool {name!r}; there are {', '.join(owners) or 'none'}"
    return await call_mcp(connections, owners, name, arguments)

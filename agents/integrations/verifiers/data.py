"""A task of ours as verifiers keeps it, and the words between the chat API and the environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import verifiers.v1 as vf
from pydantic import Field

from agents.chat.reply import Reply, WrittenCall
from agents.chat.wire import ToolNames, answer_text, request_messages, request_tools
from agents.integrations.tasks import TaskRef, TaskRow

__all__ = ["ToolRLData"]

_NATIVE = "native"


class ToolRLData(vf.TaskData):
    """A task of ours as verifiers writes it into its traces. The gold answer is not in it."""

    env: str
    env_kwargs: str
    task_index: int
    source: str = ""
    category: str = ""
    protocol: str = "toolrl"
    tool_names: list[str] = Field(default_factory=list)
    tools: list[dict[str, Any]] = Field(default_factory=list)
    """What requests offer under ``tools=``: the environment's tools if its protocol is native."""

    @classmethod
    def of(cls, row: TaskRow, protocol: str) -> ToolRLData:
        """Return a task for an environment with this protocol."""
        own = row.tools if protocol == _NATIVE else ()
        names = [tool["function"]["name"] for tool in own]
        known = ToolNames(names)
        messages = request_messages(row.messages, protocol, known)
        system = messages.pop(0)["content"] if messages[0]["role"] == "system" else None
        return cls(
            id=row.task_id,
            name=row.task_id,
            system_prompt=system,
            prompt=messages,
            source=row.source,
            category=row.category,
            protocol=protocol,
            tool_names=names,
            tools=request_tools(own, known),
            **row.ref.as_dict(),
        )

    @property
    def ref(self) -> TaskRef:
        """Which task it is."""
        return TaskRef(self.env, self.env_kwargs, self.task_index)

    def answer(self, message: vf.AssistantMessage) -> str:
        """Return what the model said as an answer to the environment, not stripped."""
        calls = (WrittenCall(call.name, call.arguments) for call in message.tool_calls or ())
        reply = Reply(message.content or "", tuple(calls))
        return answer_text(reply, self.protocol, ToolNames(self.tool_names))

    def following(
        self, message: vf.AssistantMessage, said: Sequence[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        """Return what the environment said to an answer, as the chat API takes it.

        After ``tool_calls`` the API wants one result for each; if there are others (the calls could
        not be read), each of them is told everything.
        """
        ids = [call.id for call in message.tool_calls or ()]
        results = [each for each in said if each["role"] == "tool"]
        if not ids:
            return request_messages(said, self.protocol, ToolNames(self.tool_names))
        if len(results) != len(ids):
            told = "\n".join(each["content"] for each in said)
            return [{"role": "tool", "tool_call_id": call, "content": told} for call in ids]
        rest = [each for each in said if each["role"] != "tool"]
        return [
            *(
                {"role": "tool", "tool_call_id": call, "content": result["content"]}
                for call, result in zip(ids, results, strict=True)
            ),
            *request_messages(rest, self.protocol, ToolNames(self.tool_names)),
        ]
